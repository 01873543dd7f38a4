# Scores -> Tables 2 to 4 and the figures.


rule table:
    input:
        scores="<results>/scores/{dataset}.csv",
        code=code("reporting"),
    output:
        expand("<results>/tables/{{dataset}}.{kind}", kind=["tex", "md", "csv"]),
    params:
        folder=subpath(output[0], parent=True),
        note=CONFIG.note,
        seed=CONFIG.seed,
    log:
        "<logs>/tables/{dataset}.log",
    benchmark:
        "<benchmarks>/tables/{dataset}.tsv"
    resources:
        mem_mb=1000,
    message:
        "Writing the table of {wildcards.dataset}"
    shell:
        "fplbench table {input.scores:q} {wildcards.dataset} --out-dir {params.folder:q} --note {params.note:q}"
        " --seed {params.seed} > {log:q} 2>&1"


rule figure:
    input:
        clean="<results>/data/{dataset}/test.npy",
        noisy=f"<results>/noisy/{{dataset}}/{CONFIG.figures.noise}/test.npy",
        denoised=expand(
            "<results>/denoised/{{dataset}}/{noise}/{method}.npy",
            noise=CONFIG.figures.noise,
            method=[method for method in FIGURE_METHODS if method in CONFIG.methods],
        ),
        restoration="<results>/models/{dataset}/restoration.safetensors",
        code=code("reporting"),
    output:
        "<results>/figures/{dataset}.png",
    params:
        image=f"--image {CONFIG.figures.image}" if CONFIG.figures.image is not None else "",
        note=CONFIG.note,
    log:
        "<logs>/figures/{dataset}.log",
    benchmark:
        "<benchmarks>/figures/{dataset}.tsv"
    resources:
        mem_mb=4000,
    message:
        "Drawing the figure of {wildcards.dataset}"
    shell:
        "fplbench figure {output:q} {input.clean:q} {input.noisy:q} {input.denoised:q} --restoration {input.restoration:q}"
        " {params.image} --note {params.note:q} > {log:q} 2>&1"


rule noise_figure:
    input:
        clean=f"<results>/data/{next(iter(CONFIG.datasets))}/test.npy",
        noisy=expand(f"<results>/noisy/{next(iter(CONFIG.datasets))}/{{noise}}/test.npy", noise=CONFIG.noises),
        code=code("reporting"),
    output:
        "<results>/figures/noises.png",
    params:
        image=f"--image {CONFIG.figures.image}" if CONFIG.figures.image is not None else "",
        note=CONFIG.note,
    log:
        "<logs>/figures/noises.log",
    benchmark:
        "<benchmarks>/figures/noises.tsv"
    resources:
        mem_mb=1000,
    message:
        "Drawing the figure of the noises"
    shell:
        "fplbench noise-figure {output:q} {input.clean:q} {input.noisy:q} {params.image} --note {params.note:q} > {log:q} 2>&1"
