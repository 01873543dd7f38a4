# Scores -> Tables 2 to 4, the costs and report.html.

TABLE_FILES = [".tex", ".md", ".csv", "_intervals.tex"]  # beside the page


rule table:
    input:
        scores="<results>/scores/{dataset}.csv",
        lesion_scores=of_dataset("<results>/lesion_scores/{dataset}/{noise}.csv"),
        validation=of_dataset("<results>/validation/scores/{dataset}/{noise}.csv"),
        sampling="<results>/data/{dataset}/sampling.json",
        config=RESOLVED,
    output:
        expand("<results>/tables/{{dataset}}{kind}", kind=TABLE_FILES),
        report(
            "<results>/tables/{dataset}.html",
            caption="../report/table.rst",
            category="Tables",
            labels=in_report(Table="Means of all scores"),
        ),
    log:
        "<logs>/tables/{dataset}.log",
    benchmark:
        "<benchmarks>/tables/{dataset}.tsv"
    resources:
        **needs("table"),
    params:
        code=code_hash("fplbench.reporting.tables", "fplbench.reporting.writing"),
        folder=subpath(output[0], parent=True),
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parent,
        validation=lambda wildcards, input: Path(input.validation[0]).parents[2],
        shown=shown,
    message:
        "Writing the table of {wildcards.dataset}"
    shell:
        "fplbench table {input.scores:q} {wildcards.dataset} --out-dir {params.folder:q} --config {input.config:q}"
        " --lesion-scores {params.lesion_scores:q} --validation {params.validation:q} --sampling {input.sampling:q}"
        " > {log:q} 2>&1"


rule cost:
    input:
        **one_network_each(CONFIG.columns, CONFIG.noises),
        scores="<results>/scores.csv",
        costs=of_cells("<results>/cost/{dataset}/{noise}/{group}.csv", group=GROUPS),
        config=RESOLVED,
    output:
        table="<results>/cost.csv",
        figure=report(
            "<results>/figures/cost.png",
            caption="../report/cost_figure.rst",
            category="Figures",
            subcategory="Training and cost",
            labels={"Data set": "all", "Figure": "Quality and cost"},
        ),
    log:
        "<logs>/cost.log",
    benchmark:
        "<benchmarks>/cost.tsv"
    resources:
        **needs("cost"),
    params:
        costs=lambda wildcards, input: Path(input.costs[0]).parents[2],
        benchmarks=f"{CONFIG.results}/benchmarks/denoise",
        groups=[f"--group={group}" for group in GROUPS],
        networks=network_arguments,
        code=code_hash("fplbench.reporting.cost", "fplbench.reporting.cost_figure"),
        shown=shown,
    message:
        "Comparing quality with cost"
    shell:
        "fplbench cost {output.table:q} {input.scores:q} {params.costs:q} --benchmarks {params.benchmarks:q}"
        " {params.groups} {params.networks:q} --figure {output.figure:q} --config {input.config:q} > {log:q} 2>&1"


rule report:
    input:
        scores="<results>/scores.csv",
        run="<results>/run.json",
        figures=[f"<results>/figures/{name}.png" for name in FIGURES],
        lesion_scores=of_cells("<results>/lesion_scores/{dataset}/{noise}.csv"),
        validation=of_cells("<results>/validation/scores/{dataset}/{noise}.csv"),
        sampling=expand("<results>/data/{dataset}/sampling.json", dataset=CONFIG.datasets),
        explorer=expand("<results>/explorer/{dataset}.html", dataset=CONFIG.datasets),
        paper=expand("<results>/paper/{dataset}.html", dataset=CONFIG.published),
        config=RESOLVED,
    output:
        report(
            "<results>/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"Data set": "all", "Page": "The report"},
        ),
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    resources:
        **needs("report"),
    params:
        code=code_hash("fplbench.reporting.report"),
        figures=lambda wildcards, input: Path(input.figures[0]).parent,
        shown=[str(presentation(CONFIG, dataset)) for dataset in CONFIG.datasets],
        captions=as_json(FIGURES),
        lesion_scores=lambda wildcards, input: Path(input.lesion_scores[0]).parents[1],
        validation=lambda wildcards, input: Path(input.validation[0]).parents[2],
        data=lambda wildcards, input: Path(input.sampling[0]).parents[1],
        explorer=lambda wildcards, input: Path(input.explorer[0]).parent,
        paper=lambda wildcards, input: [f"--paper={Path(path).parent}" for path in input.paper[:1]],
    message:
        "Writing the report"
    shell:
        "fplbench report {output:q} {input.scores:q} --run {input.run:q} --figures {params.figures:q} --config {input.config:q}"
        " --lesion-scores {params.lesion_scores:q} --validation {params.validation:q} --data {params.data:q}"
        " --explorer {params.explorer:q} {params.paper:q} > {log:q} 2>&1"
