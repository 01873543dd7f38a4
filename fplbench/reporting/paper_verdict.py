"""What a run reproduces of a published table and what it does not, in sentences."""

from collections.abc import Iterator, Sequence
from statistics import median

from fplbench.calibration.scenes import TOLERANCE
from fplbench.datasets.annotations import count
from fplbench.published import COUNTERPARTS
from fplbench.reporting.labels import METRICS
from fplbench.reporting.paper_agreement import PAPERS_METHOD, Agreement
from fplbench.reporting.paper_cells import Comparison
from fplbench.reporting.sentences import listed, sentences

MOST = 0.75
"""Share of the noises with the same best method, and of the values within the tolerance, from which they are reproduced."""
SAME_ORDER = 0.7
"""Median rank correlation from which the order is reproduced."""
CRITERIA = (
    f"Counted as reproduced: which method is best, if it is the same in at least {MOST:.0%} of the noises; the order of the "
    "methods, if the median over the noises of its rank correlation (Spearman) with the published order is at least "
    f"{SAME_ORDER}; the values, if at least {MOST:.0%} of them are within {TOLERANCE['psnr_uint8']} dB or {TOLERANCE['ssim']} "
    "(SSIM) of the published ones."
).replace("%", " %")
DIFFERENT = (
    "Images, noise levels and training differ from the paper's, so equal numbers are not expected. The wrapped PSNR is only for "
    "comparison with the published one; it does not measure quality. It hardly falls below 27.9 dB, whatever the images, so that "
    "values within a few dB of each other show little."
)


def verdict(found: Sequence[Agreement], comparison: Comparison) -> str:
    """What is reproduced and what is not, in one sentence; "" if nothing can be compared.

    Args:
        found: the agreement of each metric.
        comparison: what was compared.
    """
    judged: dict[str, list[tuple[str, bool, str]]] = {}
    for each in found:
        for aspect, reproduced, numbers in _aspects(each, comparison.labels.method(PAPERS_METHOD)):
            judged.setdefault(aspect, []).append((metric_name(each.metric), reproduced, numbers))
    parts: dict[str, list[str]] = {}
    for aspect, own in judged.items():
        kept = [name for name, reproduced, _ in own if reproduced]
        heading = f"reproduced by {kept[0]} alone" if 0 < len(kept) < len(own) else "reproduced" if kept else "not reproduced"
        numbers = ", and ".join(f"by {name} {text}" for name, _, text in own)
        parts.setdefault(heading, []).append(f"{aspect} ({numbers})")
    order = sorted(parts, key=lambda heading: (heading == "not reproduced", heading))
    text = "; ".join(f"{heading}: {listed(parts[heading])}" for heading in order)
    return sentences(text[:1].upper() + text[1:])


def _aspects(found: Agreement, reference: str) -> Iterator[tuple[str, bool, str]]:
    """What can be reproduced, whether it is, and the numbers that show it."""
    if found.best:
        numbers = f"the same in {found.same_best} of {count(len(found.best), 'noise')}"
        if found.same_best and any(PAPERS_METHOD in theirs | ours for theirs, ours in found.best.values()):
            numbers += f", {reference} in {'all' if found.first_in_both == found.same_best > 1 else found.first_in_both} of them"
        yield "which method is best", found.same_best >= MOST * len(found.best), numbers
    if found.known:
        low, middle, high = (f"{take(found.known):+z.2f}" for take in (min, median, max))
        numbers = f"a median rank correlation of {middle}, {low} to {high} over {count(len(found.known), 'noise')}"
        yield "the order of the methods", median(found.known) >= SAME_ORDER, numbers
    if found.distances:
        metric = METRICS[found.metric]
        unit = f" {metric.unit}" if metric.unit else ""
        tolerance = f"{TOLERANCE[COUNTERPARTS[found.metric]]}{unit}"
        half = f"{median(found.distances):.{metric.digits}f}{unit}"
        numbers = f"{found.close} of {len(found.distances)} within {tolerance} and half within {half}"
        yield "the values", found.close >= MOST * len(found.distances), numbers


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
