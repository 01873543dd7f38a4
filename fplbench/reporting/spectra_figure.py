"""Noise power spectra and task transfer functions of all methods."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from fplbench.reporting.labels import Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNPROCESSED = "noisy"
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
    panels = [
        (noise, contrast)
        for noise, found in rows.items()
        for contrast in sorted({row["contrast"] for row in found}, key=lambda text: float(text or 0))
    ]
    drawing = Figure(figsize=(2 + 3.2 * max(1, len(panels)), 3.6), layout="constrained")
    drawing.suptitle(", ".join(filter(None, (title, TITLES[kind]))), fontsize=10)
    if not panels:
        drawing.text(0.5, 0.5, "No disc has a radius of 3 pixels.", ha="center")
        return drawing
    axes = drawing.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, (noise, contrast) in zip(axes, panels, strict=True):
        points = [row for row in rows[noise] if row["contrast"] == contrast]
        _draw(axis, points, labels)
        axis.set_title(", ".join(filter(None, (labels.noise_title(noise), _contrast(points[0])))), fontsize=8)
        axis.set_xlabel("cycles/mm", fontsize=8)
    _describe(axes[0], kind, rows[panels[0][0]])
    drawing.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=7, frameon=False)
    return drawing


def _draw(axis: "Axes", points: Sequence[Row], labels: Labels) -> None:
    from matplotlib import colormaps

    for number, method in enumerate(labels.methods(row["method"] for row in points)):
        own = [row for row in points if row["method"] == method]
        style = {"color": "black", "linestyle": "--"} if method == UNPROCESSED else {"color": colormaps["tab20"](number % 20)}
        frequencies, values = ([float(row[name]) for row in own] for name in ("frequency", "value"))
        axis.plot(frequencies, values, linewidth=1.3, label=labels.method(method), **style)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)


def _describe(axis: "Axes", kind: Spectrum, rows: Sequence[Row]) -> None:
    if kind == "ttf":
        axis.set_ylabel("transfer, 1 at zero frequency", fontsize=8)
        axis.set_ylim(-0.3, 1.5)
        return
    unit = "HU" if rows[0]["unit"] == "HU" else "grey levels"
    axis.set_ylabel(f"{unit}² mm²", fontsize=8)
    axis.set_yscale("log")
    highest = max(float(row["value"]) for row in rows)
    lowest = min((float(row["value"]) for row in rows if float(row["value"]) > 0), default=highest)
    if highest > 0:
        axis.set_ylim(max(lowest / 2, highest / DECADES), highest * 2)


def _contrast(point: Row) -> str:
    return f"{float(point['contrast']):g} {point['unit']}" if point["contrast"] else ""
