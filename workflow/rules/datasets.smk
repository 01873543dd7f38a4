# Native files -> stacks of sampled, windowed, resized 8-bit images.


rule sample_images:
    output:
        stacks=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        indices=expand("<results>/data/{{dataset}}/{split}.csv", split=SPLITS),
        summary="<results>/data/{dataset}/sampling.json",
    log:
        "<logs>/data/{dataset}.log",
    benchmark:
        "<benchmarks>/data/{dataset}.tsv"
    threads: 8
    resources:
        mem_mb=2000,
    params:
        code=lambda wildcards: code_of(DATASETS[wildcards.dataset].read_header, "fplbench.datasets.sampling"),
        folder=subpath(output.summary, parent=True),
        root=lambda wildcards: CONFIG.dataset_options(wildcards.dataset)["root"],
        options=lambda wildcards: as_json(CONFIG.dataset_options(wildcards.dataset)),
        sampling=as_json(CONFIG.sampling.model_dump(mode="json")),
        seed=CONFIG.seed,
    message:
        "Sampling images of {wildcards.dataset}"
    shell:
        "fplbench sample {wildcards.dataset} {params.folder:q} --root {params.root:q} --options {params.options:q}"
        " --sampling {params.sampling:q} --seed {params.seed} --threads {threads} > {log:q} 2>&1"
