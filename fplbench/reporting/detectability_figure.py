"""The detectability of discs in denoised images, a panel for each kind of signal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fplbench.reporting.labels import UNPROCESSED, Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, str]


def kinds_of(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Sizes and contrasts of the signals, in the order of their numbers."""
    return sorted({(row["size_mm"], row["contrast"]) for row in rows}, key=lambda kind: tuple(map(float, kind)))


def kind_title(kind: tuple[str, str], unit: str) -> str:
    """Size and contrast of a signal, with their units."""
    return f"{float(kind[0]):g} mm, {float(kind[1]):g} {unit}"


def dprime_figure(noises: Mapping[str, Sequence[Row]], labels: Labels, title: str = "", note: str = "") -> "Figure":
    """d' with its interval for each method, beside its PSNR. A row of panels for each noise, a column for each kind of signal.

    Args:
        noises: rows of scores, by noise, as `write_detection` writes them.
        labels: labels of noises and methods.
        title: above the panels.
        note: below the panels.
    """
    from matplotlib.figure import Figure

    first = next(iter(noises.values()))
    kinds = kinds_of(first)
    methods = labels.methods(row["method"] for row in first)
    size = (2.2 + 2.1 * len(kinds), 1.2 + (0.6 + 0.24 * len(methods)) * len(noises))
    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.subplots(len(noises), len(kinds), squeeze=False, sharey="row")
    for row, noise in zip(axes, labels.noises(noises), strict=True):
        quality = {score["method"]: float(score["psnr"]) for score in noises[noise]}
        for axis, kind in zip(row, kinds, strict=True):
            scores = {s["method"]: s for s in noises[noise] if (s["size_mm"], s["contrast"]) == kind}
            _draw(axis, [scores[method] for method in methods])
            axis.set_title(kind_title(kind, first[0]["unit"]), fontsize=8)
        row[0].set_yticks(range(len(methods)), [f"{labels.method(name)}, {quality[name]:.1f} dB" for name in methods], fontsize=7)
        row[0].invert_yaxis()
        row[0].set_ylabel(labels.noise_title(noise), fontsize=8)
    drawing.suptitle(title, fontsize=10)
    drawing.supxlabel("\n".join(filter(None, ("d' with 95 % interval; band: unprocessed images", note))), fontsize=7, wrap=True)
    return drawing


def _draw(axis: "Axes", scores: Sequence[Row]) -> None:
    for y, score in enumerate(scores):
        low, middle, high = (float(score[name]) for name in ("dprime_low", "dprime", "dprime_high"))
        colour = "black" if score["method"] == UNPROCESSED else "C0"
        if score["method"] == UNPROCESSED:
            axis.axvspan(low, high, color="0.9", zorder=0)
        axis.plot([low, high], [y, y], color=colour, linewidth=1.5)
        axis.plot(middle, y, "o", color=colour, markersize=3)
    axis.tick_params(labelsize=7)
    axis.grid(axis="x", alpha=0.3)
