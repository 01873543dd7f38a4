"""Table and figure of the ablation: variants of one method, each trained with several seeds, compared with a control."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.files import write_csv, write_text
from fplbench.reporting.comparison import METRICS_SHOWN, Variant, compare
from fplbench.reporting.facts import Facts, read_all_facts
from fplbench.reporting.labels import METRICS, Labels, heading
from fplbench.reporting.markdown import aligned
from fplbench.reporting.panels import save
from fplbench.reporting.scores import Scores, read_scores
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def csv_rows(variants: Sequence[Variant]) -> Iterator[dict[str, str | int | float]]:
    """One row for each variant, unrounded; `seeds` is their number, followed by the lowest and highest of their means."""
    for variant in variants:
        row = {key: "" if value is None else value for key, value in vars(variant).items() if key not in ("seeds", "gains")}
        seeds = variant.seeds
        yield {**row, "seeds": len(seeds), "seed_lowest": min(seeds), "seed_highest": max(seeds)}


def markdown(variants: Sequence[Variant], control: str, labels: Labels, note: str = "") -> str:
    """A table with one row for each variant: scores, and gains over the control with their intervals; a note below it."""
    metrics = [metric for metric in METRICS_SHOWN if any(variant.metric == metric for variant in variants)]
    head = ["Data set", "Noise", "Variant"]
    for metric in metrics:
        head += [METRICS[metric].label, "better by"]
    cells: dict[tuple[str, str, str], list[str]] = {}
    for variant in variants:
        key = (variant.dataset, variant.noise, variant.variant)
        mean = f"{variant.mean:.{METRICS[variant.metric].digits + 1}f}"
        cells.setdefault(key, []).extend([mean, "control" if variant.variant == control else _gain(variant)])
    rows = [
        [labels.dataset(dataset), labels.noise(noise), labels.method(variant), *numbers]
        for (dataset, noise, variant), numbers in cells.items()
    ]
    return aligned([head, *rows], 3) + (f"\n\n{note}\n" if note else "\n")


def ablation_note(scores: Scores, variants: Sequence[Variant], labels: Labels, facts: Mapping[str, Facts]) -> str:
    """What the numbers are means over, what the intervals are over, and what they do not show."""
    means = []
    for dataset, noises in scores.items():
        found = next(iter(noises.values()))
        whose = facts.get(dataset, Facts()).whose(len(set(found.patients)))
        means.append(f"{labels.dataset(dataset)}: mean over {len(found.image_ids)} images{whose}")
    return sentences(*means, _intervals(variants))


def figure(variants: Sequence[Variant], labels: Labels) -> "Figure":
    """Gains on one data set: axes in a row for each metric and a column for each noise; bars are intervals, dots are seeds."""
    from matplotlib.figure import Figure

    noises = list(dict.fromkeys(variant.noise for variant in variants))
    metrics = list(dict.fromkeys(variant.metric for variant in variants))
    drawing = Figure(figsize=(max(1 + 3.2 * len(noises), 6), 1.4 + 2 * len(metrics)), layout="constrained")
    axes = drawing.subplots(len(metrics), len(noises), squeeze=False, sharex=True)
    for row, metric in zip(axes, metrics, strict=True):
        for axis, noise in zip(row, noises, strict=True):
            cells = [variant for variant in variants if (variant.noise, variant.metric) == (noise, metric)]
            _draw(axis, cells, labels)
        row[0].set_ylabel(f"{heading(metric)}\nbetter by", fontsize=9)
    for axis, noise in zip(axes[0], noises, strict=True):
        axis.set_title(labels.noise_title(noise), fontsize=9)
    drawing.supxlabel(legend(variants), fontsize=8)
    return drawing


def legend(variants: Sequence[Variant]) -> str:
    """What the bars and dots of the figure are."""
    number = len(variants[0].seeds)
    if any(variant.gain_low is not None for variant in variants):
        return f"Gain over the control. Bar: 95 % interval over {number} training seeds, on the same images; dot: one seed."
    return f"Gain over the control. Dot: one training seed, of {number}; line: their mean."


def write_ablation(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    control: str,
    labels: Labels | None = None,
    data: str | os.PathLike[str] | None = None,
) -> None:
    """Write ablation.csv, ablation.md and ablation_{dataset}.png.

    Args:
        path: long table of scores, with methods named {variant}-{seed}.
        folder: folder for the files.
        control: the variant that the others are compared with.
        labels: labels of data sets, noises and variants.
        data: folder with {dataset}/sampling.json, which says whether persons are known; None assumes that they are.

    Raises:
        InputError: as for `read_scores` and `compare`.
    """
    labels = labels or Labels()
    folder = Path(folder)
    scores = read_scores(path)
    variants = compare(scores, control)
    note = ablation_note(scores, variants, labels, read_all_facts(data, scores))
    write_csv(folder / "ablation.csv", csv_rows(variants))
    write_text(folder / "ablation.md", markdown(variants, control, labels, note))
    for dataset in scores:
        save(figure([row for row in variants if row.dataset == dataset], labels), folder / f"ablation_{dataset}.png")


def _gain(variant: Variant) -> str:
    digits = METRICS[variant.metric].digits + 1
    text = f"{variant.gain:+.{digits}f}"
    if variant.gain_low is None:
        return text
    return f"{text} ({variant.gain_low:+.{digits}f} – {variant.gain_high:+.{digits}f}), p {variant.gain_p:.3f}"


def _intervals(variants: Sequence[Variant]) -> str:
    number = len(variants[0].seeds)
    if any(variant.gain_low is not None for variant in variants):
        return (
            f"Better by: mean difference from the control over {number} training seeds, with its 95 % interval (Student's, of "
            "the differences of trainings with the same seed) and its p, adjusted for the comparisons of a data set and metric "
            "(Holm). "
            "The images are fixed, so this says nothing about other patients."
        )
    seeds = "one training seed" if number == 1 else f"{number} training seeds"
    return (
        f"Better by: mean difference from the control over {seeds}; no intervals, since they take at least {MINIMUM_SEEDS} seeds."
    )


def _draw(axis: "Axes", cells: Sequence[Variant], labels: Labels) -> None:
    axis.axhline(0, color="grey", linewidth=0.8)
    for x, cell in enumerate(cells):
        if cell.gain_low is not None and cell.gain_high is not None:
            axis.vlines(x, cell.gain_low, cell.gain_high, color="C0", linewidth=2)
        axis.plot(x, cell.gain, "_", color="C0", markersize=12)
        axis.plot([x] * len(cell.gains), cell.gains, "o", color="black", markersize=3)
    axis.set_xticks(range(len(cells)), [labels.method(cell.variant) for cell in cells], rotation=45, ha="right")
    axis.tick_params(labelsize=7)
    axis.grid(axis="y", alpha=0.3)
