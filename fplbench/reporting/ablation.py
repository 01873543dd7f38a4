"""Ablation: variants of one method, each trained with several seeds, compared with a control variant."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.files import write_csv, write_text
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.markdown import aligned
from fplbench.reporting.panels import save
from fplbench.reporting.scores import NoiseScores, Scores, read_scores
from fplbench.reporting.statistics import bootstrap_means, interval
from fplbench.seeds import generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS_SHOWN = ("psnr", "ssim", "feature_error")


@dataclass(frozen=True)
class Variant:
    """Score of a variant on one noise of a data set, over seeds and images.

    Attributes:
        dataset: name of the data set.
        noise: name of the noise.
        metric: name of the metric.
        variant: name of the variant.
        mean: the score.
        low: lower end of its 95 % interval.
        high: upper end.
        gain: by how much it is better than the control, positive if it is, for metrics of either direction.
        gain_low: lower end of the 95 % interval of the gain.
        gain_high: upper end.
        seeds: the mean over images for each seed.
        patients: number of patients.
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
    patients: int


def compare(scores: Scores, control: str, seed: int) -> list[Variant]:
    """Compare variants with the control on every data set, noise and metric.

    The bootstrap draws patients and seeds, the same ones for all variants, so that an interval accounts for other patients
    and other training seeds. Trainings with the same seed start from the same weights and see the same batches, and are
    compared as a pair.

    Args:
        scores: scores by data set and noise, with methods named {variant}-{seed}.
        control: the variant that the others are compared with.
        seed: seed of the draws.

    Raises:
        InputError: the name of a method has no seed, the control is missing, or variants have different seeds.
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
    """One row for each variant, unrounded; `seeds` is their number, followed by the lowest and highest of their means."""
    for variant in variants:
        row = dict(vars(variant))
        seeds = row.pop("seeds")
        del row["patients"]
        yield {**row, "seeds": len(seeds), "seed_lowest": min(seeds), "seed_highest": max(seeds)}


def markdown(variants: Sequence[Variant], control: str, labels: Labels) -> str:
    """A table with one row for each variant: scores with their intervals, and gains over the control with theirs."""
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
        [labels.dataset(dataset), labels.noise(noise), labels.method(variant), *numbers]
        for (dataset, noise, variant), numbers in cells.items()
    ]
    return aligned([head, *rows], 3) + "\n"


def figure(variants: Sequence[Variant], labels: Labels) -> "Figure":
    """Gains on one data set: axes in a row for each metric and a column for each noise; bars are intervals, dots are seeds."""
    from matplotlib.figure import Figure

    noises = list(dict.fromkeys(variant.noise for variant in variants))
    metrics = list(dict.fromkeys(variant.metric for variant in variants))
    drawing = Figure(figsize=(1 + 3.2 * len(noises), 1.2 + 2 * len(metrics)), layout="constrained")
    axes = drawing.subplots(len(metrics), len(noises), squeeze=False, sharex=True)
    for row, metric in zip(axes, metrics, strict=True):
        for axis, noise in zip(row, noises, strict=True):
            cells = [variant for variant in variants if (variant.noise, variant.metric) == (noise, metric)]
            _draw(axis, cells, labels)
        row[0].set_ylabel(f"{METRICS[metric].heading}\nbetter by", fontsize=9)
    for axis, noise in zip(axes[0], noises, strict=True):
        axis.set_title(labels.noise_title(noise), fontsize=9)
    drawing.supxlabel(legend(variants), fontsize=8)
    return drawing


def legend(variants: Sequence[Variant]) -> str:
    """What the bars and dots of the figure are; the intervals of a single patient are over its images."""
    drawn = "patients" if all(variant.patients > 1 for variant in variants) else "images of one patient"
    return f"Gain over the control. Bar: 95 % interval over seeds and {drawn}; dot: one seed."


def write_ablation(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], control: str, seed: int, labels: Labels | None = None
) -> None:
    """Write ablation.csv, ablation.md and ablation_{dataset}.png.

    Args:
        path: long table of scores, with methods named {variant}-{seed}.
        folder: folder for the files.
        control: the variant that the others are compared with.
        seed: seed of the bootstrap.
        labels: labels of data sets, noises and variants.

    Raises:
        InputError: as for `read_scores` and `compare`.
    """
    labels = labels or Labels()
    folder = Path(folder)
    scores = read_scores(path)
    variants = compare(scores, control, seed)
    write_csv(folder / "ablation.csv", csv_rows(variants))
    write_text(folder / "ablation.md", markdown(variants, control, labels))
    for dataset in scores:
        save(figure([row for row in variants if row.dataset == dataset], labels), folder / f"ablation_{dataset}.png")


def _compare_noise(dataset: str, noise: str, metric: str, scores: NoiseScores, control: str, seed: int) -> Iterator[Variant]:
    groups = _by_variant(scores.values[metric], noise, control)
    seeds = sorted(groups[control])
    rng = generator(seed, "ablation", dataset, noise)
    values = np.stack([group[number] for group in groups.values() for number in seeds])
    resampled = bootstrap_means(values, scores.patients, rng).reshape(-1, len(groups), len(seeds))
    chosen = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=len(resampled))
    draws = dict(zip(groups, ((resampled * chosen[:, None]).sum(axis=2) / len(seeds)).T, strict=True))
    sign = 1 if METRICS[metric].higher_is_better else -1
    means = {variant: [float(group[number].mean()) for number in seeds] for variant, group in groups.items()}
    base = float(np.mean(means[control]))
    patients = len(set(scores.patients))
    for variant, by_seed in means.items():
        mean = float(np.mean(by_seed))
        ends = interval(np.stack([draws[variant], sign * (draws[variant] - draws[control])], axis=1))
        (low, gain_low), (high, gain_high) = ends.tolist()
        gain = sign * (mean - base)
        yield Variant(dataset, noise, metric, variant, mean, low, high, gain, gain_low, gain_high, tuple(by_seed), patients)


def _by_variant(values: Mapping[str, np.ndarray], noise: str, control: str) -> dict[str, dict[str, np.ndarray]]:
    """Scores by variant and seed."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for method, scores in values.items():
        variant, _, number = method.rpartition("-")
        if not variant or not number:
            raise InputError(f"The ablation needs methods that are named variant-seed, but {method!r} has no seed.")
        groups.setdefault(variant, {})[number] = scores
    if control not in groups:
        raise InputError(f"{control!r}, the control, was not scored on noise {noise!r}: {nearest(control, groups)}")
    seeds = sorted(groups[control])
    for variant, group in groups.items():
        if sorted(group) != seeds:
            raise InputError(f"{variant!r} has the seeds {sorted(group)} on noise {noise!r}, but {control!r} has {seeds}.")
    return groups


def _draw(axis: "Axes", cells: Sequence[Variant], labels: Labels) -> None:
    sign = 1 if METRICS[cells[0].metric].higher_is_better else -1
    axis.axhline(0, color="grey", linewidth=0.8)
    for x, cell in enumerate(cells):
        control = cell.mean - sign * cell.gain
        axis.plot([x, x], [cell.gain_low, cell.gain_high], color="C0", linewidth=2)
        axis.plot(x, cell.gain, "_", color="C0", markersize=12)
        axis.plot([x] * len(cell.seeds), [sign * (seed - control) for seed in cell.seeds], "o", color="black", markersize=3)
    axis.set_xticks(range(len(cells)), [labels.method(cell.variant) for cell in cells], rotation=45, ha="right")
    axis.tick_params(labelsize=7)
    axis.grid(axis="y", alpha=0.3)
