"""Noise power spectra and task transfer functions of all methods."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from fplbench.reporting.labels import UNPROCESSED, Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DECADES = 1e5  # of power below the highest that are shown
Row = Mapping[str, str]
Spectrum = Literal["nps", "ttf"]
TITLES = {"nps": "noise power spectrum of the residual", "ttf": "task transfer function"}


def spectra_figure(noises: Mapping[str, Sequence[Row]], kind: Spectrum, labels: Labels, title: str = "") -> "Figure":
    """Spectra of all methods, a panel for each noise, and for each contrast where they depend on it.

    Args:
        noises: points of spectra by noise, as `write_detection` writes them.
        kind: nps or ttf. Where no disc was large enough for a transfer function, the figure says so.
        labels: labels of noises and methods.
        title: of the data set.
    """
    from matplotlib.figure import Figure

    rows = {noise: [row for row in noises[noise] if row["spectrum"] == kind] for noise in labels.noises(noises)}
    contrasts = sorted({row["contrast"] for found in rows.values() for row in found}, key=lambda text: float(text or 0))
    drawing = Figure(figsize=(2 + 3.2 * max(1, len(contrasts)), 0.8 + 2.7 * len(rows)), layout="constrained")
    drawing.suptitle(", ".join(filter(None, (title, TITLES[kind]))), fontsize=10)
    if not contrasts:
        drawing.text(0.5, 0.5, "No disc has a radius of 3 pixels.", ha="center")
        return drawing
    axes = drawing.subplots(len(rows), len(contrasts), squeeze=False, sharex=True, sharey=True)
    for line, (noise, found) in zip(axes, rows.items(), strict=True):
        for axis, contrast in zip(line, contrasts, strict=True):
            points = [row for row in found if row["contrast"] == contrast]
            _draw(axis, points, labels)
            axis.set_title(", ".join(filter(None, (labels.noise_title(noise), _contrast(points[0])))), fontsize=8)
        _describe(line[0], kind, found)
    for axis in axes[-1]:
        axis.set_xlabel("cycles/mm", fontsize=8)
    _limit(axes[0, 0], kind, [row for found in rows.values() for row in found])
    drawing.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", fontsize=7, frameon=False)
    return drawing


def _draw(axis: "Axes", points: Sequence[Row], labels: Labels) -> None:
    from matplotlib import colormaps

    for number, method in enumerate(labels.methods(row["method"] for row in points)):
        own = [row for row in points if row["method"] == method]
        style: dict[str, Any] = {"color": colormaps["tab20"](number % 20)}
        if method == UNPROCESSED:
            style = {"color": "black", "linestyle": "--", "zorder": 5}  # above a method that changes nothing
        frequencies, values = ([float(row[name]) for row in own] for name in ("frequency", "value"))
        axis.plot(frequencies, values, linewidth=1.3, label=labels.method(method), **style)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)


def _describe(axis: "Axes", kind: Spectrum, rows: Sequence[Row]) -> None:
    unit = "HU" if rows[0]["unit"] == "HU" else "grey levels"
    axis.set_ylabel("transfer, 1 at zero frequency" if kind == "ttf" else f"{unit}² mm²", fontsize=8)


def _limit(axis: "Axes", kind: Spectrum, rows: Sequence[Row]) -> None:
    """Limits of all panels, which share them."""
    if kind == "ttf":
        axis.set_ylim(-0.3, 1.5)
        return
    axis.set_yscale("log")
    powers = [value for row in rows if (value := float(row["value"])) > 0]
    if powers:
        axis.set_ylim(max(min(powers) / 2, max(powers) / DECADES), max(powers) * 2)


def _contrast(point: Row) -> str:
    return f"{float(point['contrast']):g} {point['unit']}" if point["contrast"] else ""
