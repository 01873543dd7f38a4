# Scores -> Tables 2 to 4, figures, report.html and run.json.

TABLE_KINDS = [".tex", ".md", ".csv", ".html", "_intervals.tex"]
FIRST_DATASET = next(iter(CONFIG.datasets))
RESTORATION = {"restoration": ["<results>/models/{dataset}/restoration.safetensors"] if CONFIG.explains else []}


rule table:
    input:
        scores="<results>/scores/{dataset}.csv",
    output:
        expand("<results>/tables/{{dataset}}{kind}", kind=TABLE_KINDS),
    log:
        "<logs>/tables/{dataset}.log",
    benchmark:
        "<benchmarks>/tables/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        labels=LABELS,
        code=code("reporting"),
        folder=subpath(output[0], parent=True),
        note=lambda wildcards: CONFIG.note_of(wildcards.dataset),
        seed=CONFIG.seed,
    message:
        "Writing the table of {wildcards.dataset}"
    shell:
        "fplbench table {input.scores:q} {wildcards.dataset} --out-dir {params.folder:q} --note={params.note:q}"
        " --labels {params.labels:q}"
        " --seed {params.seed} > {log:q} 2>&1"


rule figure:
    input:
        **RESTORATION,
        clean="<results>/data/{dataset}/test.npy",
        noisy=one_noise("<results>/noisy/{{dataset}}/{noise}/test.npy"),
        denoised=one_noise(
            "<results>/denoised/{{dataset}}/{noise}/{method}.npy",
            method=FIGURE_METHODS,
        ),
        scored=one_noise("<results>/scores/{{dataset}}/{noise}/{method}.csv", method=CONFIG.columns),
    output:
        "<results>/figures/{dataset}.png",
    log:
        "<logs>/figures/{dataset}.log",
    benchmark:
        "<benchmarks>/figures/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=int(CONFIG.explains),
        mem_mb=4000,
    params:
        device=device,
        labels=LABELS,
        code=code("reporting"),
        restoration=lambda wildcards, input: [f"--restoration={path}" for path in input.restoration],
        explanation=EXPLANATION,
        image=IMAGE,
        note=lambda wildcards: CONFIG.note_of(wildcards.dataset),
    message:
        "Drawing the figure of {wildcards.dataset}"
    shell:
        "fplbench figure {output:q} {input.clean:q} {input.noisy:q} {input.denoised:q} {params.restoration:q}"
        " --explanation {params.explanation:q} --device {params.device} {params.image} --note={params.note:q} --labels {params.labels:q} > {log:q} 2>&1"


rule explainability_figure:
    input:
        clean="<results>/data/{dataset}/test.npy",
        noisy=one_noise("<results>/noisy/{{dataset}}/{noise}/test.npy"),
        denoised=one_noise(
            "<results>/denoised/{{dataset}}/{noise}/{method}.npy",
            method=DENOISERS,
        ),
        scored=one_noise("<results>/scores/{{dataset}}/{noise}/{method}.csv", method=CONFIG.columns),
        restoration="<results>/models/{dataset}/restoration.safetensors",
    output:
        "<results>/figures/{dataset}_features.png",
    log:
        "<logs>/figures/{dataset}_features.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_features.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=4000,
    params:
        device=device,
        labels=LABELS,
        code=code("reporting"),
        explanation=EXPLANATION,
        image=IMAGE,
        note=lambda wildcards: CONFIG.note_of(wildcards.dataset),
    message:
        "Drawing the feature maps of {wildcards.dataset}"
    shell:
        "fplbench explainability {output:q} {input.clean:q} {input.noisy:q} {input.denoised:q}"
        " --restoration {input.restoration:q} --explanation {params.explanation:q} --device {params.device} {params.image} --note={params.note:q}"
        " --labels {params.labels:q}"
        " > {log:q} 2>&1"


rule noise_figure:
    input:
        clean=f"<results>/data/{FIRST_DATASET}/test.npy",
        noisy=expand(f"<results>/noisy/{FIRST_DATASET}/{{noise}}/test.npy", noise=CONFIG.noises),
    output:
        "<results>/figures/noises.png",
    log:
        "<logs>/figures/noises.log",
    benchmark:
        "<benchmarks>/figures/noises.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("reporting"),
        image=IMAGE,
        note=CONFIG.note_of(FIRST_DATASET),
    message:
        "Drawing the figure of the noises"
    shell:
        "fplbench noise-figure {output:q} {input.clean:q} {input.noisy:q} {params.image} --note={params.note:q} > {log:q} 2>&1"


rule training_figure:
    input:
        logs=one_noise("<results>/models/{dataset}/{noise}/fpl.csv", dataset=CONFIG.datasets),
    output:
        "<results>/figures/training.png",
    log:
        "<logs>/figures/training.log",
    benchmark:
        "<benchmarks>/figures/training.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("reporting"),
    message:
        "Drawing the training logs"
    shell:
        "fplbench training-figure {output:q} {input.logs:q} > {log:q} 2>&1"


rule cost:
    input:
        "<results>/scores.csv",
    output:
        table="<results>/cost.csv",
        figure="<results>/figures/cost.png",
    log:
        "<logs>/cost.log",
    benchmark:
        "<benchmarks>/cost.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        benchmarks=f"{CONFIG.results}/benchmarks/denoise",
        labels=LABELS,
        code=code("reporting"),
    message:
        "Comparing quality with cost"
    shell:
        "fplbench cost {output.table:q} {input:q} {params.benchmarks:q} --figure {output.figure:q} --labels {params.labels:q}"
        " > {log:q} 2>&1"


rule manifest:
    input:
        "<results>/scores.csv",
        expand("<results>/data/{dataset}/test.npy", dataset=CONFIG.datasets),
        expand("<results>/models/{dataset}/restoration.safetensors", dataset=CONFIG.datasets if CONFIG.explains else []),
    output:
        "<results>/run.json",
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        config=as_json(CONFIG.model_dump(mode="json")),
        seed=CONFIG.seed,
    message:
        "Writing down what the run was made with"
    shell:
        "fplbench manifest {output:q} {input:q} --config {params.config:q} --seed {params.seed} > {log:q} 2>&1"


rule report:
    input:
        scores="<results>/scores.csv",
        run="<results>/run.json",
        figures=[f"<results>/figures/{name}.png" for name in FIGURES],
    output:
        "<results>/report.html",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        labels=LABELS,
        code=code("reporting"),
        figures=lambda wildcards, input: as_json({path: caption for path, caption in zip(input.figures, FIGURES.values())}),
        notes=as_json({dataset: CONFIG.note_of(dataset) for dataset in CONFIG.datasets}),
        note=CONFIG.note,
        seed=CONFIG.seed,
    message:
        "Writing the report"
    shell:
        "fplbench report {output:q} {input.scores:q} --run {input.run:q} --figures {params.figures:q}"
        " --notes {params.notes:q} --note={params.note:q} --labels {params.labels:q} --seed {params.seed} > {log:q} 2>&1"
