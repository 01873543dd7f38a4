"""What a run reproduces of a published table and what it does not, in sentences."""

from collections.abc import Iterator, Sequence
from statistics import median

from fplbench.calibration.scenes import TOLERANCE
from fplbench.datasets.annotations import count
from fplbench.published import COUNTERPARTS
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.paper_agreement import PAPERS_METHOD, Agreement
from fplbench.reporting.paper_cells import Comparison
from fplbench.reporting.sentences import listed, sentences

MOST = 0.75
"""Share of the noises with the same best method, and of the values within the tolerance, from which they are reproduced."""
SAME_ORDER = 0.7
"""Median rank correlation from which the order is reproduced."""
BEST, ORDER, VALUES = "which method is best", "the order of the methods", "the values"
CRITERIA = (
    f"In bold: what is counted as reproduced. Which method is best: the same in at least {MOST:.0%} of the noises. The order of "
    "the methods: Spearman's rank correlation with the published order has a median over the noises of at least "
    f"{SAME_ORDER}. The values: at least {MOST:.0%} are within {TOLERANCE['psnr_uint8']} dB or {TOLERANCE['ssim']} (SSIM) of the "
    "published ones."
).replace("%", " %")
DIFFERENT = (
    "Images, noise levels and training differ from the paper's, so equal numbers are not expected. The wrapped PSNR is only for "
    "comparison with the published one; it does not measure quality. It hardly falls below 27.9 dB, whatever the images, so that "
    "values within a few dB of each other show little."
)


def verdict(found: Sequence[Agreement], labels: Labels) -> str:
    """What is reproduced and what is not, in one sentence; "" if nothing can be compared.

    Args:
        found: the agreement of each metric.
        labels: labels of methods.
    """
    judged: dict[str, list[tuple[str, bool]]] = {}
    for each in found:
        for aspect, (reproduced, _) in aspects(each, labels).items():
            judged.setdefault(aspect, []).append((metric_name(each.metric), reproduced))
    parts: dict[str, list[str]] = {}
    for aspect, own in judged.items():
        kept = [name for name, reproduced in own if reproduced]
        heading = f"reproduced by {kept[0]} alone" if 0 < len(kept) < len(own) else "reproduced" if kept else "not reproduced"
        parts.setdefault(heading, []).append(aspect)
    order = sorted(parts, key=lambda heading: (heading == "not reproduced", heading))
    text = "; ".join(f"{heading}: {listed(parts[heading])}" for heading in order)
    return sentences(text[:1].upper() + text[1:])


def aspects(found: Agreement, labels: Labels) -> dict[str, tuple[bool, str]]:
    """What can be reproduced of a metric: whether it is, and the numbers that show it.

    Args:
        found: the agreement of the metric.
        labels: labels of methods.
    """
    metric, judged = METRICS[found.metric], {}
    if found.best:
        numbers = f"the same in {found.same_best} of {count(len(found.best), 'noise')}"
        if found.same_best and any(PAPERS_METHOD in theirs | ours for theirs, ours in found.best.values()):
            share = "all" if found.first_in_both == found.same_best > 1 else found.first_in_both
            numbers += f", {labels.method(PAPERS_METHOD)} in {share} of them"
        judged[BEST] = found.same_best >= MOST * len(found.best), numbers
    if found.known:
        low, middle, high = (signed(take(found.known), 2) for take in (min, median, max))
        numbers = f"median correlation {middle}, {low} to {high} over {count(len(found.known), 'noise')}"
        judged[ORDER] = median(found.known) >= SAME_ORDER, numbers
    if found.distances:
        unit = f" {metric.unit}" if metric.unit else ""
        within = f"{TOLERANCE[COUNTERPARTS[found.metric]]}{unit}"
        half = f"{median(found.distances):.{metric.digits}f}{unit}"
        numbers = f"{found.close} of {len(found.distances)} within {within}, half within {half}"
        judged[VALUES] = found.close >= MOST * len(found.distances), numbers
    return judged


def signed(value: float, digits: int) -> str:
    """A number with its sign; one that rounds to zero has a plus."""
    return f"{value:+z.{digits}f}".replace("-", "−")


def metric_name(metric: str) -> str:
    """The name of what a published metric is compared with, in a sentence."""
    return "wrapped PSNR" if metric == "psnr" else METRICS[metric].label


def coverage(comparison: Comparison) -> str:
    """How many of the published values have a counterpart, which have not, and what was left out."""
    labels = comparison.labels
    both = {metric: sum(len(comparison.pairs(metric, noise)) for noise in comparison.noises) for metric in COUNTERPARTS}
    parts = [
        "Published values with a counterpart in this run: "
        + listed([f"{both[metric]} of {comparison.printed(metric)} {METRICS[metric].label}s" for metric in COUNTERPARTS]),
        _named("Not in this run", "noise", map(labels.noise, comparison.absent_noises)),
        _named("Not in this run", "method", map(labels.method, comparison.absent_methods)),
        _named("Not in the paper and left out", "noise", map(labels.noise, comparison.other_noises)),
        _named("Not in the paper and left out", "method", map(labels.method, comparison.other_methods)),
    ]
    return sentences(*parts)


def _named(start: str, noun: str, names: Iterator[str]) -> str:
    found = list(names)
    return f"{start}: {count(len(found), noun)} ({'; '.join(found)})" if found else ""
