# How well a model observer detects discs of known size and contrast in denoised images, and what each method does to the texture
# of noise and to edges. The discs are inserted into test images before the noise; the methods run as on the test images, with
# the same weights and tuned options. Methods of rule files of your own are left out: their rules read the test images alone.
#
#   snakemake detectability

DETECTED = CONFIG.detectability
# Columns by job and name; of repeats, the first alone.
OBSERVED = {group: {column.name: column for column in columns} for group, columns in grouped(CONFIG.columns).items()}
DETECTED_CELLS = {"dataset": DETECTED.of(CONFIG.unpaired), "noise": DETECTED.noises}


rule detectability:
    input:
        with_noises("detectability.noises", DETECTED.noises, ["<results>/detectability/detectability.md"]),


rule insert_signals:
    input:
        "<results>/data/{dataset}/test.npy",
    output:
        stacks=expand("<results>/detectability/{{dataset}}/{kind}.npy", kind=["absent", "present"]),
        indices=expand("<results>/detectability/{{dataset}}/{kind}.csv", kind=["absent", "present"]),
        signals="<results>/detectability/{dataset}/signals.csv",
    log:
        "<logs>/detectability/signals/{dataset}.log",
    benchmark:
        "<benchmarks>/detectability/signals/{dataset}.tsv"
    resources:
        **needs("insert_signals"),
    params:
        code=code_hash("fplbench.lesions.signals"),
        folder=subpath(output[0], parent=True),
        options=lambda wildcards: as_json(DETECTED.signals(wildcards.dataset)),
        seed=CONFIG.seed,
    message:
        "Inserting signals into copies of test images of {wildcards.dataset}"
    shell:
        "fplbench insert-signals {input:q} {params.folder:q} --options {params.options:q} --seed {params.seed}"
        " --axes {wildcards.dataset} > {log:q} 2>&1"


use rule synthesize_noise as synthesize_signal_noise with:
    input:
        clean=expand("<results>/detectability/{{dataset}}/{kind}.npy", kind=["absent", "present"]),
    output:
        stacks=temp(expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.npy", kind=["absent", "present"])),
        indices=temp(expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.csv", kind=["absent", "present"])),
        records=temp(expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.json", kind=["absent", "present"])),
    log:
        "<logs>/detectability/noise/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/detectability/noise/{dataset}/{noise}.tsv"
    resources:
        **needs("synthesize_signal_noise"),
    message:
        "Adding {wildcards.noise} to images with and without signals of {wildcards.dataset}"


for group, stacks in OBSERVED.items():

    rule:
        name:
            f"denoise_signals_{group}"
        input:
            **trained_weights(stacks),
            chosen=[path for path in fitted_files(stacks) if path.endswith(".json")],
            noisy=expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.npy", kind=["absent", "present"]),
            indices=expand("<results>/detectability/noisy/{{dataset}}/{{noise}}/{kind}.csv", kind=["absent", "present"]),
        output:
            temp(
                [
                    f"<results>/detectability/denoised/{{dataset}}/{{noise}}/{kind}/{name}.{ending}"
                    for kind in ("absent", "present")
                    for name in stacks
                    for ending in ("npy", "csv")
                ]
            ),
        log:
            f"<logs>/detectability/denoise/{{dataset}}/{{noise}}/{group}.log",
        benchmark:
            f"<benchmarks>/detectability/denoise/{{dataset}}/{{noise}}/{group}.tsv"
        resources:
            **needs(f"denoise_signals_{group}"),
            gpu=int(any(column.method.gpu for column in stacks.values())),
        params:
            device=device,
            numerics=numerics_of(stacks),
            noisy=lambda wildcards, input: Path(input.noisy[0]).parent,
            folder=subpath(output[0], ancestor=2),
            methods=runs_of(stacks),
            chosen=lambda wildcards, input: [f"--chosen={path}" for path in input.get("chosen", [])],
            settings=settings_of(stacks),
            code=code_of_group(stacks),
        message:
            f"Denoising signals in {{wildcards.noise}} of {{wildcards.dataset}}: {', '.join(stacks)}"
        shell:
            "fplbench denoise-signals {params.noisy:q} {params.folder:q} --methods {params.methods:q} {params.chosen:q}"
            " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


rule observe:
    input:
        signals=rules.insert_signals.output,
        denoised=[
            f"<results>/detectability/denoised/{{dataset}}/{{noise}}/{kind}/{name}.npy"
            for name in itertools.chain(*OBSERVED.values())
            for kind in ("absent", "present")
        ],
    output:
        scores="<results>/detectability/{dataset}/{noise}.csv",
        spectra="<results>/detectability/spectra/{dataset}/{noise}.csv",
    log:
        "<logs>/detectability/observe/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/detectability/observe/{dataset}/{noise}.tsv"
    resources:
        **needs("observe"),
    params:
        code=code_hash("fplbench.scoring.observer_cells"),
        folder=lambda wildcards, input: Path(input.signals[0]).parent,
        options=as_json(DETECTED.observer),
        seed=CONFIG.seed,
    message:
        "Detecting signals in {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench observe {params.folder:q} {output.scores:q} {output.spectra:q} {input.denoised:q}"
        " --options {params.options:q} --seed {params.seed} > {log:q} 2>&1"


rule detectability_table:
    input:
        scores=expand("<results>/detectability/{dataset}/{noise}.csv", **DETECTED_CELLS),
        spectra=expand("<results>/detectability/spectra/{dataset}/{noise}.csv", **DETECTED_CELLS),
        config=RESOLVED,
    output:
        table="<results>/detectability/detectability.csv",
        text="<results>/detectability/detectability.md",
        figures=expand(
            "<results>/detectability/{kind}_{dataset}.png", kind=["dprime", "nps", "ttf"], dataset=DETECTED_CELLS["dataset"]
        ),
    log:
        "<logs>/detectability/table.log",
    benchmark:
        "<benchmarks>/detectability/table.tsv"
    resources:
        **needs("detectability_table"),
    params:
        folder=subpath(output.table, parent=True),
        spectra=lambda wildcards, input: [f"--spectra={path}" for path in input.spectra],
        code=code_hash("fplbench.reporting.detectability"),
        shown=shown,
    message:
        "Writing the table and the figures of detectability"
    shell:
        "fplbench detectability {input.scores:q} {params.spectra:q} --out-dir {params.folder:q} --config {input.config:q}"
        " > {log:q} 2>&1"
