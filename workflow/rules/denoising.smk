# Noisy test stack -> denoised stacks. The methods of a group run in one job for each data set and noise, which tunes them where
# the config asks for it and measures their cost; where lesions are inserted, it denoises those images too. Methods in other languages are the rule files in baselines/, and those that
# the config's custom_rules name.


for (group, columns), inserts in itertools.product(GROUPS.items(), [False, True] if all(INSERTED.values()) else [False]):

    rule:
        name:
            f"denoise_{group}_inserted" if inserts else f"denoise_{group}"
        input:
            **trained_weights(columns),
            **training_stacks(columns),
            **({"inserted": "<results>/noisy/{dataset}/{noise}/inserted_test.npy"} if inserts else {}),
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
            inserted=[
                DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{column.name}_inserted.{kind}")
                for column in columns
                if inserts
                for kind in ("npy", "csv")
            ],
            cost=f"<results>/cost/{{dataset}}/{{noise}}/{group}.csv",
        log:
            f"<logs>/denoise/{{dataset}}/{{noise}}/{group}.log",
        benchmark:
            f"<benchmarks>/denoise/{{dataset}}/{{noise}}/{group}.tsv"
        wildcard_constraints:
            **({axis: "|".join(names) for axis, names in INSERTED.items()} if inserts else {}),
        resources:
            gpu=int(any(column.method.gpu for column in columns)),
            mem_mb=4000,
        params:
            device=device,
            folder=subpath(output[0], parent=True),
            methods=runs_of(columns),
            tuning=tuning_arguments,
            inserted=lambda wildcards, input: [f"--inserted={path}" for path in [input.get("inserted")] if path],
            settings=settings_of(columns),
            code=code_hash("fplbench.denoising.groups", *(column.method.function.__module__ for column in columns)),
        message:
            f"Denoising {{wildcards.noise}} of {{wildcards.dataset}}: {', '.join(column.name for column in columns)}"
        shell:
            "fplbench denoise-group {input.noisy:q} {params.folder:q} --methods {params.methods:q} --cost {output.cost:q}"
            " {params.tuning:q} {params.inserted:q} --device {params.device} --threads {threads} > {log:q} 2>&1"

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
