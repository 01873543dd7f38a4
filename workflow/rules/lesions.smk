# Stacks and scores of lesions -> figures of annotated and inserted lesions, and lesions.md.


rule lesion_figure:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        noisy=one_noise("<results>/noisy/{dataset}/{noise}/test.npy"),
        denoised=one_noise("<results>/denoised/{dataset}/{noise}/{method}.npy", method=denoisers(CONFIG)),
        lesion_scores=one_noise("<results>/lesion_scores/{dataset}/{noise}.csv"),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        report(
            "<results>/figures/{dataset}_lesions.png",
            caption="../report/lesion_figure.rst",
            category="Figures",
            subcategory="Lesions",
            labels=in_report(Figure="Annotated lesions"),
        ),
    log:
        "<logs>/figures/{dataset}_lesions.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_lesions.tsv"
    priority: USES_DENOISED
    resources:
        **needs("lesion_figure"),
    params:
        code=code_hash("fplbench.reporting.lesion_figure"),
        inserted=[],
        shown=shown,
    message:
        "Drawing the lesions of {wildcards.dataset}"
    shell:
        "fplbench lesion-figure {output:q} {input.clean:q} {input.noisy:q} {input.denoised:q} {params.inserted}"
        " --lesion-scores {input.lesion_scores:q} --config {input.config:q} --dataset {wildcards.dataset} > {log:q} 2>&1"


use rule lesion_figure as inserted_figure with:
    input:
        clean="<results>/data/{dataset}/inserted_test.npy",
        lesions=expand("<results>/data/{{dataset}}/inserted_test_lesions.{kind}", kind=["npy", "csv"]),
        noisy=one_noise("<results>/noisy/{dataset}/{noise}/inserted_test.npy"),
        denoised=one_noise(
            "<results>/denoised/{dataset}/{noise}/{method}_inserted.npy",
            method=[name for name in denoisers(CONFIG) if name in METHOD_STACKS],
        ),
        lesion_scores=one_noise("<results>/lesion_scores/{dataset}/{noise}.csv"),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        report(
            "<results>/figures/{dataset}_inserted.png",
            caption="../report/inserted_figure.rst",
            category="Figures",
            subcategory="Lesions",
            labels=in_report(Figure="Inserted lesions"),
        ),
    log:
        "<logs>/figures/{dataset}_inserted.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_inserted.tsv"
    params:
        code=code_hash("fplbench.reporting.lesion_figure"),
        inserted=["--inserted"],
        shown=shown,
    message:
        "Drawing inserted lesions of {wildcards.dataset}"


rule recovery_figure:
    input:
        lesion_scores=of_dataset("<results>/lesion_scores/{dataset}/{noise}.csv"),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        report(
            "<results>/figures/{dataset}_recovery.png",
            caption="../report/recovery_figure.rst",
            category="Figures",
            subcategory="Lesions",
            labels=in_report(Figure="Contrast recovery"),
        ),
    log:
        "<logs>/figures/{dataset}_recovery.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_recovery.tsv"
    resources:
        **needs("recovery_figure"),
    params:
        code=code_hash("fplbench.reporting.recovery_figure"),
        folder=lambda wildcards, input: Path(input.lesion_scores[0]).parent,
        shown=shown,
    message:
        "Drawing the contrast recovery of {wildcards.dataset}"
    shell:
        "fplbench recovery-figure {output:q} {params.folder:q} --sampling {input.sampling:q} --config {input.config:q}"
        " --dataset {wildcards.dataset} > {log:q} 2>&1"


rule lesion_summary:
    input:
        lesion_scores=of_cells("<results>/lesion_scores/{dataset}/{noise}.csv"),
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=CONFIG.datasets),
        lesions=expand("<results>/data/{dataset}/test{kind}.csv", dataset=CONFIG.datasets, kind=["", "_lesions"]),
        config=RESOLVED,
    output:
        report(
            "<results>/lesions.md",
            caption="../report/lesion_summary.rst",
            category="Tables",
            labels={"Data set": "all", "Table": "Lesions"},
        ),
    log:
        "<logs>/lesions.log",
    benchmark:
        "<benchmarks>/lesions.tsv"
    resources:
        **needs("lesion_summary"),
    params:
        code=code_hash("fplbench.reporting.lesion_summary"),
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parents[1],
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        shown=[str(presentation(CONFIG, dataset)) for dataset in CONFIG.datasets],
    message:
        "Summing up the lesions"
    shell:
        "fplbench lesion-summary {output:q} {params.lesion_scores:q} --data {params.data:q} --config {input.config:q}"
        " > {log:q} 2>&1"
