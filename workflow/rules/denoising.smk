# Noisy test stack -> denoised stack: one rule for each column of the tables, named after it. Methods in other languages are the
# rule files in baselines/, and those that the config's custom_rules name.


def weights_of(column):
    """The weight file of a column's method, where the workflow trains it."""
    if CONFIG.weights_of(column):
        return {}
    if column.method.weights in ("fpl", "residual_cnn", "cvf_sid"):
        return {"weights": f"<results>/models/{{dataset}}/{{noise}}/{column.method.weights}.safetensors"}
    if column.method.weights == "drunet":
        return {"weights": "<results>/models/{dataset}/drunet.safetensors"}
    return {}


def given_weights(column):
    """The weight file that the config names, with its size and time of change, so that another one runs the rule again."""
    path = CONFIG.weights_of(column)
    if path is None or not Path(path).exists():
        return path or ""
    return f"{path} {Path(path).stat().st_size} {Path(path).stat().st_mtime_ns}"


def weights_argument(column):
    """The weight file as the command line takes it: trained here, or named in the config."""
    given = CONFIG.weights_of(column)

    def argument(wildcards, input):
        path = input.get("weights", given)
        return f"--weights={path}" if path else ""

    return argument


def device_of(column):
    """The device that the config names for a method, or the machine's."""
    return column.place.get("device", device)


def chosen_options(column):
    """The file with the options that tuning chose."""
    return {"chosen": f"<results>/tuned/{{dataset}}/{{noise}}/{column.name}.json"} if column.tuned else {}


def method_code(name):
    """Hash of the code a method runs on."""
    method = METHODS[name]
    own = f"baselines/{method.function.__module__.rpartition('.')[2]}.py"
    shared = [f"baselines/{name}.py" for name in ("registration", "running", "noise_level")]
    return code(own, *shared, *(["networks"] if method.gpu else []))


for column in CONFIG.columns.values():

    if column.tuned:

        rule:
            name:
                f"tune_{column.name}"
            input:
                **weights_of(column),
                clean="<results>/data/{dataset}/train.npy",
                noisy="<results>/noisy/{dataset}/{noise}/train.npy",
            output:
                **chosen_options(column),
                search=f"<results>/tuned/{{dataset}}/{{noise}}/{column.name}.csv",
            log:
                f"<logs>/tune/{{dataset}}/{{noise}}/{column.name}.log",
            benchmark:
                f"<benchmarks>/tune/{{dataset}}/{{noise}}/{column.name}.tsv"
            conda:
                "../../envs/environment.yaml"
            resources:
                gpu=int(column.method.gpu),
                mem_mb=4000 if column.method.gpu else 1000,
            params:
                device=device_of(column),
                method=column.method.name,
                options=as_json(column.options),
                weights=weights_argument(column),
                given=given_weights(column),
                images=CONFIG.tuning.images,
                criterion=CONFIG.tuning.criterion,
                code=method_code(column.method.name),
            message:
                "Tuning {params.method} on {wildcards.noise} of {wildcards.dataset}"
            shell:
                "fplbench tune {params.method} {input.clean:q} {input.noisy:q} {output.chosen:q} --search {output.search:q}"
                " --options {params.options:q} {params.weights:q} --images {params.images} --criterion {params.criterion}"
                " --device {params.device} --threads {threads} > {log:q} 2>&1"

    if column.method is not None:

        rule:
            name:
                f"denoise_{column.name}"
            input:
                **weights_of(column),
                **chosen_options(column),
                noisy="<results>/noisy/{dataset}/{noise}/test.npy",
            output:
                stack=DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{column.name}.npy"),
                index=f"<results>/denoised/{{dataset}}/{{noise}}/{column.name}.csv",
            log:
                f"<logs>/denoise/{{dataset}}/{{noise}}/{column.name}.log",
            benchmark:
                f"<benchmarks>/denoise/{{dataset}}/{{noise}}/{column.name}.tsv"
            conda:
                "../../envs/environment.yaml"
            threads: 4 if column.method.name == "nlm" else 1
            resources:
                gpu=int(column.method.gpu),
                mem_mb=4000 if column.method.gpu else 1000,
            params:
                device=device_of(column),
                method=column.method.name,
                options=as_json(column.options),
                weights=weights_argument(column),
                given=given_weights(column),
                chosen=lambda wildcards, input: f"--options-file={input.chosen}" if "chosen" in input.keys() else "",
                code=method_code(column.method.name),
            message:
                "Denoising {wildcards.noise} of {wildcards.dataset} with {params.method}"
            shell:
                "fplbench denoise {params.method} {input.noisy:q} {output.stack:q} --options {params.options:q}"
                " {params.chosen:q} {params.weights:q} --device {params.device} --threads {threads} > {log:q} 2>&1"


# A rule file of this repository is read where the config has its method.
OWN_RULES = Path(workflow.basedir) / "workflow" / "rules" / "baselines"

for path in [*(OWN_RULES / f"{name}.smk" for name in CONFIG.columns), *map(Path, CONFIG.custom_rules)]:
    if path.exists():

        include: str(path.resolve())


check_rules_of_methods()
