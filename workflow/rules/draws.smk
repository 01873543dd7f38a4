# The images that the ablation is scored on, in several draws of the noise: more numbers from few images.


rule draw_again:
    input:
        clean="<results>/data/{dataset}/{split}.npy",
        noisy="<results>/noisy/{dataset}/{noise}/{split}.npy",
        record="<results>/noisy/{dataset}/{noise}/{split}.json",
    output:
        stack="<results>/ablation/draws/noisy/{dataset}/{noise}/{split}.npy",
        index="<results>/ablation/draws/noisy/{dataset}/{noise}/{split}.csv",
        draws=temp(directory("<results>/ablation/draws/noisy/{dataset}/{noise}/{split}")),
    log:
        "<logs>/ablation/draws/{dataset}/{noise}/{split}.log",
    benchmark:
        "<benchmarks>/ablation/draws/{dataset}/{noise}/{split}.tsv"
    wildcard_constraints:
        split=DRAWN_SPLITS,
    resources:
        **needs("draw_again"),
    params:
        draws=lambda wildcards, output: [f"{output.draws}/{draw}.npy" for draw in range(1, ABLATION.draws)],
        code=lambda wildcards: [
            code_of(NOISES[wildcards.noise].function, "fplbench.noise.synthesis"),
            code_hash("fplbench.lesions.joining"),
        ],
    message:
        "Drawing {wildcards.noise} of {wildcards.dataset} again: {wildcards.split}"
    shell:
        "fplbench draw-again {input.clean:q} {input.noisy:q} {params.draws:q} --threads {threads} > {log:q} 2>&1"
        " && fplbench join-stacks {output.stack:q} {input.noisy:q} {params.draws:q} --draws >> {log:q} 2>&1"


rule repeat_clean_images:
    input:
        stack="<results>/data/{dataset}/{split}.npy",
        others=[f"<results>/data/{{dataset}}/{{split}}{kind}" for kind in LESION_KINDS[1:]],
    output:
        stack="<results>/ablation/draws/data/{dataset}/{split}.npy",
        others=[f"<results>/ablation/draws/data/{{dataset}}/{{split}}{kind}" for kind in LESION_KINDS[1:]],
    log:
        "<logs>/ablation/draws/{dataset}/{split}.log",
    benchmark:
        "<benchmarks>/ablation/draws/{dataset}/{split}.tsv"
    wildcard_constraints:
        split=DRAWN_SPLITS,
    resources:
        **needs("repeat_clean_images"),
    params:
        stacks=lambda wildcards, input: [input.stack] * ABLATION.draws,
        code=code_hash("fplbench.lesions.joining"),
    message:
        "Repeating the {wildcards.split} images of {wildcards.dataset} for every draw of the noise"
    shell:
        "fplbench join-stacks {output.stack:q} {params.stacks:q} --draws > {log:q} 2>&1"
