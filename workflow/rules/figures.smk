# Stacks, scores and training logs -> figures.

FIRST_DATASET = next(iter(CONFIG.datasets))
FIGURES = figure_captions(CONFIG)
GREY_MAPPED = [name for name, column in CONFIG.columns.items() if column.grey_map]


rule figure:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        noisy=one_noise("<results>/noisy/{dataset}/{noise}/test.npy"),
        denoised=one_noise("<results>/denoised/{dataset}/{noise}/{method}.npy", method=figure_methods(CONFIG)),
        restoration=["<results>/models/{dataset}/restoration.safetensors"] if CONFIG.explains else [],
        config=RESOLVED,
        scored=one_noise("<results>/scores/{dataset}/{noise}.csv"),
    output:
        picture=report(
            "<results>/figures/{dataset}.png",
            caption="../report/example_figure.rst",
            category="Figures",
            subcategory="Images",
            labels=in_report(Figure="One test image"),
        ),
        pdf="<results>/figures/{dataset}.pdf",
    log:
        "<logs>/figures/{dataset}.log",
    benchmark:
        "<benchmarks>/figures/{dataset}.tsv"
    priority: USES_DENOISED
    resources:
        **needs("figure"),
        gpu=int(CONFIG.explains),
    params:
        device=device,
        code=code_hash("fplbench.reporting.figures"),
        restoration=lambda wildcards, input: [f"--restoration={path}" for path in input.get("restoration", [])],
        shown=shown,
    message:
        "Drawing the figure of {wildcards.dataset}"
    shell:
        "fplbench figure {output.picture:q} {input.clean:q} {input.noisy:q} {input.denoised:q} {params.restoration:q}"
        " --config {input.config:q} --dataset {wildcards.dataset} --device {params.device} --also {output.pdf:q}"
        " > {log:q} 2>&1"


rule feature_figure:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        noisy=one_noise("<results>/noisy/{dataset}/{noise}/test.npy"),
        denoised=one_noise("<results>/denoised/{dataset}/{noise}/{method}.npy", method=denoisers(CONFIG)),
        restoration="<results>/models/{dataset}/restoration.safetensors",
        config=RESOLVED,
        scored=one_noise("<results>/scores/{dataset}/{noise}.csv"),
    output:
        report(
            "<results>/figures/{dataset}_features.png",
            caption="../report/feature_figure.rst",
            category="Figures",
            subcategory="Images",
            labels=in_report(Figure="Feature maps of one test image"),
        ),
    log:
        "<logs>/figures/{dataset}_features.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_features.tsv"
    priority: USES_DENOISED
    resources:
        **needs("feature_figure"),
        gpu=1,
    params:
        device=device,
        code=code_hash("fplbench.reporting.explainability"),
        denoised=lambda wildcards, input: input.denoised,
        lesion=[],
        shown=shown,
    message:
        "Drawing the feature maps of {wildcards.dataset}"
    shell:
        "fplbench feature-figure {output:q} {input.clean:q} {input.noisy:q} {params.denoised:q}"
        " --restoration {input.restoration:q} {params.lesion:q} --config {input.config:q} --dataset {wildcards.dataset}"
        " --device {params.device} > {log:q} 2>&1"


rule noise_figure:
    input:
        clean=f"<results>/data/{FIRST_DATASET}/test.npy",
        lesions=expand(f"<results>/data/{FIRST_DATASET}/test_lesions.{{kind}}", kind=["npy", "csv"]),
        noisy=expand(f"<results>/noisy/{FIRST_DATASET}/{{noise}}/test.npy", noise=CONFIG.noises_of(FIRST_DATASET)),
        config=RESOLVED,
    output:
        report(
            "<results>/figures/noises.png",
            caption="../report/noise_figure.rst",
            category="Figures",
            subcategory="Noises",
            labels={"Data set": labels_of(CONFIG).dataset(FIRST_DATASET), "Figure": "Every noise on one test image"},
        ),
    log:
        "<logs>/figures/noises.log",
    benchmark:
        "<benchmarks>/figures/noises.tsv"
    resources:
        **needs("noise_figure"),
    params:
        code=code_hash("fplbench.reporting.noise_figure"),
        dataset=FIRST_DATASET,
        shown=str(presentation(CONFIG, FIRST_DATASET)),
    message:
        "Drawing the figure of the noises"
    shell:
        "fplbench noise-figure {output:q} {input.clean:q} {input.noisy:q} --config {input.config:q}"
        " --dataset {params.dataset} > {log:q} 2>&1"


rule grey_map_figure:
    input:
        maps=of_dataset("<results>/tuned/{dataset}/{noise}/{name}_grey_map.json", name=GREY_MAPPED),
        config=RESOLVED,
    output:
        report(
            "<results>/figures/{dataset}_grey_maps.png",
            caption="../report/grey_map_figure.rst",
            category="Figures",
            subcategory="Training and cost",
            labels=in_report(Figure="Grey maps"),
        ),
    log:
        "<logs>/figures/{dataset}_grey_maps.log",
    benchmark:
        "<benchmarks>/figures/{dataset}_grey_maps.tsv"
    resources:
        **needs("grey_map_figure"),
    params:
        code=code_hash("fplbench.reporting.grey_map_figure"),
        folders=lambda wildcards, input: [*dict.fromkeys(str(Path(path).parent) for path in input.maps)],
        shown=shown,
    message:
        "Drawing the grey maps of {wildcards.dataset}"
    shell:
        "fplbench grey-map-figure {output:q} {params.folders:q} --config {input.config:q} --dataset {wildcards.dataset}"
        " > {log:q} 2>&1"


rule training_figure:
    input:
        logs=[f"<results>/models/{dataset}/{CONFIG.figure_noise(dataset)}/fpl.csv" for dataset in CONFIG.datasets],
        config=RESOLVED,
    output:
        report(
            "<results>/figures/training.png",
            caption="../report/training_figure.rst",
            category="Figures",
            subcategory="Training and cost",
            labels={"Data set": "all", "Figure": "Training"},
        ),
    log:
        "<logs>/figures/training.log",
    benchmark:
        "<benchmarks>/figures/training.tsv"
    resources:
        **needs("training_figure"),
    params:
        code=code_hash("fplbench.reporting.training"),
        shown=shown,
    message:
        "Drawing the training logs"
    shell:
        "fplbench training-figure {output:q} {input.logs:q} --config {input.config:q} > {log:q} 2>&1"


rule heat_map:
    input:
        scores="<results>/scores.csv",
        config=RESOLVED,
    output:
        report(
            "<results>/figures/heat_map.png",
            caption="../report/heat_map.rst",
            category="Figures",
            subcategory="All methods",
            labels={"Data set": "all", "Figure": "Gains"},
        ),
    log:
        "<logs>/figures/heat_map.log",
    benchmark:
        "<benchmarks>/figures/heat_map.tsv"
    resources:
        **needs("heat_map"),
    params:
        code=code_hash("fplbench.reporting.heat_map"),
        shown=shown,
    message:
        "Drawing the gains of all methods"
    shell:
        "fplbench heat-map {output:q} {input.scores:q} --config {input.config:q} > {log:q} 2>&1"


rule rank_figure:
    input:
        scores="<results>/scores.csv",
        config=RESOLVED,
    output:
        report(
            "<results>/figures/ranks.png",
            caption="../report/rank_figure.rst",
            category="Figures",
            subcategory="All methods",
            labels={"Data set": "all", "Figure": "Ranks"},
        ),
    log:
        "<logs>/figures/ranks.log",
    benchmark:
        "<benchmarks>/figures/ranks.tsv"
    resources:
        **needs("rank_figure"),
    params:
        code=code_hash("fplbench.reporting.ranks"),
        shown=shown,
    message:
        "Drawing the ranks of all methods"
    shell:
        "fplbench rank-figure {output:q} {input.scores:q} --config {input.config:q} > {log:q} 2>&1"
