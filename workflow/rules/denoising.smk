# Noisy test stack -> denoised stacks. The methods of a group run in one job for each data set and noise, which tunes them where
# the config asks for it and measures their cost. Methods in other languages are the rule files in baselines/, and those that
# the config's custom_rules name.


def groups():
    """Columns by the name of their job: filters, networks, or the column's own where its method runs alone."""
    found = {}
    for column in CONFIG.columns.values():
        if column.method is not None:
            group = column.name if column.method.group == "alone" else column.method.group
            found.setdefault(group, []).append(column)
    return found


def trained_weights(columns):
    """Weight files of columns that the workflow trains, by column."""
    found = {column.name: CONFIG.training_of(column) for column in columns}
    return {name: f"{model_of(training)}.safetensors" for name, training in found.items() if training}


def given_weights(columns):
    """Weight files that the config names, with size and time of change, so that another file runs the rule again."""
    found = []
    for path in filter(None, map(CONFIG.weights_of, columns)):
        status = Path(path).stat() if Path(path).exists() else None
        found.append(f"{path} {status.st_size} {status.st_mtime_ns}" if status else path)
    return found


def runs_of(columns):
    """Function: how the methods of a group run, as the command line takes it."""

    def runs(wildcards, input):
        found = {}
        for column in columns:
            weights = input.get(column.name, CONFIG.weights_of(column))
            run = {
                "method": column.method.name,
                "options": dict(column.options),
                "tune": column.tuned,
                "weights": weights,
                "device": column.place.get("device"),
            }
            found[column.name] = {key: value for key, value in run.items() if value}
        return as_json(found)

    return runs


def tuning_arguments(wildcards, input, output):
    """The training images that options are chosen on, where any column is tuned."""
    if "train_clean" not in input.keys():
        return []
    return [
        f"--train-clean={input.train_clean}",
        f"--train-noisy={input.train_noisy}",
        f"--tuned-dir={Path(output.tuned[0]).parent}",
        f"--images={CONFIG.tuning.images}",
        f"--criterion={CONFIG.tuning.criterion}",
    ]


def training_stacks(columns):
    """The training images, where any column is tuned."""
    if not any(column.tuned for column in columns):
        return {}
    return {"train_clean": TRAINING_INPUTS["clean"], "train_noisy": TRAINING_INPUTS["noisy"]}


for group, columns in groups().items():

    rule:
        name:
            f"denoise_{group}"
        input:
            **trained_weights(columns),
            **training_stacks(columns),
            noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        output:
            stacks=[DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{column.name}.npy") for column in columns],
            indices=[f"<results>/denoised/{{dataset}}/{{noise}}/{column.name}.csv" for column in columns],
            tuned=[
                f"<results>/tuned/{{dataset}}/{{noise}}/{column.name}.{kind}"
                for column in columns
                if column.tuned
                for kind in ("json", "csv")
            ],
            cost=f"<results>/cost/{{dataset}}/{{noise}}/{group}.csv",
        log:
            f"<logs>/denoise/{{dataset}}/{{noise}}/{group}.log",
        benchmark:
            f"<benchmarks>/denoise/{{dataset}}/{{noise}}/{group}.tsv"
        resources:
            gpu=int(any(column.method.gpu for column in columns)),
            mem_mb=4000 if any(column.method.gpu for column in columns) else 1000,
        params:
            device=device,
            folder=subpath(output[0], parent=True),
            methods=runs_of(columns),
            tuning=tuning_arguments,
            given=given_weights(columns),
            code=code_hash("fplbench.denoising.groups", *(column.method.function.__module__ for column in columns)),
        message:
            f"Denoising {{wildcards.noise}} of {{wildcards.dataset}}: {', '.join(column.name for column in columns)}"
        shell:
            "fplbench denoise-group {input.noisy:q} {params.folder:q} --methods {params.methods:q} --cost {output.cost:q}"
            " {params.tuning:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


# A rule file of this repository is read where the config has its method.
OWN_RULES = Path(workflow.basedir) / "workflow" / "rules" / "baselines"

for path in [*(OWN_RULES / f"{name}.smk" for name in CONFIG.columns), *map(Path, CONFIG.custom_rules)]:
    if path.exists():

        include: str(path.resolve())


def maker(name):
    """The rule that makes the denoised stack of a column."""
    group = next((group for group, columns in groups().items() if name in [column.name for column in columns]), name)
    return f"denoise_{group}"


for name, column in CONFIG.columns.items():
    if maker(name) not in {rule.name for rule in workflow.rules}:
        raise WorkflowError(
            f"methods.{name} has rule: true, but there is no rule denoise_{name}. Name its file under custom_rules, or put it "
            f"at workflow/rules/baselines/{name}.smk."
        )
