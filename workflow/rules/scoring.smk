# Clean and denoised stacks -> a row for each image and method -> scores.csv; and a row for each lesion and method.


rule score:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}.npy", name=STACKS),
        inserted_clean=where_inserted(*expand("<results>/data/{{dataset}}/inserted_test{kind}", kind=LESION_KINDS)),
        inserted=where_inserted(*expand("<results>/denoised/{{dataset}}/{{noise}}/{name}_inserted.npy", name=METHOD_STACKS)),
        validation_clean=expand("<results>/data/{{dataset}}/validation{kind}", kind=LESION_KINDS),
        validation=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}_validation.npy", name=METHOD_STACKS),
    output:
        scores="<results>/scores/{dataset}/{noise}.csv",
        lesions="<results>/lesion_scores/{dataset}/{noise}.csv",
        validation="<results>/validation/scores/{dataset}/{noise}.csv",
        validation_lesions="<results>/validation/lesion_scores/{dataset}/{noise}.csv",
        hashes="<results>/hashes/{dataset}/{noise}.json",
    log:
        "<logs>/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/score/{dataset}/{noise}.tsv"
    priority: USES_DENOISED
    resources:
        **needs("score"),
    params:
        rules=rule_arguments,
        inserted=inserted_arguments,
        validation=validation_arguments,
        hashes=lambda wildcards, output: [f"--hashes={output.hashes}"],
        metrics=METRICS,
        code=METRICS_CODE,
    message:
        "Scoring all methods on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench score {input.clean:q} {output.scores:q} {input.denoised:q} --lesion-scores {output.lesions:q}"
        " {params.inserted:q} {params.validation:q} {params.hashes:q} {params.metrics:q} {params.rules:q}"
        " --threads {threads} > {log:q} 2>&1"


rule score_features:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}.npy", name=STACKS),
        # A stack that is wrong is refused there, with the rule that made it.
        scored="<results>/scores/{dataset}/{noise}.csv",
    output:
        scores="<results>/feature_scores/{dataset}/{noise}.csv",
        maps="<results>/feature_maps/{dataset}/{noise}.npz",
    log:
        "<logs>/feature_scores/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/feature_scores/{dataset}/{noise}.tsv"
    priority: USES_DENOISED
    resources:
        **needs("score_features"),
        gpu=1,
    params:
        device=device,
        explanation=as_json(EXPLANATIONS["default"]),
        maps=lambda wildcards, output: [f"--maps={output.maps}"],
        images=CONFIG.explorer.images,
        numerics=NUMERICS,
        code=[code_of_explanation("default"), code_hash("fplbench.scoring.features", "fplbench.reporting.shown")],
    message:
        "Comparing features on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench feature-scores {input.restoration:q} {input.clean:q} {output.scores:q} {input.denoised:q} {params.maps:q}"
        " --map-images {params.images} --explanation {params.explanation:q} --numerics {params.numerics:q}"
        " --device {params.device} --threads {threads} > {log:q} 2>&1"


rule collate_dataset:
    input:
        scores=of_dataset("<results>/scores/{dataset}/{noise}.csv"),
        feature_scores=of_dataset("<results>/feature_scores/{dataset}/{noise}.csv", CONFIG.feature_error),
    output:
        "<results>/scores/{dataset}.csv",
    log:
        "<logs>/collate/{dataset}.log",
    benchmark:
        "<benchmarks>/collate/{dataset}.tsv"
    resources:
        **needs("collate_dataset"),
    params:
        code=code_hash("fplbench.scoring.collation"),
        features=lambda wildcards, input: [f"--feature-scores={path}" for path in input.get("feature_scores", [])],
    message:
        "Collating the scores of {wildcards.dataset}"
    shell:
        "fplbench collate {output:q} {input.scores:q} {params.features:q} > {log:q} 2>&1"


rule collate:
    input:
        expand("<results>/scores/{dataset}.csv", dataset=CONFIG.datasets),
    output:
        "<results>/scores.csv",
    log:
        "<logs>/collate/all.log",
    benchmark:
        "<benchmarks>/collate/all.tsv"
    resources:
        **needs("collate"),
    params:
        code=code_hash("fplbench.scoring.collation"),
    message:
        "Collating all scores"
    shell:
        "fplbench collate {output:q} {input:q} > {log:q} 2>&1"
