# Native files -> stacks of sampled, windowed, resized 8-bit images, with their annotated lesions; and copies with inserted ones.


rule sample_images:
    output:
        stacks=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        indices=expand("<results>/data/{{dataset}}/{split}.csv", split=SPLITS),
        lesions=expand("<results>/data/{{dataset}}/{split}_lesions.{kind}", split=SPLITS, kind=["npy", "csv"]),
        summary="<results>/data/{dataset}/sampling.json",
    log:
        "<logs>/data/{dataset}.log",
    benchmark:
        "<benchmarks>/data/{dataset}.tsv"
    threads: JOBS.threads("sample_images")
    resources:
        **needs("sample_images"),
    params:
        code=lambda wildcards: code_of(CONFIG.dataset(wildcards.dataset).read_header, "fplbench.datasets.sampling.sample"),
        folder=subpath(output.summary, parent=True),
        loader=lambda wildcards: CONFIG.dataset(wildcards.dataset).loader,
        root=lambda wildcards: CONFIG.dataset_options(wildcards.dataset)["root"],
        options=lambda wildcards: as_json(loader_options(wildcards.dataset)),
        hu=[],
        sampling=as_json(CONFIG.sampling.model_dump(mode="json")),
        seed=CONFIG.seed,
    message:
        "Sampling images of {wildcards.dataset}"
    shell:
        "fplbench sample {wildcards.dataset} {params.folder:q} --loader {params.loader} --root {params.root:q} --options {params.options:q}"
        " --sampling {params.sampling:q} --seed {params.seed} {params.hu} --threads {threads} > {log:q} 2>&1"


# The same, with the Hounsfield units that some noises are made from.
use rule sample_images as sample_hounsfield with:
    output:
        stacks=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        indices=expand("<results>/data/{{dataset}}/{split}.csv", split=SPLITS),
        lesions=expand("<results>/data/{{dataset}}/{split}_lesions.{kind}", split=SPLITS, kind=["npy", "csv"]),
        summary="<results>/data/{dataset}/sampling.json",
        hu=expand("<results>/data/{{dataset}}/{split}_hu.npy", split=SPLITS),
    wildcard_constraints:
        dataset="|".join(HOUNSFIELD) or NOTHING,
    params:
        hu="--hu",


# The same, with the noisy image of each pair.
use rule sample_images as sample_pairs with:
    output:
        stacks=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        indices=expand("<results>/data/{{dataset}}/{split}.csv", split=SPLITS),
        lesions=expand("<results>/data/{{dataset}}/{split}_lesions.{kind}", split=SPLITS, kind=["npy", "csv"]),
        summary="<results>/data/{dataset}/sampling.json",
        noisy=expand("<results>/data/{{dataset}}/{split}_noisy.npy", split=SPLITS),
    wildcard_constraints:
        dataset="|".join(PAIRED) or NOTHING,


ruleorder: sample_hounsfield > sample_images
ruleorder: sample_pairs > sample_images


rule insert_lesions:
    input:
        clean=expand("<results>/data/{{dataset}}/{split}.npy", split=SPLITS),
        lesions=expand("<results>/data/{{dataset}}/{split}_lesions.{kind}", split=SPLITS, kind=["npy", "csv"]),
    output:
        stacks=expand("<results>/data/{{dataset}}/{split}.npy", split=INSERTED_SPLITS),
        indices=expand("<results>/data/{{dataset}}/{split}.csv", split=INSERTED_SPLITS),
        lesions=expand("<results>/data/{{dataset}}/{split}_lesions.{kind}", split=INSERTED_SPLITS, kind=["npy", "csv"]),
    log:
        "<logs>/data/{dataset}_inserted.log",
    benchmark:
        "<benchmarks>/data/{dataset}_inserted.tsv"
    resources:
        **needs("insert_lesions"),
    params:
        code=code_hash("fplbench.lesions.inserting"),
        folder=subpath(output[0], parent=True),
        options=as_json(CONFIG.inserted.model_dump(mode="json", exclude={"noises", "datasets"})),
        seed=CONFIG.seed,
    message:
        "Inserting lesions into images of {wildcards.dataset}"
    shell:
        "fplbench insert-lesions {input.clean:q} --out-dir {params.folder:q} --options {params.options:q} --seed {params.seed}"
        " --axes {wildcards.dataset} > {log:q} 2>&1"


rule join_inserted:
    input:
        joined_parts,
    output:
        stack="<results>/data/{dataset}/joined_{split}.npy",
        others=[f"<results>/data/{{dataset}}/joined_{{split}}{kind}" for kind in LESION_KINDS[1:]],
    log:
        "<logs>/data/{dataset}_joined_{split}.log",
    benchmark:
        "<benchmarks>/data/{dataset}_joined_{split}.tsv"
    wildcard_constraints:
        split="|".join(SPLITS),
    resources:
        **needs("join_inserted"),
    params:
        code=code_hash("fplbench.lesions.joining"),
        stacks=lambda wildcards, input: list(input)[:: len(LESION_KINDS)],
    message:
        "Joining the {wildcards.split} images of {wildcards.dataset} and those with inserted lesions"
    shell:
        "fplbench join-stacks {output.stack:q} {params.stacks:q} > {log:q} 2>&1"
