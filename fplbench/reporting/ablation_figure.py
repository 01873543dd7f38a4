"""The figure of the ablation: gains of lesion PSNR, contrast recovery and PSNR of every variant on a data set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.comparison import COMPARED, Compared
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.palette import BLUE
from fplbench.reporting.statistics import MINIMUM_SEEDS, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "0.45"
METRICS = ("lesion_psnr", f"{INSERTED}lesion_psnr", "contrast_recovery", f"{INSERTED}contrast_recovery", "psnr")
"""Rows of the figure; contrast recovery is shown as it is, the others as gains."""


def figure(rows: Sequence[Compared], roles: Roles, control: str, labels: Labels) -> "Figure":
    """Axes in a row for each metric and a column for each noise; dots are seeds, bars are intervals.

    Args:
        rows: comparisons on one data set.
        roles: what the variants are; those that do not use F of a trained network are grey.
        control: the variant that the others are compared with.
        labels: labels of noises.
    """
    from matplotlib.figure import Figure

    noises = labels.noises({row.noise for row in rows})
    metrics = [metric for metric in METRICS if any(row.metric == metric for row in rows)]
    variants = list(dict.fromkeys(row.variant for row in rows))
    height = 0.9 + len(metrics) * (0.75 + 0.21 * len(variants))
    drawing = Figure(figsize=(max(2.2 + 2.3 * len(noises), 6), height), layout="constrained")
    axes = drawing.subplots(len(metrics), len(noises), squeeze=False, sharey=True, sharex="row")
    for line, metric in zip(axes, metrics, strict=True):
        for axis, noise in zip(line, noises, strict=True):
            found = {row.variant: row for row in rows if (row.noise, row.metric) == (noise, metric)}
            _draw(axis, [found.get(variant) for variant in variants], roles)
            axis.axvline(1 if "recovery" in metric else 0, color="black", linewidth=0.8)
            axis.set_xlabel(_words(metric, metrics), fontsize=8)
        line[0].set_yticks(range(len(variants)), variants, fontsize=8)
    for axis, noise in zip(axes[0], noises, strict=True):
        axis.set_title(labels.noise_title(noise), fontsize=9)
    drawing.supxlabel(legend(rows, control), fontsize=8)
    return drawing


def legend(rows: Sequence[Compared], control: str) -> str:
    """What dots, bars and colours are."""
    number = max(len(row.seeds) for row in rows)
    bars = f"Bar: 95 % interval over {number} training seeds, on the same images. Dot: one seed."
    if number < MINIMUM_SEEDS:
        bars = f"Dot: one training seed, of {number}. Line across: their mean."
    return f"Gains over {control}; contrast recovery as it is, right at 1.\n{bars} Blue: forms that use F; grey: controls."


def _words(metric: str, metrics: Sequence[str]) -> str:
    """Label of an axis."""
    entry = COMPARED[metric]
    which = " (annotated)" if f"{INSERTED}{metric}" in metrics else ""
    return f"{entry.label}{which}" if "recovery" in metric else f"{entry.label}{which}, gain in {entry.unit}"


def _draw(axis: "Axes", rows: Sequence[Compared | None], roles: Roles) -> None:
    for y, row in enumerate(rows):
        if row is None:
            continue
        colour = BLUE if row.variant in roles.forms else GREY
        values = list(row.gains if row.gain is not None else row.seeds.values())
        if len(values) >= MINIMUM_SEEDS:
            axis.hlines(y, *t_interval(values), color=colour, linewidth=2, alpha=0.6)
        axis.plot(sum(values) / len(values), y, "|", color=colour, markersize=11, markeredgewidth=2)
        axis.plot(values, [y] * len(values), "o", color=colour, markersize=3, markeredgecolor="white", markeredgewidth=0.4)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(axis="x", alpha=0.3)
