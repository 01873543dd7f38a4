# The denoiser of one data set on the others (same noise), and that of one noise on the others (same data set).
#
#   snakemake generalisation

# What the denoisers of each matrix were trained on.
ACROSS = {"dataset": CONFIG.compared, "noise": CONFIG.generalisation}


wildcard_constraints:
    across="dataset|noise",


rule generalisation:
    input:
        with_noises(
            "generalisation",
            CONFIG.generalisation,
            expand("<results>/generalisation/generalisation_{across}.png", across=ACROSS),
        ),


for across, trained in ACROSS.items():

    rule:
        name:
            f"apply_across_{across}s"
        input:
            **{
                name: (
                    f"<results>/models/{name}/{{noise}}/fpl.safetensors"
                    if across == "dataset"
                    else f"<results>/models/{{dataset}}/{name}/fpl.safetensors"
                )
                for name in trained
            },
            noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        output:
            stacks=[
                temp(f"<results>/generalisation/{across}/denoised/{{dataset}}/{{noise}}/{name}.npy")
                for name in [*trained, "noisy"]
            ],
            indices=[
                temp(f"<results>/generalisation/{across}/denoised/{{dataset}}/{{noise}}/{name}.csv")
                for name in [*trained, "noisy"]
            ],
            cost=f"<results>/generalisation/{across}/cost/{{dataset}}/{{noise}}.csv",
        log:
            f"<logs>/generalisation/{across}/denoise/{{dataset}}/{{noise}}.log",
        benchmark:
            f"<benchmarks>/generalisation/{across}/denoise/{{dataset}}/{{noise}}.tsv"
        resources:
            **needs(f"apply_across_{across}s"),
            gpu=1,
        params:
            device=device,
            folder=subpath(output[0], parent=True),
            methods=lambda wildcards, input: as_json(
                {
                    name: {"method": "noisy"} if name == "noisy" else {"method": "fpl", "weights": path}
                    for name, path in input.items()
                }
            ),
            numerics=NUMERICS,
            code=code_of(METHODS["fpl"].function, "fplbench.denoising.groups"),
        message:
            f"Denoising {{wildcards.noise}} of {{wildcards.dataset}} with denoisers of every {across}"
        shell:
            "fplbench denoise-group {input.noisy:q} {params.folder:q} --methods {params.methods:q} --cost {output.cost:q}"
            " --numerics {params.numerics:q} --device {params.device} --threads {threads} > {log:q} 2>&1"

    rule:
        name:
            f"score_across_{across}s"
        input:
            clean="<results>/data/{dataset}/test.npy",
            denoised=[
                f"<results>/generalisation/{across}/denoised/{{dataset}}/{{noise}}/{name}.npy" for name in [*trained, "noisy"]
            ],
        output:
            f"<results>/generalisation/{across}/scores/{{dataset}}/{{noise}}.csv",
        log:
            f"<logs>/generalisation/{across}/score/{{dataset}}/{{noise}}.log",
        benchmark:
            f"<benchmarks>/generalisation/{across}/score/{{dataset}}/{{noise}}.tsv"
        resources:
            **needs(f"score_across_{across}s"),
        params:
            rules=f"--rule=apply_across_{across}s",
            metrics=METRICS,
            code=METRICS_CODE,
        message:
            "Scoring denoisers of other data sets or noises on {wildcards.noise} of {wildcards.dataset}"
        shell:
            "fplbench score {input.clean:q} {output:q} {input.denoised:q} {params.metrics:q} {params.rules:q} > {log:q} 2>&1"


use rule collate_dataset as collate_generalisation with:
    input:
        scores=expand(
            "<results>/generalisation/{{across}}/scores/{dataset}/{noise}.csv",
            dataset=CONFIG.compared,
            noise=CONFIG.generalisation,
        ),
    output:
        "<results>/generalisation/{across}.csv",
    log:
        "<logs>/generalisation/collate_{across}.log",
    benchmark:
        "<benchmarks>/generalisation/collate_{across}.tsv"
    message:
        "Collating the generalisation across {wildcards.across}s"


rule generalisation_matrix:
    input:
        scores="<results>/generalisation/{across}.csv",
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=CONFIG.compared),
        config=RESOLVED,
    output:
        table="<results>/generalisation/generalisation_{across}.csv",
        figure="<results>/generalisation/generalisation_{across}.png",
    log:
        "<logs>/generalisation/matrix_{across}.log",
    benchmark:
        "<benchmarks>/generalisation/matrix_{across}.tsv"
    resources:
        **needs("generalisation_matrix"),
    params:
        folder=subpath(output.table, parent=True),
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        code=code_hash("fplbench.reporting.generalisation"),
        shown=shown,
    message:
        "Drawing the generalisation across {wildcards.across}s"
    shell:
        "fplbench generalisation {input.scores:q} {wildcards.across} --out-dir {params.folder:q} --config {input.config:q}"
        " --data {params.data:q} > {log:q} 2>&1"
