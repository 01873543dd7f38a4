# Scores and stacks -> the paper beside the run, and the explorer: pages to look at.


rule paper_comparison:
    input:
        scores="<results>/scores/{dataset}.csv",
        config=RESOLVED,
    output:
        text="<results>/paper/{dataset}.md",
        table="<results>/paper/{dataset}.csv",
        page=report(
            "<results>/paper/{dataset}.html",
            caption="../report/paper.rst",
            category="The paper",
            labels=in_report(Table="The paper beside this run"),
        ),
        figure=report(
            "<results>/figures/{dataset}_paper.png",
            caption="../report/paper_figure.rst",
            category="Figures",
            subcategory="The paper",
            labels=in_report(Figure="The paper beside this run"),
        ),
    log:
        "<logs>/paper/{dataset}.log",
    benchmark:
        "<benchmarks>/paper/{dataset}.tsv"
    resources:
        **needs("paper_comparison"),
    params:
        code=code_hash("fplbench.reporting.paper"),
        shown=shown,
    message:
        "Comparing {wildcards.dataset} with the paper"
    shell:
        "fplbench paper-comparison {output.text:q} {input.scores:q} {wildcards.dataset} --figure {output.figure:q}"
        " --config {input.config:q} > {log:q} 2>&1"


rule keep_shown_images:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}.npy", name=CONFIG.columns),
        scored="<results>/scores/{dataset}/{noise}.csv",
    output:
        stacks=expand("<results>/shown/{{dataset}}/{{noise}}/{name}.npy", name=CONFIG.columns),
        indices=expand("<results>/shown/{{dataset}}/{{noise}}/{name}.csv", name=CONFIG.columns),
    log:
        "<logs>/shown/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/shown/{dataset}/{noise}.tsv"
    priority: USES_DENOISED
    resources:
        **needs("keep_shown_images"),
    params:
        code=code_hash("fplbench.reporting.shown"),
        folder=subpath(output[0], parent=True),
        images=CONFIG.explorer.images,
    message:
        "Keeping the images of {wildcards.noise} of {wildcards.dataset} that pages show"
    shell:
        "fplbench keep-shown {params.folder:q} {input.clean:q} {input.denoised:q} --images {params.images} > {log:q} 2>&1"


rule explorer:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        noisy=of_dataset("<results>/noisy/{dataset}/{noise}/test.npy"),
        denoised=of_dataset(f"<results>/{SHOWN}/{{dataset}}/{{noise}}/{{name}}.npy", name=CONFIG.columns),
        features=of_dataset("<results>/feature_maps/{dataset}/{noise}.npz", CONFIG.feature_error),
        scores="<results>/scores/{dataset}.csv",
        table="<results>/tables/{dataset}.csv",
        lesion_scores=of_dataset("<results>/lesion_scores/{dataset}/{noise}.csv"),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        report(
            "<results>/explorer/{dataset}.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels=in_report(Page="Explorer"),
        ),
    log:
        "<logs>/explorer/{dataset}.log",
    benchmark:
        "<benchmarks>/explorer/{dataset}.tsv"
    resources:
        **needs("explorer"),
    params:
        code=code_hash("fplbench.reporting.explorer.page", "fplbench.reporting.web"),
        noisy=lambda wildcards, input: Path(input.noisy[0]).parents[1],
        denoised=lambda wildcards, input: Path(input.denoised[0]).parents[1],
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parent,
        licence=lambda wildcards: sharing_note(CONFIG, wildcards.dataset),
        features=lambda wildcards, input: [f"--features={Path(path).parent}" for path in input.get("features", [])[:1]],
        shown=shown,
        images=CONFIG.explorer.images,
    message:
        "Writing the explorer of {wildcards.dataset}"
    shell:
        "fplbench explorer {output:q} {input.clean:q} {input.scores:q} --dataset {wildcards.dataset} --noisy {params.noisy:q}"
        " --denoised {params.denoised:q} {params.features:q} --means {input.table:q}"
        " --lesion-scores {params.lesion_scores:q} --config {input.config:q}"
        " > {log:q} 2>&1"
