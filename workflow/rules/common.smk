# The checked config, and what several rule files need.

import hashlib
import itertools
import json
import os
import re
from pathlib import Path

from fplbench.code_hash import code_hash
from fplbench.config import load_config
from fplbench.config.ablation import AS_PUBLISHED, CONTROLS, SAME_SECONDS, SAME_STEPS
from fplbench.config.columns import check_packages, check_weights, left_out
from fplbench.config.fits import fit_name, with_repeats
from fplbench.datasets import check_root
from fplbench.denoising.columns import FAIR_GROUP, grouped
from fplbench.denoising.registry import METHODS
from fplbench.errors import InputError
from fplbench.explaining.options import LESION_EXPLANATION, ExplanationOptions
from fplbench.explaining.registry import FEATURES
from fplbench.files import write_text
from fplbench.gpu_lease import SHARE
from fplbench.noise import NOISES
from fplbench.planning.asking import Job
from fplbench.planning.disk import check_space
from fplbench.planning.images import inserted_cells
from fplbench.planning.resources import JobNeeds
from fplbench.reporting.captions import denoisers, figure_captions, figure_methods, labels_of, presentation
from fplbench.reporting.sharing import sharing_note
from fplbench.scoring.registry import ALWAYS, SCORES, in_order
from fplbench.training import TRAINING_VERSION, TRAININGS

try:
    CONFIG = load_config(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# As many GPU jobs at once as share one GPU, unless --resources says otherwise (on its own, Snakemake ignores a limit that no one
# sets). Each takes a lease of a GPU, which has as many places as the variable says.
os.environ[SHARE] = str(CONFIG.gpu_share)
GPUS = workflow.global_resources.setdefault("gpu", CONFIG.gpu_share)
GPUS = getattr(GPUS, "value", GPUS)  # Snakemake's own type, if it comes from the command line

SPLITS = ["train", "validation", "test"]
INSERTED_SPLITS = [f"inserted_{split}" for split in SPLITS]
JOINED_SPLITS = [f"joined_{split}" for split in SPLITS]
# The data sets of which Hounsfield units are kept, for noises that are made from them.
HOUNSFIELD = [dataset for dataset in CONFIG.datasets if any(NOISES[name].needs == "hu" for name in CONFIG.noises_of(dataset))]
# The data sets of pairs, of which the noisy images are kept.
PAIRED = [dataset for dataset in CONFIG.datasets if dataset not in CONFIG.unpaired]
# The cells that are also scored on inserted lesions.
INSERTED_CELLS = inserted_cells(CONFIG)
LESION_KINDS = [".npy", ".csv", "_lesions.npy", "_lesions.csv"]  # a stack, its index, its lesions, their table

# The example figures that are PDFs too.
EXAMPLES = [f"<results>/figures/{dataset}.pdf" for dataset in CONFIG.datasets if denoisers(CONFIG)]

NOTHING = "(?!)"  # matches no wildcard

# Reporting reads the resolved config. Such a rule has what it takes from there as a parameter (`shown`), and the file itself as
# an ancient input, so that a change of other keys does not run it again.
RESOLVED_CONFIG = json.dumps(CONFIG.resolved(), indent=1) + "\n"
RESOLVED = ancient("<results>/config.json")

# What a training can read.
TRAINING_INPUTS = {
    "clean": "<results>/data/{dataset}/train.npy",
    "noisy": "<results>/noisy/{dataset}/{noise}/train.npy",
    "validation_clean": "<results>/data/{dataset}/validation.npy",
    "validation_noisy": "<results>/noisy/{dataset}/{noise}/validation.npy",
    "explained": "<results>/models/{dataset}/restoration.safetensors",
    "features": "<results>/features/{dataset}/default/train.npy",
}
# The network that finds lesions has the copies with inserted ones too.
LESION_INPUTS = {
    "clean": "<results>/data/{dataset}/joined_train.npy",
    "lesions": "<results>/data/{dataset}/joined_train_lesions.npy",
    "validation_clean": "<results>/data/{dataset}/joined_validation.npy",
    "validation_lesions": "<results>/data/{dataset}/joined_validation_lesions.npy",
}
# Columns by the name of their job and of their stack; those of the fair comparison have jobs of their own.
GROUPS = {group: with_repeats(columns, CONFIG) for group, columns in grouped(CONFIG.columns).items()}
FAIR_GROUPS = {f"{FAIR_GROUP}{group}": with_repeats(columns, CONFIG) for group, columns in grouped(CONFIG.fair_columns).items()}
# The stacks of all columns, and of those that are made by a method of the package.
STACKS = with_repeats(CONFIG.columns.values(), CONFIG)
FAIR_STACKS = STACKS | with_repeats(CONFIG.fair_columns.values(), CONFIG)
METHOD_STACKS = [name for name, column in STACKS.items() if column.method]
FAIR_METHOD_STACKS = [name for name, column in FAIR_STACKS.items() if column.method]

# What score jobs compute, and its code: the registry finds the metrics by name.
METRICS = [f"--metric={name}" for name in in_order([*ALWAYS, *CONFIG.metrics])]
NUMERICS, TRAINING_NUMERICS = CONFIG.computing.as_json(), CONFIG.computing.as_json(trains=True)
METRICS_CODE = code_hash(
    "fplbench.scoring.cells", "fplbench.scoring.hashes", *sorted({SCORES[name].function.__module__ for name in CONFIG.metrics})
)


def inputs_of(training):
    """What a training can read, by name."""
    return TRAINING_INPUTS | LESION_INPUTS if "lesions" in training.inputs else TRAINING_INPUTS


# With keep_denoised: false, denoised stacks go once they are scored. What uses them is started before anything else, filters wait for
# the networks of their cell, and pages read copies of the images that they show: so few stacks are on the disk at once.
DENOISED = str if CONFIG.keep_denoised else temp
USES_DENOISED = 0 if CONFIG.keep_denoised else 30
SHOWN = "denoised" if CONFIG.keep_denoised else "shown"


def loader_options(dataset):
    """Options of a data set's loader, without what pages say of it, for which nothing is to be sampled again."""
    left_out = ("licence", "label")
    return {name: value for name, value in CONFIG.dataset_options(dataset).items() if name not in left_out}


# What is explained, by the name of the folder of its feature maps; the ablation adds more.
EXPLANATIONS = {"default": CONFIG.explanation.model_dump(mode="json")}


def as_json(options):
    """Options as the command line takes them."""
    return json.dumps(options, sort_keys=True)


def code_of(function, *modules):
    """Hash of the code of a registered function and of the modules that run it."""
    return code_hash(function.__module__, *modules)


def device(wildcards, resources):
    """The CPU where no GPU is to be used (--resources gpu=0), else what the machine has.

    Snakemake does not record parameters that derive from resources, so a change of the device re-runs nothing.
    """
    return "auto" if resources.gpu else "cpu"


# Cores, memory and minutes of the jobs of a rule; where no GPU is used, networks have their activations in the memory of the
# processor.
JOBS = JobNeeds(CONFIG, gpu=GPUS != 0)
needs = JOBS.of


def shown(wildcards):
    """What tables and figures of a data set take from the config."""
    return str(presentation(CONFIG, wildcards.get("dataset", "")))


def in_report(**labels):
    """Function: what Snakemake's own report calls an output, after the data set that it is of."""
    return lambda wildcards: {"Data set": labels_of(CONFIG).dataset(wildcards.dataset), **labels}


def one_noise(path, **axes):
    """Function: paths of the noise that the figures of a data set show."""
    return lambda wildcards: expand(path, noise=CONFIG.figure_noise(wildcards.dataset), allow_missing=True, **axes)


def named_stacks(datasets, paths):
    """Stacks as the command line takes them: lidc=PATH."""
    return [f"{dataset}={path}" for dataset, path in zip(datasets, paths)]


def of_dataset(path, noises=None, **axes):
    """Function: a path for each noise of the data set, or for those among some noises."""

    def paths(wildcards):
        cells = CONFIG.cells(noises)
        return expand(path, noise=[noise for dataset, noise in cells if dataset == wildcards.dataset], allow_missing=True, **axes)

    return paths


def of_cells(path, noises=None, **axes):
    """A path for each data set and noise."""
    return [each for dataset, noise in CONFIG.cells(noises) for each in expand(path, dataset=dataset, noise=noise, **axes)]


def further_stacks(wildcards):
    """The stacks that a noise is made from besides the clean ones: of Hounsfield units, or of the noisy images of pairs."""
    kind = {"hu": "hu", "pair": "noisy"}.get(NOISES[wildcards.noise].needs)
    return expand("<results>/data/{dataset}/{split}_{kind}.npy", split=SPLITS, kind=kind, allow_missing=True) if kind else []


def with_noises(key, noises, paths):
    """Function: the paths that a target makes, or a message where there is no noise for it."""

    def targets(wildcards):
        if not noises:
            raise WorkflowError(
                f"{key} names no noise, and none is on all data sets: name one that is, with a config of these alone."
            )
        return paths

    return targets


def fair_tables(wildcards):
    """The tables of the fair comparison and its costs.

    Raises:
        WorkflowError: the protocol is another one.
    """
    if CONFIG.protocol != "fair":
        raise WorkflowError("snakemake fair needs a config with protocol: fair, such as config/fair.yaml or config/demo.yaml.")
    if not CONFIG.trains_fpl:
        raise WorkflowError("snakemake fair compares with FPL: name fpl under methods, without weights.")
    tables = expand("<results>/fair/tables/{name}_{budget}.md", name=FAIR_DATASETS, budget=CONFIG.fair.budgets)
    return [*tables, "<results>/fair/summary.md", "<results>/fair/cost.csv"]


def code_of_features(names):
    """Hash of the code that finds some features, which the registry imports by name."""
    return code_hash("fplbench.explaining.maps", *sorted({FEATURES[name].function.__module__ for name in names}))


def code_of_explanation(name):
    """Hash of the code that finds the features of an explanation."""
    return code_of_features([EXPLANATIONS[name]["feature"]])


def joined_parts(wildcards):
    """A split, and its copies with inserted lesions where the data set has some; each with its index and lesions."""
    splits = ["", "inserted_"] if wildcards.dataset in CONFIG.inserted.datasets else [""]
    names = [f"{kind}{wildcards.split}" for kind in splits]
    return expand("<results>/data/{dataset}/{name}{kind}", name=names, kind=LESION_KINDS, allow_missing=True)
