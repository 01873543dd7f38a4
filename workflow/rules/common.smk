# The checked config, and what several rule files need.

import hashlib
import json
import re
from functools import cache
from pathlib import Path

import fplbench
from fplbench.methods import METHODS
from fplbench.config import load_config
from fplbench.datasets import check_root
from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.training import TRAINING_VERSION

try:
    CONFIG = load_config(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# One GPU job at a time, unless --resources says otherwise (on its own, Snakemake ignores a limit that no one sets).
workflow.global_resources.setdefault("gpu", 1)


@cache
def code(*parts):
    """Hash of parts of the package: as a parameter of a cheap rule, it runs the rule again when they change."""
    package = Path(fplbench.__file__).parent
    files = sorted(file for part in parts for file in [package / part, *package.glob(f"{part}/**/*.py")] if file.is_file())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def as_json(options):
    """Options as the command line takes them."""
    return json.dumps(options, sort_keys=True)


# Methods of the figure of a data set, in the order of its panels: the paper's (Figures 3 to 5), or what there is.
DENOISERS = [name for name in CONFIG.columns if name != "noisy"]
FIGURE_METHODS = [name for name in ("fpl", "dpir", "wavelet", "filter_combination") if name in DENOISERS] or DENOISERS[:4]

# Figures of the report, with their captions.
LABELLED = Labels()
SHOWN = f"noise: {LABELLED.noise(CONFIG.figures.noise)}"
FIGURES = {"noises": "The noises on one image."}
if DENOISERS:
    FIGURES["cost"] = "Mean PSNR against seconds an image, the start of each command included."
if CONFIG.trains_fpl:
    FIGURES["training"] = f"Training, {SHOWN}."
if DENOISERS:
    FIGURES |= {dataset: f"{LABELLED.dataset(dataset)}: one test image, {SHOWN}." for dataset in CONFIG.datasets}
if DENOISERS and CONFIG.explains:
    FIGURES |= {
        f"{dataset}_features": f"{LABELLED.dataset(dataset)}: feature maps of one test image, {SHOWN}."
        for dataset in CONFIG.datasets
    }

EXPLANATION = as_json(CONFIG.explanation.model_dump(mode="json"))
IMAGE = f"--image {CONFIG.figures.image}" if CONFIG.figures.image is not None else ""

# Column headings that are not the registry's.
LABELS = as_json(
    {
        column.name: column.label
        for column in CONFIG.columns.values()
        if column.method is None or column.label != column.method.label
    }
)

# Denoised stacks go once they are scored.
DENOISED = str if CONFIG.keep_denoised else temp


def device(wildcards, resources):
    """The CPU where no GPU is to be used (--resources gpu=0), else what the machine has.

    Snakemake does not record parameters that derive from resources: another device runs nothing again.
    """
    return "auto" if resources.gpu else "cpu"


def one_noise(path, **axes):
    """Paths of the noise that the figures show."""
    return expand(path, noise=CONFIG.figures.noise, **axes)


def named_stacks(datasets, paths):
    """Stacks as the command line takes them: lidc=PATH."""
    return [f"{dataset}={path}" for dataset, path in zip(datasets, paths)]


def foreign_weights(wildcards):
    """The denoiser trained on another data set, or on another noise."""
    axes = {"dataset": wildcards.dataset, "noise": wildcards.noise, wildcards.across: wildcards.trained}
    return "<results>/models/{dataset}/{noise}/fpl.safetensors".format(**axes)


def foreign_scores(wildcards):
    """Score files of every pair of one axis, and those of the noisy images."""
    trained = CONFIG.datasets if wildcards.across == "dataset" else CONFIG.generalisation
    return expand(
        f"<results>/generalisation/{wildcards.across}/scores/{{dataset}}/{{noise}}/{{trained}}.csv",
        dataset=CONFIG.datasets,
        noise=CONFIG.generalisation,
        trained=[*trained, "noisy"],
    )


for path in map(Path, CONFIG.custom_rules):
    if not path.exists():
        raise WorkflowError(f"The rule file {path} of custom_rules does not exist.")


def check_rules_of_methods():
    """Stop where a method of the config is to come from a rule of the user's that is not there."""
    found = {rule.name for rule in workflow.rules}
    for column in CONFIG.columns.values():
        if column.method is None and f"denoise_{column.name}" not in found:
            raise WorkflowError(
                f"methods.{column.name} has rule: true, but there is no rule denoise_{column.name}. Name its file under "
                f"custom_rules, or put it at workflow/rules/baselines/{column.name}.smk."
            )


onstart:
    # Not in a dry run: the plan can be had without the data.
    jobs = {(job.rule.name, job.wildcards_dict.get("dataset")) for job in workflow.dag.needrun_jobs()}
    checks = [
        (check_root, dataset, CONFIG.dataset_options(dataset)["root"])
        for dataset in CONFIG.datasets
        if ("sample_images", dataset) in jobs
    ]
    if any(rule_name.startswith("denoise_") for rule_name, _ in jobs):
        checks.append((CONFIG.check_weights,))
    problems = []
    for check, *arguments in checks:
        try:
            check(*arguments)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise WorkflowError("\n".join(problems))
