# What L_FP buys: the denoiser without it, with the paper's letter (ReLU, sum), and with several weights, each with several
# seeds, scored on the validation part, from which the default weight is chosen, and on the test part.
#
#   snakemake ablation

VARIANTS = CONFIG.ablation_variants()
RUNS = [f"{variant}-{seed}" for variant in VARIANTS for seed in CONFIG.ablation.seeds]
ABLATION_PARTS = ["validation", "test"]


wildcard_constraints:
    variant="|".join(map(re.escape, VARIANTS)),
    seed=r"\d+",
    part="|".join(ABLATION_PARTS),


rule ablation:
    input:
        expand("<results>/ablation/{part}/ablation.md", part=ABLATION_PARTS),


use rule explain_clean_images as explain_for_ablation with:
    output:
        maps="<results>/ablation/features/{dataset}/letter.npy",
        record="<results>/ablation/features/{dataset}/letter.json",
    log:
        "<logs>/ablation/features/{dataset}.log",
    benchmark:
        "<benchmarks>/ablation/features/{dataset}.tsv"
    params:
        device=device,
        explanation=as_json(VARIANTS["letter"].explanation),


use rule train_denoiser as train_ablation with:
    input:
        clean="<results>/data/{dataset}/train.npy",
        noisy="<results>/noisy/{dataset}/{noise}/train.npy",
        restoration="<results>/models/{dataset}/restoration.safetensors",
        features=lambda wildcards: (
            "<results>/ablation/features/{dataset}/letter.npy"
            if wildcards.variant == "letter"
            else "<results>/features/{dataset}/train.npy"
        ),
    output:
        weights="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.safetensors",
        log="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.csv",
    log:
        "<logs>/ablation/models/{dataset}/{noise}/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/ablation/models/{dataset}/{noise}/{variant}-{seed}.tsv"
    params:
        device=device,
        options=lambda wildcards: as_json(VARIANTS[wildcards.variant].denoiser),
        explanation=lambda wildcards: as_json(VARIANTS[wildcards.variant].explanation),
        seed=lambda wildcards: wildcards.seed,
        version=TRAINING_VERSION,
    message:
        "Training {wildcards.variant} on {wildcards.noise} of {wildcards.dataset} with seed {wildcards.seed}"


rule apply_ablation:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/{part}.npy",
        weights="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.safetensors",
    output:
        stack=DENOISED("<results>/ablation/{part}/denoised/{dataset}/{noise}/{variant}-{seed}.npy"),
        index="<results>/ablation/{part}/denoised/{dataset}/{noise}/{variant}-{seed}.csv",
    log:
        "<logs>/ablation/{part}/denoised/{dataset}/{noise}/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/ablation/{part}/denoised/{dataset}/{noise}/{variant}-{seed}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=4000,
    params:
        device=device,
        code=method_code("fpl"),
    message:
        "Denoising {wildcards.noise} of {wildcards.dataset} with {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "fplbench denoise fpl {input.noisy:q} {output.stack:q} --weights {input.weights:q} --device {params.device}"
        " --threads {threads} > {log:q} 2>&1"


use rule score as score_ablation with:
    input:
        clean="<results>/data/{dataset}/{part}.npy",
        denoised=expand("<results>/ablation/{{part}}/denoised/{{dataset}}/{{noise}}/{run}.npy", run=RUNS),
    output:
        expand("<results>/ablation/{{part}}/scores/{{dataset}}/{{noise}}/{run}.csv", run=RUNS),
    log:
        "<logs>/ablation/{part}/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{part}/score/{dataset}/{noise}.tsv"
    params:
        folder=subpath(output[0], parent=True),
        maker="apply_ablation",
        code=code("scoring.py"),
    message:
        "Scoring the ablation on {wildcards.noise} of {wildcards.dataset}, {wildcards.part} part"


use rule score_features as score_ablation_features with:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/{part}.npy",
        denoised=expand("<results>/ablation/{{part}}/denoised/{{dataset}}/{{noise}}/{run}.npy", run=RUNS),
    output:
        "<results>/ablation/{part}/feature_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{part}/feature_scores/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{part}/feature_scores/{dataset}/{noise}.tsv"


use rule collate as collate_ablation with:
    input:
        scores=expand(
            "<results>/ablation/{{part}}/scores/{dataset}/{noise}/{run}.csv",
            dataset=CONFIG.datasets,
            noise=CONFIG.ablation.noises,
            run=RUNS,
        ),
        feature_scores=expand(
            "<results>/ablation/{{part}}/feature_scores/{dataset}/{noise}.csv",
            dataset=CONFIG.datasets,
            noise=CONFIG.ablation.noises,
        ),
    output:
        "<results>/ablation/{part}/scores.csv",
    log:
        "<logs>/ablation/{part}/collate.log",
    benchmark:
        "<benchmarks>/ablation/{part}/collate.tsv"
    message:
        "Collating the ablation on the {wildcards.part} part"


rule ablation_table:
    input:
        "<results>/ablation/{part}/scores.csv",
    output:
        table="<results>/ablation/{part}/ablation.csv",
        text="<results>/ablation/{part}/ablation.md",
        figures=expand("<results>/ablation/{{part}}/ablation_{dataset}.png", dataset=CONFIG.datasets),
    log:
        "<logs>/ablation/{part}/table.log",
    benchmark:
        "<benchmarks>/ablation/{part}/table.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        folder=subpath(output.table, parent=True),
        seed=CONFIG.seed,
        code=code("reporting"),
    message:
        "Writing the ablation on the {wildcards.part} part"
    shell:
        "fplbench ablation {input:q} --out-dir {params.folder:q} --control residual --seed {params.seed} > {log:q} 2>&1"
