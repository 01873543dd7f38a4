# The checked config, and what several rule files need.

import json
from pathlib import Path

import fplbench
from fplbench.baselines import BASELINES
from fplbench.config import load_config
from fplbench.datasets import check_root
from fplbench.errors import InputError
from fplbench.training import TRAINING_VERSION

try:
    CONFIG = load_config(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# One GPU job at a time, unless --resources says otherwise (on its own, Snakemake ignores a limit that no one sets).
workflow.global_resources.setdefault("gpu", 1)


def code(*parts):
    """Files of parts of the package: a change in them runs the rule again."""
    package = Path(fplbench.__file__).parent
    return sorted(str(file) for part in parts for file in package.glob(f"{part}/**/*.py" if "." not in part else part))


def as_json(options):
    """Options as the command line takes them."""
    return json.dumps(options, sort_keys=True)


# Methods of the figure of a data set, in the order of its panels (the paper's Figures 3 to 5).
FIGURE_METHODS = ("fpl", "dpir", "wavelet", "filter_combination")

# Denoised stacks go once they are scored.
DENOISED = str if CONFIG.keep_denoised else temp


def device(wildcards, resources):
    """The CPU where no GPU is to be used (--resources gpu=0), else what the machine has."""
    return "auto" if resources.gpu else "cpu"


onstart:
    # Not in a dry run: the plan can be had without the data.
    rules_to_run = {(job.rule.name, job.wildcards_dict.get("dataset")) for job in workflow.dag.needrun_jobs()}
    try:
        for rule_name, dataset in sorted(rules_to_run, key=str):
            if rule_name == "sample_images":
                check_root(dataset, CONFIG.dataset_options(dataset)["root"])
    except InputError as error:
        raise WorkflowError(str(error)) from None
