# What the variants of the ablation are worth: denoised images, scores, the table and the figures.


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
        numerics=NUMERICS,
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
        " --explanation {params.explanation:q} --numerics {params.numerics:q} --device {params.device}"
        " --threads {threads} >> {log:q} 2>&1"


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
        numerics=NUMERICS,
        methods=runs_as_methods,
        noisy=lambda wildcards, input: Path(input.noisy[0]).parent,
        folder=lambda wildcards, input: Path(input.signals).parent,
        options=as_json(CONFIG.detectability.observer),
        seed=CONFIG.seed,
        code=code_hash("fplbench.scoring.observer_cells"),
    message:
        "Detecting signals in {wildcards.noise} of {wildcards.dataset} with all variants"
    shell:
        "fplbench denoise-signals {params.noisy:q} {output.stacks:q} --methods {params.methods:q}"
        " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"
        " && fplbench observe {params.folder:q} {output.scores:q} {output.spectra:q} {output.stacks:q}/*/*.npy"
        " --options {params.options:q} --seed {params.seed} >> {log:q} 2>&1"


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
        numerics=NUMERICS,
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
        " --explanations {params.explanations:q} --out {output.table:q} --figure {output.figure:q}"
        " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


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
