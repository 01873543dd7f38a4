# What is checked before a run, and said after one that stopped.

from fplbench.clock import bring_back
from fplbench.parent import RUN

# Jobs end with this process: if it is killed, they would write beside those of the next run.
os.environ[RUN] = str(os.getpid())


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
    check_packages([*CONFIG.columns.values(), *CONFIG.fair_columns.values()])
except InputError as error:
    raise WorkflowError(str(error)) from None


def cells_at_once(jobs):
    """How many cells are worked on at the same time, at most: as many as networks are trained, if any are.

    These are as many as there are GPUs, and with --resources gpu=0 as many as there are cores; on a cluster, as many as its jobs.
    """
    if not workflow.local_exec:
        return workflow.resource_settings.nodes
    trains = any(job.rule.startswith("train_") for job in jobs)
    return (trains and GPUS) or workflow.cores


def to_write():
    """The jobs that are to run, and the bytes of the files that they write again."""
    jobs = list(workflow.dag.needrun_jobs())
    files = {Path(path) for job in jobs for path in job.output}
    present = sum(path.stat().st_size for path in files if path.is_file())
    return [Job(job.rule.name, dict(job.wildcards_dict), log=list(job.log)) for job in jobs], present


onstart:
    # Not in a dry run: the plan can be had without the data.
    jobs = {(job.rule.name, job.wildcards_dict.get("dataset")) for job in workflow.dag.needrun_jobs()}
    compares = any(rule_name.startswith("denoise_fair") for rule_name, _ in jobs)
    for name, reason in left_out(CONFIG).items():
        if name in CONFIG.methods or compares:
            logger.info(f"The column {name} is left out: {reason}")
    checks = [
        (check_root, CONFIG.dataset(dataset), CONFIG.dataset_options(dataset)["root"])
        for dataset in CONFIG.datasets
        if jobs & {(f"sample_{kind}", dataset) for kind in ("images", "hounsfield", "pairs")}
    ]
    if any(rule_name.startswith("denoise_") for rule_name, _ in jobs):
        checks.append((check_weights, CONFIG))
    to_come, present = to_write()
    checks.append((check_space, CONFIG, to_come, present, cells_at_once(to_come)))
    problems = []
    for check, *arguments in checks:
        try:
            check(*arguments)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise WorkflowError("\n".join(problems))
    if ahead := bring_back(CONFIG.results):
        logger.info(
            f"{ahead} files of {CONFIG.results} were newer than the clock of this machine, which must have gone back: they have "
            "the present time now."
        )
    resolved = Path(CONFIG.results) / "config.json"
    if resolved.exists() and resolved.read_text() != RESOLVED_CONFIG:
        write_text(resolved, RESOLVED_CONFIG)


def possible_targets():
    """What a target may be, as a sentence, and the words that targets are made of."""
    named = [one.name for one in workflow.rules if not one.has_wildcards()]
    words = [*CONFIG.datasets, *CONFIG.noises, *STACKS, *SPLITS, *named]
    sentence = (
        f"Targets are files below {CONFIG.results}/, or rules: `snakemake --list-target-rules` prints them. The config has the "
        f"data sets {', '.join(CONFIG.datasets)}, the noises {', '.join(CONFIG.noises)} and the methods {', '.join(STACKS)}."
    )
    return sentence, words


onerror:
    for line in FAILED_JOBS.summary().splitlines():
        logger.error(line)
    logger.info(
        "The run stopped: the same command continues from here, trainings included. After an error, fix its cause first."
    )
