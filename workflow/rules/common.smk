# The checked config, and what several rule files need.

import hashlib
import itertools
import json
import re
from pathlib import Path

from fplbench.code_hash import code_hash
from fplbench.config import load_config
from fplbench.config.columns import check_packages, check_weights, left_out
from fplbench.config.fits import fit_name, with_repeats
from fplbench.datasets import DATASETS, check_root
from fplbench.denoising.columns import grouped
from fplbench.denoising.registry import METHODS
from fplbench.errors import InputError
from fplbench.files import write_text
from fplbench.noise import NOISES
from fplbench.reporting.captions import denoisers, figure_captions, figure_methods, presentation
from fplbench.scoring.registry import ALWAYS, SCORES, in_order
from fplbench.training import TRAINING_VERSION, TRAININGS

try:
    CONFIG = load_config(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# One GPU job at a time, unless --resources says otherwise (on its own, Snakemake ignores a limit that no one sets).
workflow.global_resources.setdefault("gpu", 1)

SPLITS = ["train", "validation", "test"]
INSERTED_SPLITS = [f"inserted_{split}" for split in SPLITS]
# The data sets of which Hounsfield units are kept, for noises that are made from them.
HOUNSFIELD = [dataset for dataset in CONFIG.datasets if any(NOISES[name].needs == "hu" for name in CONFIG.noises_of(dataset))]
# The cells that are also scored on inserted lesions.
INSERTED = {"dataset": CONFIG.inserted.datasets, "noise": CONFIG.inserted.noises}
LESION_KINDS = [".npy", ".csv", "_lesions.npy", "_lesions.csv"]  # a stack, its index, its lesions, their table

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
    "restoration": "<results>/models/{dataset}/restoration.safetensors",
    "features": "<results>/features/{dataset}/default/train.npy",
}
# Columns by the name of their job and of their stack; those of the fair comparison have jobs of their own.
GROUPS = {group: with_repeats(columns, CONFIG) for group, columns in grouped(CONFIG.columns).items()}
FAIR_GROUPS = {f"fair_{group}": with_repeats(columns, CONFIG) for group, columns in grouped(CONFIG.fair_columns).items()}
# The stacks of all columns, and of those that are made by a method of the package.
STACKS = with_repeats(CONFIG.columns.values(), CONFIG)
FAIR_STACKS = STACKS | with_repeats(CONFIG.fair_columns.values(), CONFIG)
METHOD_STACKS = [name for name, column in STACKS.items() if column.method]
FAIR_METHOD_STACKS = [name for name, column in FAIR_STACKS.items() if column.method]

# What score jobs compute, and its code: the registry finds the metrics by name.
METRICS = [f"--metric={name}" for name in in_order([*ALWAYS, *CONFIG.metrics])]
NUMERICS = json.dumps(CONFIG.numerics.model_dump(mode="json"))
METRICS_CODE = code_hash("fplbench.scoring.cells", *sorted({SCORES[name].function.__module__ for name in CONFIG.metrics}))

# With keep_denoised: false, denoised stacks go once they are scored.
DENOISED = str if CONFIG.keep_denoised else temp


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


def shown(wildcards):
    """What tables and figures of a data set take from the config."""
    return str(presentation(CONFIG, wildcards.get("dataset", "")))


def one_noise(path, **axes):
    """Paths of the noise that the figures show."""
    return expand(path, noise=CONFIG.figures.noise, **axes)


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


def hounsfield_stacks(wildcards):
    """The stacks of Hounsfield units, for a noise that is made from them."""
    needed = NOISES[wildcards.noise].needs == "hu"
    return expand("<results>/data/{dataset}/{split}_hu.npy", split=SPLITS, allow_missing=True) if needed else []


def fair_tables(wildcards):
    """The tables of the fair comparison and its costs.

    Raises:
        WorkflowError: the protocol is another one.
    """
    if CONFIG.protocol != "fair":
        raise WorkflowError("snakemake fair needs a config with protocol: fair, such as config/fair.yaml or config/demo.yaml.")
    tables = expand("<results>/fair/tables/{name}_{budget}.md", name=FAIR_DATASETS, budget=CONFIG.fair.budgets)
    return [*tables, "<results>/fair/summary.md", "<results>/fair/cost.csv"]


def model_of(fit, repeat=""):
    """The path of a training's files, without their endings."""
    return str(Path("<results>", "models", *(f"{{{axis}}}" for axis in fit.training.per), f"{fit.name}{repeat}"))


def training_arguments(wildcards, input):
    """The files that a training reads, as the command line takes them."""
    return [f"--{name.replace('_', '-')}={path}" for name, path in input.items() if path]


def repeat_seed(wildcards):
    """The seed of a training, another one for each repeat."""
    return CONFIG.seed + int(wildcards.repeat.removeprefix("-") or 1) - 1


def weights_key(name):
    """The name of the weight file of a stack among the inputs of a job."""
    return f"weights_{name.replace('-', '_repeat_')}"


def trained_weights(stacks):
    """Weight files of columns that the workflow trains, as named inputs."""
    found = {}
    for name, column in stacks.items():
        if training := CONFIG.training_of(column):
            fit = CONFIG.fits[fit_name(training.name, column.budget)]
            found[weights_key(name)] = f"{model_of(fit, name.removeprefix(column.name))}.safetensors"
    return found


def one_network_each(columns, noises):
    """One weight file of each column that the workflow trains, as named inputs: those of the first cell."""
    first = dict(zip(["dataset", "noise"], CONFIG.cells(noises)[0]))
    return {name: expand(path, **first)[0] for name, path in trained_weights(columns).items()}


def network_arguments(wildcards, input):
    """The networks to be counted, as the command line takes them."""
    return [f"--network={name.removeprefix('weights_')}={path}" for name, path in input.items() if name.startswith("weights_")]


def settings_of(stacks):
    """What the jobs of a group depend on besides their input files, for Snakemake to compare with the last run.

    It does not compare parameters that derive from inputs, as the arguments of the command do. A weight file that the config
    names counts with its size and time of change.
    """
    settings = [
        [name, column.method.name, column.options, column.tuned, column.grey_map, column.place] for name, column in stacks.items()
    ]
    for path in filter(None, map(CONFIG.weights_of, stacks.values())):
        status = Path(path).stat() if Path(path).exists() else None
        settings.append([path, *([status.st_size, status.st_mtime_ns] if status else [])])
    fitted = any(column.fitted for column in stacks.values())
    return as_json([sorted(settings, key=str), CONFIG.tuning.model_dump() if fitted else None])


def runs_of(stacks):
    """Function: how the methods of a group run, as the command line takes it."""

    def runs(wildcards, input):
        found = {}
        for name, column in stacks.items():
            run = {
                "method": column.method.name,
                "options": dict(column.options),
                "tune": column.tuned,
                "grey_map": column.grey_map,
                "weights": input.get(weights_key(name), CONFIG.weights_of(column)),
                "device": column.place.get("device"),
            }
            found[name] = {key: value for key, value in run.items() if value}
        return as_json(found)

    return runs


def fitted_files(stacks):
    """What is chosen on training images for the columns of a group: options with their search, and grey maps."""
    folder = "<results>/tuned/{dataset}/{noise}"
    options = [f"{folder}/{name}.{kind}" for name, column in stacks.items() if column.tuned for kind in ("json", "csv")]
    return options + [f"{folder}/{name}_grey_map.json" for name, column in stacks.items() if column.grey_map]


def tuning_arguments(wildcards, input, output):
    """The training images that options and grey maps are chosen on, where any column needs them."""
    if "train_clean" not in input.keys():
        return []
    return [
        f"--train-clean={input.train_clean}",
        f"--train-noisy={input.train_noisy}",
        f"--tuned-dir={Path(output.tuned[0]).parent}",
        f"--images={CONFIG.tuning.images}",
        f"--criterion={CONFIG.tuning.criterion}",
    ]


def training_stacks(stacks):
    """The training images, where anything is chosen on them."""
    if not any(column.fitted for column in stacks.values()):
        return {}
    return {"train_clean": TRAINING_INPUTS["clean"], "train_noisy": TRAINING_INPUTS["noisy"]}


def cells_of_group(group, inserts):
    """The data sets and noises of a group's job, as constraints of wildcards."""
    noises = [noise for noise in CONFIG.noises if group in GROUPS or noise in CONFIG.fair.noises]
    found = {"noise": [noise for noise in noises if not inserts or noise in CONFIG.inserted.noises]}
    if inserts:
        found["dataset"] = CONFIG.inserted.datasets
    return {axis: "|".join(names) or NOTHING for axis, names in found.items()}


def code_of_group(stacks):
    """Hash of the code of the methods of a group, and of what runs them."""
    methods = [column.method for column in stacks.values()]
    modules = sorted({module for method in methods for module in (method.function.__module__, *method.modules)})
    return code_hash("fplbench.denoising.groups", *modules)


def rule_arguments(wildcards, input):
    """The rule that makes each denoised stack, for messages."""
    suffix = "_inserted" if has_inserted(wildcards) else ""
    groups = {name: f"{group}{suffix}" for group, stacks in (GROUPS | FAIR_GROUPS).items() for name in stacks}
    return [f"--rule=denoise_{groups.get(name, name)}" for name in (Path(path).stem for path in input.denoised)]


def has_inserted(wildcards):
    """Whether a cell is scored on inserted lesions too."""
    return all(wildcards[axis] in names for axis, names in INSERTED.items())


def where_inserted(*paths):
    """Function: these files in cells that are scored on inserted lesions too, else none."""
    return lambda wildcards: [*paths] if has_inserted(wildcards) else []


def inserted_arguments(wildcards, input):
    """The images with inserted lesions, clean and denoised, as the command line takes them."""
    clean = [f"--inserted-clean={path}" for path in input.inserted_clean[:1]]  # the stack, which comes first
    return clean + [f"--inserted={path}" for path in input.inserted]


def validation_arguments(wildcards, input, output):
    """The validation images, clean and denoised, and the files of their scores, as the command line takes them."""
    return [
        f"--validation-clean={input.validation_clean[0]}",  # the stack, which comes first
        *(f"--validation={path}" for path in input.validation),
        f"--validation-scores={output.validation}",
        f"--validation-lesion-scores={output.validation_lesions}",
    ]


def check_rule(name):
    """Stop where the rule of a user's method is missing, or does not make what other rules read."""
    found = next((one for one in workflow.rules if one.name == f"denoise_{name}"), None)
    if found is None:
        raise WorkflowError(
            f"methods.{name} has rule: true, but there is no rule denoise_{name}. Name its file under custom_rules, or put it "
            f"at workflow/rules/baselines/{name}.smk."
        )
    for kind in ("npy", "csv"):
        path = f"denoised/{{dataset}}/{{noise}}/{name}.{kind}"
        # Snakemake writes the constraints of wildcards into the paths: {dataset,lidc|lits}.
        outputs = [re.sub(r"{(\w+),[^}]*}", r"{\1}", str(output)) for output in found.output]
        if not any(output.endswith(path) for output in outputs):
            raise WorkflowError(
                f"The rule denoise_{name} does not have the output <results>/{path}, which docs/add-a-baseline.md asks for."
            )


for path in map(Path, CONFIG.custom_rules):
    if not path.exists():
        raise WorkflowError(f"The rule file {path} of custom_rules does not exist.")


try:
    check_packages(CONFIG, [*CONFIG.columns.values(), *CONFIG.fair_columns.values()])
except InputError as error:
    raise WorkflowError(str(error)) from None


onstart:
    # Not in a dry run: the plan can be had without the data.
    jobs = {(job.rule.name, job.wildcards_dict.get("dataset")) for job in workflow.dag.needrun_jobs()}
    compares = any(rule_name.startswith("denoise_fair") for rule_name, _ in jobs)
    for name, reason in left_out(CONFIG).items():
        if name in CONFIG.methods or compares:
            logger.info(f"The column {name} is left out: {reason}")
    checks = [
        (check_root, dataset, CONFIG.dataset_options(dataset)["root"])
        for dataset in CONFIG.datasets
        if jobs & {("sample_images", dataset), ("sample_hounsfield", dataset)}
    ]
    if any(rule_name.startswith("denoise_") for rule_name, _ in jobs):
        checks.append((check_weights, CONFIG))
    problems = []
    for check, *arguments in checks:
        try:
            check(*arguments)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise WorkflowError("\n".join(problems))
    resolved = Path(CONFIG.results) / "config.json"
    if resolved.exists() and resolved.read_text() != RESOLVED_CONFIG:
        write_text(resolved, RESOLVED_CONFIG)


onerror:
    logger.info("The run stopped: the same command continues from here, trainings included. After an error, fix its cause first.")
