# The fair comparison: learned methods beside FPL with its budget, in steps or in seconds, controls, DPIR and the best filter.
#
#   snakemake fair


FAIR_DATASETS = [*dict.fromkeys(dataset for dataset, _ in CONFIG.cells(CONFIG.fair.noises))]

# What the captions say of the budget.
FAIR_BUDGET = as_json([CONFIG.fpl.steps, CONFIG.resolved()["fair"]])


wildcard_constraints:
    budget="steps|seconds",


rule fair:
    input:
        fair_tables,


use rule score as score_fair with:
    input:
        clean="<results>/data/{dataset}/test.npy",
        lesions=expand("<results>/data/{{dataset}}/test_lesions.{kind}", kind=["npy", "csv"]),
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}.npy", name=FAIR_STACKS),
        inserted_clean=where_inserted(*expand("<results>/data/{{dataset}}/inserted_test{kind}", kind=LESION_KINDS)),
        inserted=where_inserted(*expand("<results>/denoised/{{dataset}}/{{noise}}/{name}_inserted.npy", name=FAIR_METHOD_STACKS)),
        validation_clean=expand("<results>/data/{{dataset}}/validation{kind}", kind=LESION_KINDS),
        validation=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}_validation.npy", name=FAIR_METHOD_STACKS),
    output:
        scores="<results>/fair/scores/{dataset}/{noise}.csv",
        lesions="<results>/fair/lesion_scores/{dataset}/{noise}.csv",
        validation="<results>/fair/validation/scores/{dataset}/{noise}.csv",
        validation_lesions="<results>/fair/validation/lesion_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/fair/score/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/fair/score/{dataset}/{noise}.tsv"
    params:
        hashes=[],
    message:
        "Scoring the fair comparison on {wildcards.noise} of {wildcards.dataset}"


use rule score_features as score_fair_features with:
    input:
        restoration="<results>/models/{dataset}/restoration.safetensors",
        clean="<results>/data/{dataset}/test.npy",
        denoised=expand("<results>/denoised/{{dataset}}/{{noise}}/{name}.npy", name=FAIR_STACKS),
        scored="<results>/fair/scores/{dataset}/{noise}.csv",
    output:
        scores="<results>/fair/feature_scores/{dataset}/{noise}.csv",
    log:
        "<logs>/fair/feature_scores/{dataset}/{noise}.log",
    benchmark:
        "<benchmarks>/fair/feature_scores/{dataset}/{noise}.tsv"
    params:
        maps=[],
    message:
        "Comparing features in the fair comparison on {wildcards.noise} of {wildcards.dataset}"


use rule collate_dataset as collate_fair with:
    input:
        scores=of_dataset("<results>/fair/scores/{dataset}/{noise}.csv", CONFIG.fair.noises),
        feature_scores=of_dataset(
            "<results>/fair/feature_scores/{dataset}/{noise}.csv", {*CONFIG.fair.noises} & {*CONFIG.feature_error}
        ),
    output:
        "<results>/fair/scores/{dataset}.csv",
    log:
        "<logs>/fair/collate/{dataset}.log",
    benchmark:
        "<benchmarks>/fair/collate/{dataset}.tsv"
    message:
        "Collating the fair comparison on {wildcards.dataset}"


rule fair_table:
    input:
        scores="<results>/fair/scores/{dataset}.csv",
        lesion_scores=of_dataset("<results>/fair/lesion_scores/{dataset}/{noise}.csv", CONFIG.fair.noises),
        validation=of_dataset("<results>/fair/validation/scores/{dataset}/{noise}.csv", CONFIG.fair.noises),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        expand("<results>/fair/tables/{{dataset}}_{{budget}}{kind}", kind=TABLE_FILES),
        report(
            "<results>/fair/tables/{dataset}_{budget}.html",
            caption="../report/fair_table.rst",
            category="Fair comparison",
            labels=in_report(Result="Table, same {budget}"),
        ),
    log:
        "<logs>/fair/tables/{dataset}_{budget}.log",
    benchmark:
        "<benchmarks>/fair/tables/{dataset}_{budget}.tsv"
    resources:
        **needs("fair_table"),
    params:
        code=code_hash("fplbench.reporting.fair", "fplbench.reporting.writing"),
        folder=subpath(output[0], parent=True),
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parent,
        validation=lambda wildcards, input: Path(input.validation[0]).parents[2],
        budget=FAIR_BUDGET,
        shown=shown,
    message:
        "Writing the fair table of {wildcards.dataset}, with FPL's {wildcards.budget}"
    shell:
        "fplbench fair-table {input.scores:q} {wildcards.dataset} --out-dir {params.folder:q} --config {input.config:q}"
        " --budget {wildcards.budget} --lesion-scores {params.lesion_scores:q} --validation {params.validation:q}"
        " --sampling {input.sampling:q} > {log:q} 2>&1"


rule fair_summary:
    input:
        scores="<results>/fair/scores.csv",
        lesion_scores=of_cells("<results>/fair/lesion_scores/{dataset}/{noise}.csv", CONFIG.fair.noises),
        validation=of_cells("<results>/fair/validation/scores/{dataset}/{noise}.csv", CONFIG.fair.noises),
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=FAIR_DATASETS),
        config=RESOLVED,
    output:
        report(
            "<results>/fair/summary.md",
            caption="../report/fair_summary.rst",
            category="Fair comparison",
            labels={"Data set": "all", "Result": "What FPL wins and loses"},
        ),
    log:
        "<logs>/fair/summary.log",
    benchmark:
        "<benchmarks>/fair/summary.tsv"
    resources:
        **needs("fair_summary"),
    params:
        code=code_hash("fplbench.reporting.fair_summary"),
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parents[1],
        validation=lambda wildcards, input: Path(input.validation[0]).parents[2],
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        budget=FAIR_BUDGET,
        shown=[str(presentation(CONFIG, dataset)) for dataset in FAIR_DATASETS],
    message:
        "Telling what FPL wins and loses in the fair comparison"
    shell:
        "fplbench fair-summary {output:q} {input.scores:q} --config {input.config:q} --data {params.data:q}"
        " --lesion-scores {params.lesion_scores:q} --validation {params.validation:q} > {log:q} 2>&1"


use rule collate as collate_all_fair with:
    input:
        expand(
            "<results>/fair/scores/{dataset}.csv",
            dataset=FAIR_DATASETS,
        ),
    output:
        "<results>/fair/scores.csv",
    log:
        "<logs>/fair/collate/all.log",
    benchmark:
        "<benchmarks>/fair/collate/all.tsv"


use rule cost as fair_cost with:
    input:
        **one_network_each(CONFIG.columns | CONFIG.fair_columns, CONFIG.fair.noises),
        scores="<results>/fair/scores.csv",
        costs=of_cells("<results>/cost/{dataset}/{noise}/{group}.csv", CONFIG.fair.noises, group=[*GROUPS, *FAIR_GROUPS]),
        config=RESOLVED,
    output:
        table="<results>/fair/cost.csv",
        figure=report(
            "<results>/fair/cost.png",
            caption="../report/cost_figure.rst",
            category="Fair comparison",
            labels={"Data set": "all", "Result": "Quality and cost"},
        ),
    log:
        "<logs>/fair/cost.log",
    benchmark:
        "<benchmarks>/fair/cost.tsv"
    params:
        groups=[f"--group={group}" for group in [*GROUPS, *FAIR_GROUPS]],
    message:
        "Comparing quality with cost in the fair comparison"
