# Noisy stack -> denoised stacks of the test and the validation images. The methods of a group run in one job for each data set and
# noise, which chooses their options and grey maps where the config asks for it and measures their cost; where lesions are inserted,
# it denoises those images too. Methods in other languages are the rule files in baselines/, and those that the config's
# custom_rules name.

KINDS = ["npy", "csv"]


for (group, stacks), inserts in itertools.product((GROUPS | FAIR_GROUPS).items(), [False, True] if INSERTED_CELLS else [False]):

    rule:
        name:
            f"denoise_{group}_inserted" if inserts else f"denoise_{group}"
        input:
            **trained_weights(stacks),
            **training_stacks(stacks),
            **networks_first(group, stacks),
            **({"inserted": "<results>/noisy/{dataset}/{noise}/inserted_test.npy"} if inserts else {}),
            noisy="<results>/noisy/{dataset}/{noise}/test.npy",
            validation="<results>/noisy/{dataset}/{noise}/validation.npy",
        output:
            stacks=[DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{name}.npy") for name in stacks],
            indices=[f"<results>/denoised/{{dataset}}/{{noise}}/{name}.csv" for name in stacks],
            validation=[
                DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{name}_validation.{kind}")
                for name in stacks
                for kind in KINDS
            ],
            tuned=fitted_files(stacks),
            inserted=[
                DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{name}_inserted.{kind}")
                for name in stacks
                if inserts
                for kind in KINDS
            ],
            cost=f"<results>/cost/{{dataset}}/{{noise}}/{group}.csv",
        log:
            f"<logs>/denoise/{{dataset}}/{{noise}}/{group}.log",
        benchmark:
            f"<benchmarks>/denoise/{{dataset}}/{{noise}}/{group}.tsv"
        wildcard_constraints:
            **cells_of_group(group, inserts),
        priority: USES_DENOISED
        threads: JOBS.threads(f"denoise_{group}")
        resources:
            **needs(f"denoise_{group}_inserted" if inserts else f"denoise_{group}"),
            gpu=int(any(column.method.gpu for column in stacks.values())),
        params:
            device=device,
            folder=subpath(output[0], parent=True),
            methods=runs_of(stacks),
            tuning=tuning_arguments,
            inserted=lambda wildcards, input: [f"--inserted={path}" for path in [input.get("inserted")] if path],
            numerics=numerics_of(stacks),
            settings=settings_of(stacks),
            code=code_of_group(stacks),
        message:
            f"Denoising {{wildcards.noise}} of {{wildcards.dataset}}: {', '.join(stacks)}"
        shell:
            "fplbench denoise-group {input.noisy:q} {params.folder:q} --methods {params.methods:q} --cost {output.cost:q}"
            " --validation {input.validation:q} {params.tuning:q} {params.inserted:q} --numerics {params.numerics:q}"
            " --device {params.device} --threads {threads} > {log:q} 2>&1"

    if inserts:
        workflow.ruleorder(f"denoise_{group}_inserted", f"denoise_{group}")


# A rule file of this repository is read where the config has its method.
OWN_RULES = Path(workflow.basedir) / "workflow" / "rules" / "baselines"

OWN_FILES = [OWN_RULES / f"{column.name}.smk" for column in CONFIG.columns.values() if column.method is None]

for path in [*OWN_FILES, *map(Path, CONFIG.custom_rules)]:
    if path.exists():

        include: str(path.resolve())


for name, column in CONFIG.columns.items():
    if column.method is None:
        check_rule(name)
