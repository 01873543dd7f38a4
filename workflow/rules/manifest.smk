# All that a run is made of, and its tables and pages -> run.json, with their hashes.

# What run.json lists besides the denoised stacks: all that the numbers of a run come from, and its tables and pages. The report
# shows run.json, so it is not among them.
OWN_WEIGHTS = {path for stacks in GROUPS.values() for path in trained_weights(stacks).values()}
OWN_WEIGHTS |= {"<results>/models/{dataset}/restoration.safetensors"} if CONFIG.explains else set()
# The plan can be had without weights from elsewhere, so they are no inputs.
PUBLISHED_WEIGHTS = sorted({path for path in map(CONFIG.weights_of, CONFIG.columns.values()) if path})
RECORDED = {
    "data": expand("<results>/data/{dataset}/{split}{kind}", dataset=CONFIG.datasets, split=SPLITS, kind=LESION_KINDS)
    + expand("<results>/data/{dataset}/sampling.json", dataset=CONFIG.datasets)
    + expand("<results>/data/{dataset}/{split}_hu.npy", dataset=HOUNSFIELD, split=SPLITS)
    + expand("<results>/data/{dataset}/{split}_noisy.npy", dataset=PAIRED, split=SPLITS)
    + [
        f"<results>/data/{dataset}/{split}{kind}"
        for dataset in dict(INSERTED_CELLS)
        for split in INSERTED_SPLITS
        for kind in LESION_KINDS
    ],
    "noisy": of_cells("<results>/noisy/{dataset}/{noise}/{split}.npy", split=SPLITS)
    + [f"<results>/noisy/{dataset}/{noise}/{split}.npy" for dataset, noise in INSERTED_CELLS for split in INSERTED_SPLITS],
    "weights": sorted({each for path in OWN_WEIGHTS for each in of_cells(path)}),
    "tuned": [
        each for stacks in GROUPS.values() for path in fitted_files(stacks) if path.endswith(".json") for each in of_cells(path)
    ],
    "scores": [
        *of_cells("<results>/{folder}/{dataset}/{noise}.csv", folder=["scores", "lesion_scores"]),
        *of_cells("<results>/validation/{folder}/{dataset}/{noise}.csv", folder=["scores", "lesion_scores"]),
        *of_cells("<results>/feature_scores/{dataset}/{noise}.csv", CONFIG.feature_error),
        *of_cells("<results>/feature_maps/{dataset}/{noise}.npz", CONFIG.feature_error),
        *expand("<results>/scores/{dataset}.csv", dataset=CONFIG.datasets),
        "<results>/scores.csv",
        "<results>/cost.csv",
    ],
    "pages": [
        *expand("<results>/tables/{dataset}{kind}", dataset=CONFIG.datasets, kind=[*TABLE_FILES, ".html"]),
        *expand("<results>/paper/{dataset}.{kind}", dataset=CONFIG.published, kind=["md", "csv", "html"]),
        *expand("<results>/explorer/{dataset}.html", dataset=CONFIG.datasets),
        *[f"<results>/figures/{name}.png" for name in FIGURES],
        *EXAMPLES,
        "<results>/lesions.md",
    ],
}


rule manifest:
    input:
        **RECORDED,
        hashes=of_cells("<results>/hashes/{dataset}/{noise}.json"),
        config=RESOLVED,
    output:
        "<results>/run.json",
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    resources:
        **needs("manifest"),
    params:
        code=code_hash("fplbench.reporting.manifest"),
        config=hashlib.sha256(RESOLVED_CONFIG.encode()).hexdigest(),
        files=lambda wildcards, input: [path for name in RECORDED for path in input[name]] + PUBLISHED_WEIGHTS,
        hashes=lambda wildcards, input: Path(input.hashes[0]).parents[1],
    message:
        "Writing down what the run was made with"
    shell:
        "fplbench manifest {output:q} {params.files:q} {input.config:q} --hashes {params.hashes:q} --config {input.config:q}"
        " > {log:q} 2>&1"
