# Levels of the noises, and options of the filters, that come nearest to the published scores on the user's own images; what the
# published PSNR says about how it was computed; and every noise on an image of each data set.
#
#   snakemake calibrate
#   snakemake noise_sheet


rule calibrate:
    input:
        "<results>/calibration/levels.yaml",
        "<results>/calibration/published-psnr.md",


rule noise_sheet:
    input:
        "<results>/figures/noise_sheet.png",


rule fit_levels:
    input:
        expand("<results>/data/{dataset}/train.npy", dataset=CONFIG.calibration.datasets),
    output:
        levels="<results>/calibration/levels.yaml",
        report="<results>/calibration/report.md",
        comparisons="<results>/calibration/comparisons.csv",
    log:
        "<logs>/calibration/levels.log",
    benchmark:
        "<benchmarks>/calibration/levels.tsv"
    threads: JOBS.threads("fit_levels")
    resources:
        **needs("fit_levels"),
    params:
        folder=subpath(output.levels, parent=True),
        stacks=lambda wildcards, input: named_stacks(CONFIG.calibration.datasets, input),
        images=CONFIG.calibration.images,
        evaluations=CONFIG.calibration.evaluations,
        seed=CONFIG.seed,
        code=code_hash(
            "fplbench.calibration.fit",
            "fplbench.calibration.reports",
            *(noise.function.__module__ for noise in NOISES.values()),
            *(method.function.__module__ for method in METHODS.values() if method.group == "filters"),
        ),
    message:
        "Fitting the noise levels to the published scores"
    shell:
        "fplbench calibrate {params.folder:q} {params.stacks:q} --images {params.images} --evaluations {params.evaluations}"
        " --seed {params.seed} --threads {threads} > {log:q} 2>&1"


rule published_psnr:
    input:
        "<results>/calibration/comparisons.csv",
    output:
        "<results>/calibration/published-psnr.md",
    log:
        "<logs>/calibration/published_psnr.log",
    benchmark:
        "<benchmarks>/calibration/published_psnr.tsv"
    resources:
        **needs("published_psnr"),
    params:
        note=CONFIG.calibration.note,
        code=code_hash("fplbench.calibration.page"),
    message:
        "Comparing the published PSNR with the true and the wrapped one"
    shell:
        "fplbench published-psnr {output:q} {input:q} --note={params.note:q} > {log:q} 2>&1"


rule draw_noise_sheet:
    input:
        stacks=expand("<results>/data/{dataset}/test.npy", dataset=CONFIG.unpaired),
        lesions=expand("<results>/data/{dataset}/test_lesions.{kind}", dataset=CONFIG.unpaired, kind=["npy", "csv"]),
        config=RESOLVED,
    output:
        "<results>/figures/noise_sheet.png",
    log:
        "<logs>/figures/noise_sheet.log",
    benchmark:
        "<benchmarks>/figures/noise_sheet.tsv"
    resources:
        **needs("draw_noise_sheet"),
    params:
        stacks=lambda wildcards, input: named_stacks(CONFIG.unpaired, input.stacks),
        code=code_hash("fplbench.reporting.noise_sheet", *(noise.function.__module__ for noise in NOISES.values())),
        shown=as_json(
            [
                [str(presentation(CONFIG, dataset)) for dataset in CONFIG.unpaired],
                CONFIG.notes,
                {
                    dataset: [CONFIG.noise_options(dataset, noise) for noise in CONFIG.noises_of(dataset)]
                    for dataset in CONFIG.unpaired
                },
            ]
        ),
    message:
        "Drawing every noise on an image of each data set"
    shell:
        "fplbench noise-sheet {output:q} {params.stacks:q} --config {input.config:q} > {log:q} 2>&1"
