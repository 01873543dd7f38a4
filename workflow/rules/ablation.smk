# Whether the feature preserving loss preserves features: variants of FPL's training and controls, judged on lesions and images.
#
#   snakemake ablation
#
# All variants train on the same images, copies with inserted lesions among them. In halves: those that compare features are first
# looked at for alignment, the others are trained with one seed and screened on validation images, and the best with all seeds.


wildcard_constraints:
    variant="|".join(map(re.escape, VARIANTS)),
    seed=r"\d+",
    stage="screening|validation|test",


rule ablation:
    input:
        with_noises(
            "ablation.noises",
            ABLATION.noises,
            [
                "<results>/ablation/ablation.md",
                *expand("<results>/ablation/explanations/{dataset}.csv", dataset=ABLATION.datasets),
                *expand("<results>/ablation/features_{dataset}.png", dataset=ABLATION.datasets),
            ],
        ),


use rule explain_clean_images as explain_for_ablation with:
    input:
        network=lambda wildcards: network_of(wildcards.explanation),
        clean="<results>/data/{dataset}/joined_train.npy",
        lesions=expand("<results>/data/{{dataset}}/joined_train_lesions.{kind}", kind=["npy", "csv"]),
    output:
        maps="<results>/ablation/features/{dataset}/{explanation}/train.npy",
        record="<results>/ablation/features/{dataset}/{explanation}/train.json",
    log:
        "<logs>/ablation/features/{dataset}/{explanation}.log",
    benchmark:
        "<benchmarks>/ablation/features/{dataset}/{explanation}.tsv"
    resources:
        **needs("explain_for_ablation"),
        gpu=1,
    message:
        "Explaining the images of the ablation of {wildcards.dataset}: {wildcards.explanation}"


use rule train_fpl as train_ablation with:
    input:
        **JOINED_INPUTS,
        explained=explained_by,
        features=features_of,
    output:
        weights="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.safetensors",
        log="<results>/ablation/models/{dataset}/{noise}/{variant}-{seed}.csv",
    log:
        "<logs>/ablation/models/{dataset}/{noise}/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/ablation/models/{dataset}/{noise}/{variant}-{seed}.tsv"
    resources:
        **needs("train_ablation"),
        gpu=1,
    params:
        device=device,
        training="fpl",
        inputs=training_arguments,
        options=lambda wildcards: as_json(VARIANTS[wildcards.variant].fpl),
        numerics=TRAINING_NUMERICS,
        seed=lambda wildcards: wildcards.seed,
        version=TRAINING_VERSION,
    message:
        "Training {wildcards.variant} on {wildcards.noise} of {wildcards.dataset} with seed {wildcards.seed}"


rule align_cell:
    input:
        denoiser=f"<results>/ablation/models/{{dataset}}/{{noise}}/residual_same_steps-{ABLATION.seeds[0]}.safetensors",
        clean="<results>/data/{dataset}/joined_validation.npy",
        noisy="<results>/noisy/{dataset}/{noise}/joined_validation.npy",
        networks=lambda wildcards: sorted({path for name in ALIGNED for path in network_of(name)}),
    output:
        table="<results>/ablation/alignment/{dataset}/{noise}.csv",
        figure="<results>/ablation/alignment/{dataset}/{noise}.png",
    log:
        "<logs>/ablation/alignment/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/alignment/{dataset}/{noise}.tsv"
    resources:
        **needs("align_cell"),
        gpu=1,
    params:
        device=device,
        numerics=NUMERICS,
        networks=networks_by_role,
        explanations=as_json(ALIGNED),
        code=[code_hash("fplbench.explaining.alignment"), code_of_features(options["feature"] for options in ALIGNED.values())],
    message:
        "Looking where the descent of each loss points on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench align {input.denoiser:q} {input.clean:q} {input.noisy:q} {params.networks:q} --explanations {params.explanations:q}"
        " --out {output.table:q} --figure {output.figure:q} --numerics {params.numerics:q} --device {params.device}"
        " --threads {threads} > {log:q} 2>&1"


checkpoint align_variants:
    input:
        expand("<results>/ablation/alignment/{dataset}/{noise}.csv", **SCREENED_CELLS),
    output:
        "<results>/ablation/aligned.json",
    log:
        "<logs>/ablation/aligned.log",
    benchmark:
        "<benchmarks>/ablation/aligned.tsv"
    resources:
        **needs("align_variants"),
    params:
        variants=as_json({name: variant.explanation_name if variant.compares else "" for name, variant in VARIANTS.items()}),
        controls=[f"--control={name}" for name in [*ABLATION_CONTROLS, AS_PUBLISHED]],
        least=ABLATION.least_cosine if ABLATION.least_cosine is not None else -1,
        code=code_hash("fplbench.reporting.screening"),
    message:
        "Choosing the variants whose loss points at the clean image"
    shell:
        "fplbench align-variants {output:q} {input:q} --variants {params.variants:q} {params.controls:q}"
        " --least-cosine {params.least} > {log:q} 2>&1"


checkpoint screen_variants:
    input:
        scores=expand("<results>/ablation/screening/scores/{dataset}/{noise}.csv", **SCREENED_CELLS),
        lesion_scores=expand("<results>/ablation/screening/lesion_scores/{dataset}/{noise}.csv", **SCREENED_CELLS),
    output:
        "<results>/ablation/screened.json",
    log:
        "<logs>/ablation/screened.log",
    benchmark:
        "<benchmarks>/ablation/screened.tsv"
    resources:
        **needs("screen_variants"),
    params:
        lesion_scores=lambda wildcards, input: [f"--lesion-scores={path}" for path in input.lesion_scores],
        controls=[f"--control={name}" for name in ABLATION_CONTROLS],
        forms=[f"--form={name}" for name, variant in VARIANTS.items() if variant.is_form and name not in CONTROLS],
        keep=ABLATION.keep or len(VARIANTS),
        loss=ABLATION.largest_loss,
        code=code_hash("fplbench.reporting.screening"),
    message:
        "Choosing the variants that are trained with all seeds"
    shell:
        "fplbench screen-variants {output:q} {input.scores:q} {params.lesion_scores:q} {params.controls:q} {params.forms:q} --keep {params.keep}"
        " --largest-loss {params.loss} > {log:q} 2>&1"
