# Clean stack -> noisy stack, one for each noise and split.


rule synthesize_noise:
    input:
        clean="<results>/data/{dataset}/{split}.npy",
    output:
        stack="<results>/noisy/{dataset}/{noise}/{split}.npy",
        index="<results>/noisy/{dataset}/{noise}/{split}.csv",
    log:
        "<logs>/noise/{dataset}/{noise}/{split}.log",
    benchmark:
        "<benchmarks>/noise/{dataset}/{noise}/{split}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("noise"),
        options=lambda wildcards: as_json(CONFIG.noise_options(wildcards.dataset, wildcards.noise)),
        seed=CONFIG.seed,
    message:
        "Adding {wildcards.noise} to the {wildcards.split} images of {wildcards.dataset}"
    shell:
        "fplbench noise {wildcards.noise} {input.clean:q} {output.stack:q} --options {params.options:q} --seed {params.seed}"
        " --axes {wildcards.dataset}/{wildcards.split} --threads {threads} > {log:q} 2>&1"
