# Stacks -> weights: one rule for each registered training, named train_{training}; and the features that L_FP compares with.
# Edits of the package do not run a training again: raise TRAINING_VERSION when they change its result.

# Long jobs, and before them those that they wait for, start first: short ones then fill the cores until the end.
LONG_JOB, FIRST_JOB = 10, 20

EXPLANATIONS = {"default": CONFIG.explanation.model_dump(mode="json")}


wildcard_constraints:
    explanation=r"\w+",


for training in TRAININGS.values():

    rule:
        name:
            f"train_{training.name}"
        input:
            **{name: TRAINING_INPUTS[name] for name in training.inputs},
        output:
            weights=f"{model_of(training)}.safetensors",
            log=f"{model_of(training)}.csv",
        log:
            f"{model_of(training)}.log".replace("<results>/models", "<logs>/training"),
        benchmark:
            f"{model_of(training)}.tsv".replace("<results>/models", "<benchmarks>/training")
        priority: LONG_JOB if "noise" in training.per else FIRST_JOB
        resources:
            gpu=1,
            mem_mb=12000,
        params:
            device=device,
            training=training.name,
            inputs=training_arguments,
            options=as_json(CONFIG.training_options(training.name)),
            seed=CONFIG.seed,
            version=TRAINING_VERSION,
        message:
            f"Training {training.name} for {' with '.join(f'{{wildcards.{axis}}}' for axis in training.per)}"
        shell:
            "fplbench train {params.training} {output.weights:q} {params.inputs:q} --options {params.options:q}"
            " --seed {params.seed} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule explain_clean_images:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
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
        gpu=1,
        mem_mb=8000,
    params:
        device=device,
        code=code_hash("fplbench.explaining.maps"),
        explanation=lambda wildcards: as_json(EXPLANATIONS[wildcards.explanation]),
    message:
        "Explaining the clean images of {wildcards.dataset}"
    shell:
        "fplbench features {input.restoration:q} {input.clean:q} {output.maps:q} --explanation {params.explanation:q}"
        " --device {params.device} --threads {threads} > {log:q} 2>&1"
