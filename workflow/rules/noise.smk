# Clean stacks -> noisy stacks: one job for all splits of a data set and noise.


rule synthesize_noise:
    input:
        clean=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        further=further_stacks,
    output:
        stacks=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.npy", split=SPLITS),
        indices=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.csv", split=SPLITS),
        records=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.json", split=SPLITS),
    log:
        "<logs>/noise/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/noise/{dataset}/{noise}.tsv"
    resources:
        **needs("synthesize_noise"),
    params:
        code=lambda wildcards: code_of(NOISES[wildcards.noise].function, "fplbench.noise.synthesis"),
        folder=subpath(output[0], parent=True),
        options=lambda wildcards: as_json(CONFIG.noise_options(wildcards.dataset, wildcards.noise)),
        seed=CONFIG.seed,
    message:
        "Adding {wildcards.noise} to {wildcards.dataset}"
    shell:
        "fplbench noise {wildcards.noise} {input.clean:q} --out-dir {params.folder:q} --options {params.options:q}"
        " --seed {params.seed} --axes {wildcards.dataset} --threads {threads} > {log:q} 2>&1"


use rule synthesize_noise as add_noise_to_inserted with:
    input:
        clean=expand("<results>/data/{{dataset}}/{split}.npy", split=INSERTED_SPLITS),
    output:
        stacks=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.npy", split=INSERTED_SPLITS),
        indices=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.csv", split=INSERTED_SPLITS),
        records=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.json", split=INSERTED_SPLITS),
    log:
        "<logs>/noise/{dataset}/{noise}_inserted.log",
    benchmark:
        "<benchmarks>/noise/{dataset}/{noise}_inserted.tsv"
    message:
        "Adding {wildcards.noise} to images of {wildcards.dataset} with inserted lesions"


# Images with and without inserted lesions together, for the ablation.
use rule synthesize_noise as add_noise_to_joined with:
    input:
        clean=expand("<results>/data/{{dataset}}/{split}.npy", split=JOINED_SPLITS),
    output:
        stacks=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.npy", split=JOINED_SPLITS),
        indices=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.csv", split=JOINED_SPLITS),
        records=expand("<results>/noisy/{{dataset}}/{{noise}}/{split}.json", split=JOINED_SPLITS),
    log:
        "<logs>/noise/{dataset}/{noise}_joined.log",
    benchmark:
        "<benchmarks>/noise/{dataset}/{noise}_joined.tsv"
    resources:
        **needs("add_noise_to_joined"),
    message:
        "Adding {wildcards.noise} to the images of the ablation of {wildcards.dataset}"
