# How trainings and methods become jobs: their files, options and arguments of the command line.


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


def networks_first(group, stacks):
    """The networks of a cell, whose training the filters of a group wait for; their content does not matter."""
    if CONFIG.keep_denoised or trained_weights(stacks):
        return {}
    columns = GROUPS if group in GROUPS else GROUPS | FAIR_GROUPS
    paths = {path for each in columns.values() for path in trained_weights(each).values()}
    return {"networks": [ancient(path) for path in sorted(paths)]}


def one_network_each(columns, noises):
    """One weight file of each column that the workflow trains, as named inputs: those of the first cell."""
    first = dict(zip(["dataset", "noise"], CONFIG.cells(noises)[0]))
    return {name: expand(path, **first)[0] for name, path in trained_weights(columns).items()}


def network_arguments(wildcards, input):
    """The networks to be counted, as the command line takes them."""
    columns = CONFIG.columns | CONFIG.fair_columns
    found = {name: path for name, column in columns.items() if (path := CONFIG.weights_of(column))}
    found |= {name.removeprefix("weights_"): path for name, path in input.items() if name.startswith("weights_")}
    return [f"--network={name}={path}" for name, path in found.items()]


def numerics_of(stacks):
    """How the networks of a group compute; filters do not load torch."""
    return NUMERICS if any(column.method.gpu for column in stacks.values()) else "{}"


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
    return (wildcards.dataset, wildcards.noise) in INSERTED_CELLS


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
