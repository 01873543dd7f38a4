# The denoiser of one data set on the others (same noise), and that of one noise on the others (same data set).
#
#   snakemake generalisation


wildcard_constraints:
    across="dataset|noise",
    trained="|".join([*CONFIG.datasets, *CONFIG.noises]),


rule generalisation:
    input:
        expand("<results>/generalisation/generalisation_{across}.png", across=["dataset", "noise"]),


rule apply_foreign:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        weights=foreign_weights,
    output:
        stack=temp("<results>/generalisation/{across}/denoised/{dataset}/{noise}/{trained}.npy"),
        index=temp("<results>/generalisation/{across}/denoised/{dataset}/{noise}/{trained}.csv"),
    log:
        "<logs>/generalisation/{across}/denoise/{dataset}/{noise}/{trained}.log",
    benchmark:
        "<benchmarks>/generalisation/{across}/denoise/{dataset}/{noise}/{trained}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        gpu=1,
        mem_mb=4000,
    params:
        device=device,
        code=method_code("fpl"),
    message:
        "Denoising {wildcards.noise} of {wildcards.dataset} with the denoiser of {wildcards.trained}"
    shell:
        "fplbench denoise fpl {input.noisy:q} {output.stack:q} --weights {input.weights:q} --device {params.device}"
        " --threads {threads} > {log:q} 2>&1"


rule keep_noisy:
    input:
        "<results>/noisy/{dataset}/{noise}/test.npy",
    output:
        stack=temp("<results>/generalisation/{across}/denoised/{dataset}/{noise}/noisy.npy"),
        index=temp("<results>/generalisation/{across}/denoised/{dataset}/{noise}/noisy.csv"),
    log:
        "<logs>/generalisation/{across}/denoise/{dataset}/{noise}/noisy.log",
    benchmark:
        "<benchmarks>/generalisation/{across}/denoise/{dataset}/{noise}/noisy.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    message:
        "Taking {wildcards.noise} of {wildcards.dataset} as it is"
    shell:
        "fplbench denoise noisy {input:q} {output.stack:q} > {log:q} 2>&1"


for across, trained in [("dataset", [*CONFIG.datasets]), ("noise", CONFIG.generalisation)]:

    rule:
        name:
            f"score_across_{across}s"
        input:
            clean="<results>/data/{dataset}/test.npy",
            denoised=expand(
                f"<results>/generalisation/{across}/denoised/{{{{dataset}}}}/{{{{noise}}}}/{{trained}}.npy",
                trained=[*trained, "noisy"],
            ),
        output:
            expand(
                f"<results>/generalisation/{across}/scores/{{{{dataset}}}}/{{{{noise}}}}/{{trained}}.csv",
                trained=[*trained, "noisy"],
            ),
        log:
            f"<logs>/generalisation/{across}/score/{{dataset}}/{{noise}}.log",
        benchmark:
            f"<benchmarks>/generalisation/{across}/score/{{dataset}}/{{noise}}.tsv"
        conda:
            "../../envs/environment.yaml"
        resources:
            mem_mb=1000,
        params:
            folder=subpath(output[0], parent=True),
            code=code("scoring.py"),
        message:
            "Scoring denoisers of other data sets or noises on {wildcards.noise} of {wildcards.dataset}"
        shell:
            "fplbench score {input.clean:q} {params.folder:q} {input.denoised:q} --rule apply_foreign > {log:q} 2>&1"


use rule collate as collate_foreign with:
    input:
        scores=foreign_scores,
    output:
        "<results>/generalisation/{across}.csv",
    log:
        "<logs>/generalisation/collate_{across}.log",
    benchmark:
        "<benchmarks>/generalisation/collate_{across}.tsv"
    params:
        features="",
        code=code("reporting/scores.py"),
    message:
        "Collating the generalisation across {wildcards.across}"


rule generalisation_matrix:
    input:
        "<results>/generalisation/{across}.csv",
    output:
        table="<results>/generalisation/generalisation_{across}.csv",
        figure="<results>/generalisation/generalisation_{across}.png",
    log:
        "<logs>/generalisation/matrix_{across}.log",
    benchmark:
        "<benchmarks>/generalisation/matrix_{across}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        folder=subpath(output.table, parent=True),
        seed=CONFIG.seed,
        code=code("reporting"),
    message:
        "Drawing the generalisation across {wildcards.across}"
    shell:
        "fplbench generalisation {input:q} {wildcards.across} --out-dir {params.folder:q} --seed {params.seed} > {log:q} 2>&1"
