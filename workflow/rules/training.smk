# Clean and noisy stacks -> the restoration network, its features, and a denoiser for each noise.
# Edits of the package do not run a training again: raise TRAINING_VERSION when they change its result.


rule train_restoration:
    input:
        clean="<results>/data/{dataset}/train.npy",
    output:
        weights="<results>/models/{dataset}/restoration.safetensors",
        log="<results>/models/{dataset}/restoration.csv",
    log:
        "<logs>/training/{dataset}/restoration.log",
    benchmark:
        "<benchmarks>/training/{dataset}/restoration.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=8000,
    params:
        device=device,
        options=as_json(CONFIG.restoration.model_dump(mode="json")),
        seed=CONFIG.seed,
        version=TRAINING_VERSION,
    message:
        "Training the restoration network of {wildcards.dataset}"
    shell:
        "fplbench train-restoration {input.clean:q} {output.weights:q} --options {params.options:q} --seed {params.seed}"
        " --device {params.device} --threads {threads} > {log:q} 2>&1"


rule explain_clean_images:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/train.npy",
    output:
        maps="<results>/features/{dataset}/train.npy",
        record="<results>/features/{dataset}/train.json",
    log:
        "<logs>/features/{dataset}.log",
    benchmark:
        "<benchmarks>/features/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=8000,
    params:
        device=device,
        explanation=EXPLANATION,
    message:
        "Explaining the clean images of {wildcards.dataset}"
    shell:
        "fplbench features {input.restoration:q} {input.clean:q} {output.maps:q} --explanation {params.explanation:q}"
        " --device {params.device} --threads {threads} > {log:q} 2>&1"


rule train_denoiser:
    input:
        clean="<results>/data/{dataset}/train.npy",
        noisy="<results>/noisy/{dataset}/{noise}/train.npy",
        restoration="<results>/models/{dataset}/restoration.safetensors",
        features="<results>/features/{dataset}/train.npy",
    output:
        weights="<results>/models/{dataset}/{noise}/fpl.safetensors",
        log="<results>/models/{dataset}/{noise}/fpl.csv",
    log:
        "<logs>/training/{dataset}/{noise}/fpl.log",
    benchmark:
        "<benchmarks>/training/{dataset}/{noise}/fpl.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=12000,
    params:
        device=device,
        options=as_json(CONFIG.denoiser.model_dump(mode="json")),
        explanation=EXPLANATION,
        seed=CONFIG.seed,
        version=TRAINING_VERSION,
    message:
        "Training the FPL denoiser of {wildcards.dataset} with {wildcards.noise}"
    shell:
        "fplbench train-denoiser {input.clean:q} {input.noisy:q} {output.weights:q} --restoration {input.restoration:q}"
        " --features {input.features:q} --options {params.options:q} --explanation {params.explanation:q}"
        " --seed {params.seed} --device {params.device} --threads {threads} > {log:q} 2>&1"


if CONFIG.drunet is not None:

    rule train_drunet:
        input:
            clean="<results>/data/{dataset}/train.npy",
        output:
            weights="<results>/models/{dataset}/drunet.safetensors",
            log="<results>/models/{dataset}/drunet.csv",
        log:
            "<logs>/training/{dataset}/drunet.log",
        benchmark:
            "<benchmarks>/training/{dataset}/drunet.tsv"
        conda:
            "../../envs/environment.yaml"
        resources:
            gpu=1,
            mem_mb=12000,
        params:
            device=device,
            options=as_json(CONFIG.drunet.model_dump(mode="json")),
            seed=CONFIG.seed,
            version=TRAINING_VERSION,
        message:
            "Training a DRUNet for {wildcards.dataset}"
        shell:
            "fplbench train-drunet {input.clean:q} {output.weights:q} --options {params.options:q} --seed {params.seed}"
            " --device {params.device} --threads {threads} > {log:q} 2>&1"


rule train_residual_cnn:
    input:
        clean="<results>/data/{dataset}/train.npy",
        noisy="<results>/noisy/{dataset}/{noise}/train.npy",
    output:
        weights="<results>/models/{dataset}/{noise}/residual_cnn.safetensors",
        log="<results>/models/{dataset}/{noise}/residual_cnn.csv",
    log:
        "<logs>/training/{dataset}/{noise}/residual_cnn.log",
    benchmark:
        "<benchmarks>/training/{dataset}/{noise}/residual_cnn.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=12000,
    params:
        device=device,
        options=as_json(CONFIG.denoiser.without_features().model_dump(mode="json")),
        seed=CONFIG.seed,
        version=TRAINING_VERSION,
    message:
        "Training the denoiser of {wildcards.dataset} with {wildcards.noise} without L_FP"
    shell:
        "fplbench train-denoiser {input.clean:q} {input.noisy:q} {output.weights:q} --options {params.options:q}"
        " --seed {params.seed} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule train_cvf_sid:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/train.npy",
    output:
        weights="<results>/models/{dataset}/{noise}/cvf_sid.safetensors",
        log="<results>/models/{dataset}/{noise}/cvf_sid.csv",
    log:
        "<logs>/training/{dataset}/{noise}/cvf_sid.log",
    benchmark:
        "<benchmarks>/training/{dataset}/{noise}/cvf_sid.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=12000,
    params:
        device=device,
        options=as_json(CONFIG.cvf_sid.model_dump(mode="json")),
        seed=CONFIG.seed,
        version=TRAINING_VERSION,
    message:
        "Training CVF-SID on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench train-cvf-sid {input.noisy:q} {output.weights:q} --options {params.options:q} --seed {params.seed}"
        " --device {params.device} --threads {threads} > {log:q} 2>&1"
