"""The jobs of a run, and the networks that they train."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.config.ablation import AS_PUBLISHED
from fplbench.config.fits import Fit, with_repeats
from fplbench.explaining.options import ExplanationOptions
from fplbench.planning.asking import SNAKEFILE, Job, jobs_of
from fplbench.training import TRAININGS

if TYPE_CHECKING:
    from fplbench.config import Config

TRAIN, TRAIN_ABLATION = "train_", "train_ablation"
ABLATION = "ablation: "
"""What the names of the networks of the ablation begin with."""
EVERY_VARIANT = "ablation: {keep: null, least_cosine: null}\n"


@dataclass(frozen=True)
class Networks:
    """Networks that are trained alike.

    Attributes:
        fit: the training, with its options.
        count: number of networks.
        explanation: of the features that are compared, where it is not that of the config.
    """

    fit: Fit
    count: int
    explanation: ExplanationOptions | None = None


def planned(config: "Config", targets: Sequence[str], configfiles: Sequence[Path], snakefile: Path = SNAKEFILE) -> list[Job]:
    """All jobs of some targets, whatever results there are.

    Where the ablation chooses its variants on the way, as many are counted as it will keep, the first ones of the config.

    Args:
        config: what the files hold together.
        targets: rules or files.
        configfiles: configs of the run; of several, later ones win.
        snakefile: the workflow.

    Raises:
        InputError: there is no workflow, or it cannot plan these targets.
    """
    jobs = jobs_of(targets, configfiles, snakefile)
    if not any(job.rule in ("align_variants", "screen_variants") for job in jobs):
        return jobs
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as every:
        every.write(EVERY_VARIANT)
        every.flush()
        further = jobs_of(targets, [*configfiles, Path(every.name)], snakefile)
    return list({_key(job): job for job in [*jobs, *further] if _is_kept(config, job)}.values())


def _key(job: Job) -> tuple[object, ...]:
    return job.rule, *sorted(job.wildcards.items())


def _is_kept(config: "Config", job: Job) -> bool:
    """Whether a job is no training of a variant, or of one that is screened, or that is likely to be kept."""
    ablation = config.ablation
    if job.rule != TRAIN_ABLATION or ablation.keep is None:
        return True
    variant, seed = job.wildcards["variant"], int(job.wildcards["seed"])
    screened = seed == ablation.seeds[0] and job.wildcards["noise"] in (ablation.screened_on or ablation.noises or ())
    forms = [name for name, found in config.ablation_variants().items() if found.is_form and name not in ablation.always]
    kept = [name for name in forms if name != AS_PUBLISHED][: ablation.keep]
    first = variant == AS_PUBLISHED and seed == ablation.seeds[0]
    return screened or first or variant in [*ablation.always, *kept]


def count_by_rule(jobs: Iterable[Job]) -> dict[str, int]:
    """Number of jobs of each rule; those that compute nothing, the targets and what writes config.json, are left out."""
    return dict(Counter(job.rule for job in jobs if job.log and job.rule != "write_config"))


def stack_names(config: "Config", fair: bool = False) -> list[str]:
    """The denoised stacks of a cell: one for each column, and for each repeat of a column that is trained here.

    Args:
        config: the run.
        fair: whether those of the fair comparison are among them.
    """
    return list(with_repeats([*config.columns.values(), *(config.fair_columns.values() if fair else ())], config))


def networks(config: "Config", jobs: Iterable[Job]) -> dict[str, Networks]:
    """The networks that some jobs train, by the name of their files; those of the ablation by that of their variant."""
    counts: Counter[str] = Counter()
    of_ablation: Counter[str] = Counter()
    for job in jobs:
        if job.rule == TRAIN_ABLATION:
            of_ablation[job.wildcards["variant"]] += 1
        elif job.rule.startswith(TRAIN):
            counts[job.rule.removeprefix(TRAIN)] += 1
    found = {name: Networks(config.fits[name], count) for name, count in counts.items()}
    if of_ablation:
        for name, variant in of_variants(config).items():
            if of_ablation[name]:
                found[f"{ABLATION}{name}"] = replace(variant, count=of_ablation[name])
    return found


def of_variants(config: "Config") -> Mapping[str, Networks]:
    """The variants of the ablation by name, one network of each."""
    return {
        name: Networks(
            Fit(name, TRAININGS["fpl"], variant.fpl),
            1,
            ExplanationOptions(**variant.explanation) if variant.explanation else None,
        )
        for name, variant in config.ablation_variants().items()
    }
