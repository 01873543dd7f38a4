# fplbench: Tables 2 to 4 of Dong and Basu (arXiv 2310.20101), and your method beside them.
#
#   snakemake --cores 8 --resources gpu=1           the paper
#   snakemake results/tables/lits.tex               one table
#   snakemake TARGET --configfile config/demo.yaml  another config, complete in itself

from fplbench.doctor.screen import FailedJobs, PlainErrors, shorten
from snakemake.utils import min_version

min_version("9.12")

# Before anything can fail: what is wrong is said in sentences, and the last lines of a failed job's log are shown.
FAILED_JOBS = FailedJobs()
shorten(FAILED_JOBS, logger)
logger.addFilter(PlainErrors(lambda: possible_targets()))


if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/columns.smk"
include: "workflow/rules/variants.smk"
include: "workflow/rules/checks.smk"


# One environment for every rule, used with `--sdm apptainer` only: an image built from envs/Dockerfile.
container: "envs/fplbench.sif"


report: "workflow/report/workflow.rst"


pathvars:
    results=CONFIG.results,
    logs=f"{CONFIG.results}/logs",
    benchmarks=f"{CONFIG.results}/benchmarks",


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    noise="|".join(CONFIG.noises),
    split="train|validation|test",


localrules:
    all,
    write_config,


rule all:
    default_target: True
    input:
        expand("<results>/tables/{dataset}.{kind}", dataset=CONFIG.datasets, kind=["tex", "md", "csv", "html"]),
        [f"<results>/figures/{name}.png" for name in figure_captions(CONFIG)],
        EXAMPLES,
        "<results>/config.json",
        "<results>/scores.csv",
        expand("<results>/explorer/{dataset}.html", dataset=CONFIG.datasets),
        expand("<results>/paper/{dataset}.html", dataset=CONFIG.published),
        "<results>/lesions.md",
        "<results>/cost.csv",
        "<results>/report.html",
        "<results>/run.json",


include: "workflow/rules/config.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/noise.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/denoising.smk"
include: "workflow/rules/scoring.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/reporting.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/manifest.smk"
include: "workflow/rules/lesions.smk"
include: "workflow/rules/fair.smk"
include: "workflow/rules/draws.smk"
include: "workflow/rules/ablation.smk"
include: "workflow/rules/ablation_scores.smk"
include: "workflow/rules/generalisation.smk"
include: "workflow/rules/detectability.smk"
