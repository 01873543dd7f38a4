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
        numerics=NUMERICS,
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
        networks=networks_by_role,
        explanations=as_json(ALIGNED),
        code=[code_hash("fplbench.explaining.alignment"), code_of_features(options["feature"] for options in ALIGNED.values())],
    message:
        "Looking where the descent of each loss points on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench align {input.denoiser:q} {input.clean:q} {input.noisy:q} {params.networks:q} --explanations {params.explanations:q}"
        " --out {output.table:q} --figure {output.figure:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


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


rule apply_ablation:
    input:
        weights=weights_of_stage,
        noisy=scored_noisy("{images}"),
        inserted=scored_noisy("inserted_{images}"),
    output:
        stacks=temp(directory("<results>/ablation/{stage}/denoised/{dataset}/{noise}")),
        cost="<results>/ablation/{stage}/cost/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{stage}/denoise/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{stage}/denoise/{dataset}/{noise}.tsv"
    resources:
        **needs("apply_ablation"),
        gpu=1,
    params:
        device=device,
        methods=runs_as_methods,
        inserted=lambda wildcards, input: [f"--inserted={path}" for path in input.inserted],
        numerics=NUMERICS,
        code=code_of(METHODS["fpl"].function, "fplbench.denoising.groups"),
    message:
        "Denoising {wildcards.noise} of {wildcards.dataset} with all variants, {wildcards.stage}"
    shell:
        "fplbench denoise-group {input.noisy:q} {output.stacks:q} --methods {params.methods:q} --cost {output.cost:q}"
        " {params.inserted:q} --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule score_ablation:
    input:
        clean=scored_clean("{images}"),
        inserted=scored_clean("inserted_{images}"),
        denoised="<results>/ablation/{stage}/denoised/{dataset}/{noise}",
        chosen=lambda wildcards: chosen_for(wildcards.stage),
        judge="<results>/models/{dataset}/restoration-2.safetensors",
    output:
        scores="<results>/ablation/{stage}/scores/{dataset}/{noise}.csv",
        lesions="<results>/ablation/{stage}/lesion_scores/{dataset}/{noise}.csv",
        features="<results>/ablation/{stage}/feature_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/ablation/{stage}/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/{stage}/score/{dataset}/{noise}.tsv"
    resources:
        **needs("score_ablation"),
        gpu=1,
    params:
        device=device,
        stacks=lambda wildcards, input: [f"{input.denoised}/{run}.npy" for run in runs_of_stage(wildcards.stage, wildcards.noise)],
        inserted=lambda wildcards, input: [
            *(f"--inserted-clean={path}" for path in input.inserted[:1]),
            *(
                f"--inserted={input.denoised}/{run}_inserted.npy"
                for run in runs_of_stage(wildcards.stage, wildcards.noise)
                if input.inserted
            ),
        ],
        metrics=METRICS,
        explanation=as_json(EXPLANATIONS["default"]),
        code=[METRICS_CODE, code_of_explanation("default"), code_hash("fplbench.scoring.features")],
    message:
        "Scoring the ablation on {wildcards.noise} of {wildcards.dataset}, {wildcards.stage}"
    shell:
        "fplbench score {input.clean[0]:q} {output.scores:q} {params.stacks:q} --lesion-scores {output.lesions:q} {params.inserted:q}"
        " {params.metrics:q} --threads {threads} > {log:q} 2>&1"
        " && fplbench feature-scores {input.judge:q} {input.clean[0]:q} {output.features:q} {params.stacks:q}"
        " --explanation {params.explanation:q} --device {params.device} --threads {threads} >> {log:q} 2>&1"


rule observe_ablation:
    input:
        weights=weights_of_stage,
        signals="<results>/detectability/{dataset}/signals.csv",
        clean=expand("<results>/detectability/{{dataset}}/{kind}.npy", kind=["absent", "present"]),
        noisy=expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.npy", kind=["absent", "present"]),
        indices=expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.csv", kind=["absent", "present"]),
    output:
        stacks=temp(directory("<results>/ablation/observed/{dataset}/{noise}")),
        scores="<results>/ablation/test/detectability/{dataset}/{noise}.csv",
        spectra="<results>/ablation/test/detectability/{dataset}/{noise}_spectra.csv",
    log:
        "<logs>/ablation/observe/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/ablation/observe/{dataset}/{noise}.tsv"
    resources:
        **needs("observe_ablation"),
        gpu=1,
    params:
        device=device,
        methods=runs_as_methods,
        noisy=lambda wildcards, input: Path(input.noisy[0]).parent,
        folder=lambda wildcards, input: Path(input.signals).parent,
        options=as_json(CONFIG.detectability.observer),
        seed=CONFIG.seed,
        code=code_hash("fplbench.scoring.observer_cells"),
    message:
        "Detecting signals in {wildcards.noise} of {wildcards.dataset} with all variants"
    shell:
        "fplbench denoise-signals {params.noisy:q} {output.stacks:q} --methods {params.methods:q} --device {params.device}"
        " --threads {threads} > {log:q} 2>&1 && fplbench observe {params.folder:q} {output.scores:q} {output.spectra:q}"
        " {output.stacks:q}/*/*.npy --options {params.options:q} --seed {params.seed} >> {log:q} 2>&1"


rule ablation_table:
    input:
        scores=ablation_tables(["scores", "feature_scores", "lesion_scores"]),
        detectability=ablation_tables("detectability", ["test"], CONFIG.detectability.of(ABLATION.datasets)),
        alignment=expand("<results>/ablation/alignment/{dataset}/{noise}.csv", **SCREENED_CELLS) if ALIGNED else [],
        chosen=[
            *(["<results>/ablation/aligned.json"] if ABLATION.least_cosine is not None else []),
            *(["<results>/ablation/screened.json"] if ABLATION.keep is not None else []),
        ],
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=ABLATION.datasets),
        config=RESOLVED,
    output:
        table="<results>/ablation/ablation.csv",
        text=report(
            "<results>/ablation/ablation.md",
            caption="../report/ablation.rst",
            category="Ablation",
            labels={"Data set": "all", "Result": "What the feature preserving loss buys"},
        ),
        figures=expand("<results>/ablation/ablation_{dataset}.png", dataset=ABLATION.datasets),
    log:
        "<logs>/ablation/table.log",
    benchmark:
        "<benchmarks>/ablation/table.tsv"
    resources:
        **needs("ablation_table"),
    params:
        folder=subpath(output.table, parent=True),
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        control=ABLATION_CONTROL,
        code=code_hash("fplbench.reporting.ablation"),
        shown=shown,
    message:
        "Writing the ablation"
    shell:
        "fplbench ablation {params.folder:q} --control {params.control} --config {input.config:q} --data {params.data:q}"
        " > {log:q} 2>&1"


rule compare_explanations:
    input:
        networks=[f"<results>/models/{{dataset}}/{name}.safetensors" for name in ("restoration", "lesion")],
        clean=f"{DRAWN}/data/{{dataset}}/test.npy",
        denoised=expand("<results>/ablation/test/denoised/{{dataset}}/{noise}", noise=ABLATION.noises),
        noisy=expand(f"{DRAWN}/noisy/{{{{dataset}}}}/{{noise}}/test.npy", noise=ABLATION.noises),
    output:
        table="<results>/ablation/explanations/{dataset}.csv",
        figure="<results>/ablation/explanations/{dataset}.png",
    log:
        "<logs>/ablation/explanations/{dataset}.log",
    benchmark:
        "<benchmarks>/ablation/explanations/{dataset}.tsv"
    resources:
        **needs("compare_explanations"),
        gpu=1,
    params:
        device=device,
        networks=networks_by_role,
        noisy=lambda wildcards, input: [f"--noisy={noise}={path}" for noise, path in zip(ABLATION.noises, input.noisy)],
        denoised=lambda wildcards, input: [
            f"--denoised={noise}={path}/{ABLATION_CONTROL}-{ABLATION.seeds[0]}.npy"
            for noise, path in zip(ABLATION.noises, input.denoised)
        ],
        explanations=as_json(COMPARED),
        code=[
            code_hash("fplbench.explaining.sensitivity", "fplbench.reporting.sensitivity_figure"),
            code_of_features(options.get("feature", "guided") for options in COMPARED.values()),
        ],
    message:
        "Comparing how much noise changes the maps of explanations on {wildcards.dataset}"
    shell:
        "fplbench compare-explanations {input.clean:q} {params.noisy:q} {params.denoised:q} {params.networks:q}"
        " --explanations {params.explanations:q} --out {output.table:q} --figure {output.figure:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


use rule feature_figure as ablation_feature_figure with:
    input:
        clean=f"{DRAWN}/data/{{dataset}}/test.npy",
        lesions=expand(f"{DRAWN}/data/{{{{dataset}}}}/test_lesions.{{kind}}", kind=["npy", "csv"]),
        noisy=f"{DRAWN}/noisy/{{dataset}}/{ABLATION_NOISE}/test.npy",
        stacks=f"<results>/ablation/test/denoised/{{dataset}}/{ABLATION_NOISE}",
        restoration="<results>/models/{dataset}/restoration.safetensors",
        lesion="<results>/models/{dataset}/lesion.safetensors",
        config=RESOLVED,
        chosen=lambda wildcards: chosen_for("test"),
    output:
        "<results>/ablation/features_{dataset}.png",
    log:
        "<logs>/ablation/features_{dataset}.log",
    benchmark:
        "<benchmarks>/ablation/features_{dataset}.tsv"
    resources:
        **needs("ablation_feature_figure"),
        gpu=1,
    params:
        device=device,
        code=code_hash("fplbench.reporting.explainability"),
        denoised=lambda wildcards, input: [
            f"{input.stacks}/{run}.npy" for run in runs_of_stage("test", ABLATION_NOISE) if run.endswith(f"-{ABLATION.seeds[0]}")
        ],
        lesion=lambda wildcards, input: [f"--lesion={input.lesion}"],
        shown=shown,
    message:
        "Drawing the feature maps of the ablation of {wildcards.dataset}"
