"""Ablation: variants of one method, each trained with several seeds, compared with a control variant."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.markdown import aligned
from fplbench.reporting.panels import save
from fplbench.reporting.scores import NoiseScores, read_scores
from fplbench.reporting.statistics import bootstrap_means, interval
from fplbench.seeds import generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS_SHOWN = ("psnr", "ssim", "feature_error")


@dataclass(frozen=True)
class Variant:
    """Score of a variant on one noise of a data set, over seeds and images.

    `gain` is by how much it is better than the control, whichever end is best. Both come with 95 % intervals. `seeds`
    are the means over images of each seed.
    """

    dataset: str
    noise: str
    metric: str
    variant: str
    mean: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    seeds: tuple[float, ...]


def compare(scores: Mapping[str, Mapping[str, NoiseScores]], control: str, seed: int) -> list[Variant]:
    """Compare variants with the control on every data set, noise and metric.

    The bootstrap draws patients and seeds, the same for all variants, so that an interval covers other patients and other
    seeds of the training. Trainings of one seed start from the same weights and see the same batches: they are a pair.

    Args:
        scores: scores by data set and noise, whose methods are named {variant}-{seed}.
        control: the variant that others are compared with.
        seed: seed of the draws.

    Raises:
        InputError: a method has no seed in its name, the control is missing, or variants have different seeds.
    """
    return [
        row
        for dataset, noises in scores.items()
        for noise, found in noises.items()
        for metric in METRICS_SHOWN
        if metric in found.values
        for row in _compare_noise(dataset, noise, metric, found, control, seed)
    ]


def csv_rows(variants: Sequence[Variant]) -> Iterator[dict[str, str | int | float]]:
    """One row a variant, nothing rounded; `seeds` is their number, followed by the extremes of their means."""
    for variant in variants:
        row = dict(vars(variant))
        seeds = row.pop("seeds")
        yield {**row, "seeds": len(seeds), "seed_lowest": min(seeds), "seed_highest": max(seeds)}


def markdown(variants: Sequence[Variant], control: str, labels: Labels) -> str:
    """Each variant a row: scores with their intervals, and the gain over the control with its own."""
    metrics = [metric for metric in METRICS_SHOWN if any(variant.metric == metric for variant in variants)]
    head = ["Data set", "Noise", "Variant"]
    for metric in metrics:
        head += [METRICS[metric].label, "better by"]
    cells: dict[tuple[str, str, str], list[str]] = {}
    for variant in variants:
        key = (variant.dataset, variant.noise, variant.variant)
        digits = METRICS[variant.metric].digits + 1
        gain = f"{variant.gain:+.{digits}f} ({variant.gain_low:+.{digits}f} – {variant.gain_high:+.{digits}f})"
        mean = f"{variant.mean:.{digits}f} ({variant.low:.{digits}f} – {variant.high:.{digits}f})"
        cells.setdefault(key, []).extend([mean, "control" if variant.variant == control else gain])
    rows = [
        [labels.dataset(dataset), labels.noise(noise), labels.own.get(variant, variant), *numbers]
        for (dataset, noise, variant), numbers in cells.items()
    ]
    return aligned([head, *rows], 3) + "\n"


def figure(variants: Sequence[Variant], labels: Labels) -> "Figure":
    """Gains of one data set: a row of axes for each metric, a column for each noise; bars are intervals, dots seeds."""
    from matplotlib.figure import Figure

    noises = list(dict.fromkeys(variant.noise for variant in variants))
    metrics = list(dict.fromkeys(variant.metric for variant in variants))
    drawing = Figure(figsize=(1 + 3.2 * len(noises), 1.2 + 2 * len(metrics)), layout="constrained")
    axes = drawing.subplots(len(metrics), len(noises), squeeze=False, sharex=True)
    for row, metric in zip(axes, metrics, strict=True):
        for axis, noise in zip(row, noises, strict=True):
            cells = [variant for variant in variants if (variant.noise, variant.metric) == (noise, metric)]
            _draw(axis, cells, labels)
        unit = f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""
        row[0].set_ylabel(f"{METRICS[metric].label}{unit}\nbetter by", fontsize=9)
    for axis, noise in zip(axes[0], noises, strict=True):
        axis.set_title(labels.noise(noise), fontsize=9)
    legend = "against the control; bar: 95 % interval over patients and seeds, dot: one seed"
    drawing.supxlabel(legend, fontsize=8)
    return drawing


def write_ablation(
    path: str | os.PathLike, folder: str | os.PathLike, control: str, seed: int, labels: Labels | None = None
) -> None:
    """Write ablation.csv, ablation.md and ablation_{dataset}.png of a long table whose methods are {variant}-{seed}."""
    from fplbench.files import write_csv
    from fplbench.reporting.writing import write_text

    labels = labels or Labels()
    folder = Path(folder)
    scores = read_scores(path)
    variants = compare(scores, control, seed)
    write_csv(folder / "ablation.csv", csv_rows(variants))
    write_text(folder / "ablation.md", markdown(variants, control, labels))
    for dataset in scores:
        save(figure([row for row in variants if row.dataset == dataset], labels), folder / f"ablation_{dataset}.png")


def _compare_noise(dataset: str, noise: str, metric: str, scores: NoiseScores, control: str, seed: int) -> Iterator[Variant]:
    groups: dict[str, dict[str, np.ndarray]] = {}
    for method, values in scores.values[metric].items():
        variant, _, number = method.rpartition("-")
        if not variant or not number:
            raise InputError(f"The ablation needs methods named variant-seed; {method!r} has no seed.")
        groups.setdefault(variant, {})[number] = values
    if control not in groups:
        raise InputError(f"{control!r}, the control, was not scored on noise {noise!r}: {nearest(control, groups)}")
    seeds = sorted(groups[control])
    for variant, group in groups.items():
        if sorted(group) != seeds:
            raise InputError(f"{variant!r} has the seeds {sorted(group)} on noise {noise!r}, and {control!r} has {seeds}.")
    rng = generator(seed, "ablation", dataset, noise)
    values = np.stack([group[number] for group in groups.values() for number in seeds])
    resampled = bootstrap_means(values, scores.patients, rng).reshape(-1, len(groups), len(seeds))
    chosen = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=len(resampled))
    draws = dict(zip(groups, ((resampled * chosen[:, None]).sum(axis=2) / len(seeds)).T, strict=True))
    sign = 1 if METRICS[metric].higher_is_better else -1
    means = {variant: [float(group[number].mean()) for number in seeds] for variant, group in groups.items()}
    base = float(np.mean(means[control]))
    for variant, by_seed in means.items():
        mean = float(np.mean(by_seed))
        ends = interval(np.stack([draws[variant], sign * (draws[variant] - draws[control])], axis=1))
        (low, gain_low), (high, gain_high) = ends.tolist()
        yield Variant(dataset, noise, metric, variant, mean, low, high, sign * (mean - base), gain_low, gain_high, tuple(by_seed))


def _draw(axis: "Axes", cells: Sequence[Variant], labels: Labels) -> None:
    sign = 1 if METRICS[cells[0].metric].higher_is_better else -1
    axis.axhline(0, color="grey", linewidth=0.8)
    for x, cell in enumerate(cells):
        control = cell.mean - sign * cell.gain
        axis.plot([x, x], [cell.gain_low, cell.gain_high], color="C0", linewidth=2)
        axis.plot(x, cell.gain, "_", color="C0", markersize=12)
        axis.plot([x] * len(cell.seeds), [sign * (seed - control) for seed in cell.seeds], "o", color="black", markersize=3)
    names = [labels.own.get(cell.variant, cell.variant) for cell in cells]
    axis.set_xticks(range(len(cells)), names, rotation=45, ha="right")
    axis.tick_params(labelsize=7)
    axis.grid(axis="y", alpha=0.3)
