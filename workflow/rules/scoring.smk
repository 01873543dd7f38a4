# Clean and denoised stack -> one row an image; all rows -> scores.csv.

SCORES = expand("<results>/scores/{{dataset}}/{noise}/{method}.csv", noise=CONFIG.noises, method=CONFIG.columns)
FEATURE_SCORES = expand("<results>/feature_scores/{{dataset}}/{noise}.csv", noise=CONFIG.feature_error)


rule score:
    input:
        clean="<results>/data/{dataset}/test.npy",
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{method}.npy", method=CONFIG.columns),
    output:
        expand("<results>/scores/{{dataset}}/{{noise}}/{method}.csv", method=CONFIG.columns),
    log:
        "<logs>/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/score/{dataset}/{noise}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        folder=subpath(output[0], parent=True),
        maker=lambda wildcards: "denoise_{method}",
        code=code("scoring.py"),
    message:
        "Scoring all methods on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench score {input.clean:q} {params.folder:q} {input.denoised:q} --rule {params.maker:q} > {log:q} 2>&1"


rule score_features:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/test.npy",
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{method}.npy", method=CONFIG.columns),
        # A stack that is wrong is refused there, with the rule that made it.
        scored=expand("<results>/scores/{{dataset}}/{{noise}}/{method}.csv", method=CONFIG.columns),
    output:
        "<results>/feature_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/feature_scores/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/feature_scores/{dataset}/{noise}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=8000,
    params:
        device=device,
        explanation=EXPLANATION,
        version=TRAINING_VERSION,
    message:
        "Comparing features on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench feature-scores {input.restoration:q} {input.clean:q} {output:q} {input.denoised:q}"
        " --explanation {params.explanation:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule collate_dataset:
    input:
        scores=SCORES,
        feature_scores=FEATURE_SCORES,
    output:
        "<results>/scores/{dataset}.csv",
    log:
        "<logs>/collate/{dataset}.log",
    benchmark:
        "<benchmarks>/collate/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("reporting/scores.py"),
        features=lambda wildcards, input: [f"--feature-scores={path}" for path in input.feature_scores],
    message:
        "Collating the scores of {wildcards.dataset}"
    shell:
        "fplbench collate {output:q} {input.scores:q} {params.features:q} > {log:q} 2>&1"


rule collate:
    input:
        scores=expand(SCORES, dataset=CONFIG.datasets),
        feature_scores=expand(FEATURE_SCORES, dataset=CONFIG.datasets),
    output:
        "<results>/scores.csv",
    log:
        "<logs>/collate/all.log",
    benchmark:
        "<benchmarks>/collate/all.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("reporting/scores.py"),
        features=lambda wildcards, input: [f"--feature-scores={path}" for path in input.feature_scores],
    message:
        "Collating all scores"
    shell:
        "fplbench collate {output:q} {input.scores:q} {params.features:q} > {log:q} 2>&1"
