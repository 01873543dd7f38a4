# What L_FP buys: the denoiser without it, as published (ReLU, sum), and with several feature weights, each with several seeds,
# scored on the validation images, from which the default weight is chosen, and on the test images.
#
#   snakemake ablation

VARIANTS = CONFIG.ablation_variants()
RUNS = [f"{variant}-{seed}" for variant in VARIANTS for seed in CONFIG.ablation.seeds]
ABLATION_SPLITS = ["validation", "test"]
EXPLANATIONS["as_published"] = VARIANTS["as_published"].explanation


wildcard_constraints:
    variant="|".join(map(re.escape, VARIANTS)),
    seed=r"\d+",


rule ablation:
    input:
        with_noises(
            "ablation.noises", CONFIG.ablation.noises, expand("<results>/ablation/{split}/ablation.md", split=ABLATION_SPLITS)
        ),


use rule train_fpl as train_ablation with:
    input:
        **{name: path for name, path in TRAINING_INPUTS.items() if name not in ("restoration", "features")},
        restoration=lambda wildcards: [] if wildcards.variant == "residual" else TRAINING_INPUTS["restoration"],
        features=lambda wildcards: {
            "residual": [],
            "as_published": "<results>/features/{dataset}/as_published/train.npy",
        }.get(wildcards.variant, TRAINING_INPUTS["features"]),
    output:
        weights="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.safetensors",
        log="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.csv",
    log:
        "<logs>/ablation/models/{dataset}/{noise}/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/ablation/models/{dataset}/{noise}/{variant}-{seed}.tsv"
    params:
        device=device,
        training="fpl",
        inputs=training_arguments,
        options=lambda wildcards: as_json(VARIANTS[wildcards.variant].fpl),
        numerics=NUMERICS,
        seed=lambda wildcards: wildcards.seed,
        version=TRAINING_VERSION,
    message:
        "Training {wildcards.variant} on {wildcards.noise} of {wildcards.dataset} with seed {wildcards.seed}"


rule apply_ablation:
    input:
        **{run: f"<results>/ablation/models/{{dataset}}/{{noise}}/{run}.safetensors" for run in RUNS},
        noisy="<results>/noisy/{dataset}/{noise}/{split}.npy",
    output:
        stacks=[DENOISED(f"<results>/ablation/{{split}}/denoised/{{dataset}}/{{noise}}/{run}.npy") for run in RUNS],
        indices=[f"<results>/ablation/{{split}}/denoised/{{dataset}}/{{noise}}/{run}.csv" for run in RUNS],
        cost="<results>/ablation/{split}/cost/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{split}/denoise/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{split}/denoise/{dataset}/{noise}.tsv"
    resources:
        gpu=1,
        mem_mb=4000,
    params:
        device=device,
        folder=subpath(output[0], parent=True),
        methods=lambda wildcards, input: as_json({run: {"method": "fpl", "weights": input[run]} for run in RUNS}),
        numerics=NUMERICS,
        code=code_of(METHODS["fpl"].function, "fplbench.denoising.groups"),
    message:
        "Denoising {wildcards.noise} of {wildcards.dataset} with all variants, {wildcards.split} images"
    shell:
        "fplbench denoise-group {input.noisy:q} {params.folder:q} --methods {params.methods:q} --cost {output.cost:q}"
        " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


use rule score as score_ablation with:
    input:
        clean="<results>/data/{dataset}/{split}.npy",
        lesions=expand("<results>/data/{{dataset}}/{{split}}_lesions.{kind}", kind=["npy", "csv"]),
        denoised=expand("<results>/ablation/{{split}}/denoised/{{dataset}}/{{noise}}/{run}.npy", run=RUNS),
    output:
        scores="<results>/ablation/{split}/scores/{dataset}/{noise}.csv",
        lesions="<results>/ablation/{split}/lesion_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{split}/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{split}/score/{dataset}/{noise}.tsv"
    params:
        rules="--rule=apply_ablation",
        inserted=[],
        validation=[],
        hashes=[],
        metrics=METRICS,
        code=METRICS_CODE,
    message:
        "Scoring the ablation on {wildcards.noise} of {wildcards.dataset}, {wildcards.split} images"


use rule score_features as score_ablation_features with:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/{split}.npy",
        denoised=expand("<results>/ablation/{{split}}/denoised/{{dataset}}/{{noise}}/{run}.npy", run=RUNS),
        scored="<results>/ablation/{split}/scores/{dataset}/{noise}.csv",
    output:
        scores="<results>/ablation/{split}/feature_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{split}/feature_scores/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{split}/feature_scores/{dataset}/{noise}.tsv"
    params:
        maps=[],


use rule collate_dataset as collate_ablation with:
    input:
        scores=expand(
            "<results>/ablation/{{split}}/scores/{dataset}/{noise}.csv", dataset=CONFIG.compared, noise=CONFIG.ablation.noises
        ),
        feature_scores=expand(
            "<results>/ablation/{{split}}/feature_scores/{dataset}/{noise}.csv",
            dataset=CONFIG.compared,
            noise=CONFIG.ablation.noises,
        ),
    output:
        "<results>/ablation/{split}/scores.csv",
    log:
        "<logs>/ablation/{split}/collate.log",
    benchmark:
        "<benchmarks>/ablation/{split}/collate.tsv"
    message:
        "Collating the ablation on the {wildcards.split} images"


rule ablation_table:
    input:
        scores="<results>/ablation/{split}/scores.csv",
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=CONFIG.compared),
        config=RESOLVED,
    output:
        table="<results>/ablation/{split}/ablation.csv",
        text="<results>/ablation/{split}/ablation.md",
        figures=expand("<results>/ablation/{{split}}/ablation_{dataset}.png", dataset=CONFIG.compared),
    log:
        "<logs>/ablation/{split}/table.log",
    benchmark:
        "<benchmarks>/ablation/{split}/table.tsv"
    params:
        folder=subpath(output.table, parent=True),
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        code=code_hash("fplbench.reporting.ablation"),
        shown=shown,
    message:
        "Writing the ablation on the {wildcards.split} images"
    shell:
        "fplbench ablation {input.scores:q} --out-dir {params.folder:q} --control residual --config {input.config:q}"
        " --data {params.data:q} > {log:q} 2>&1"
