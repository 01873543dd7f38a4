# Stacks -> weights: one rule for each training of the config, named train_{name}; and the features that L_FP compares with.
# Edits of the package do not run a training again: raise TRAINING_VERSION when they change its result.

# Long jobs, and before them those that they wait for, start first: short ones then fill the cores until the end.
LONG_JOB, FIRST_JOB = 10, 20


wildcard_constraints:
    explanation=r"\w+",
    repeat=r"(-\d+)?",


for fit in CONFIG.fits.values():

    rule:
        name:
            f"train_{fit.name}"
        input:
            **{name: inputs_of(fit.training)[name] for name in fit.training.needs(fit.options)},
        output:
            weights=f"{model_of(fit)}{{repeat}}.safetensors",
            log=f"{model_of(fit)}{{repeat}}.csv",
        log:
            f"{model_of(fit)}{{repeat}}.log".replace("<results>/models", "<logs>/training"),
        benchmark:
            f"{model_of(fit)}{{repeat}}.tsv".replace("<results>/models", "<benchmarks>/training")
        priority: LONG_JOB if "noise" in fit.training.per else FIRST_JOB
        resources:
            **needs(f"train_{fit.name}"),
            gpu=1,
        params:
            device=device,
            training=fit.training.name,
            inputs=training_arguments,
            options=as_json(dict(fit.options)),
            numerics=TRAINING_NUMERICS,
            seed=repeat_seed,
            version=TRAINING_VERSION,
        message:
            f"Training {fit.name}{{wildcards.repeat}} for {' with '.join(f'{{wildcards.{axis}}}' for axis in fit.training.per)}"
        shell:
            "fplbench train {params.training} {output.weights:q} {params.inputs:q} --options {params.options:q}"
            " --numerics {params.numerics:q} --seed {params.seed} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule explain_clean_images:
    input:
        network="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/train.npy",
    output:
        maps="<results>/features/{dataset}/{explanation}/train.npy",
        record="<results>/features/{dataset}/{explanation}/train.json",
    log:
        "<logs>/features/{dataset}/{explanation}.log",
    benchmark:
        "<benchmarks>/features/{dataset}/{explanation}.tsv"
    priority: FIRST_JOB
    resources:
        **needs("explain_clean_images"),
        gpu=1,
    params:
        device=device,
        network=lambda wildcards, input: input.network or "none",
        code=lambda wildcards: code_of_explanation(wildcards.explanation),
        explanation=lambda wildcards: as_json(EXPLANATIONS[wildcards.explanation]),
        numerics=NUMERICS,
    message:
        "Explaining the clean images of {wildcards.dataset}"
    shell:
        "fplbench features {params.network:q} {input.clean:q} {output.maps:q} --explanation {params.explanation:q}"
        " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"
