"""The charts of a quality page, as .svg pictures that the page holds."""

import base64
import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.applying.quality.summary import SpectrumSummary
from fplbench.reporting import html
from fplbench.reporting.palette import BLUE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS = 96  # of an inch, as browsers have it
WIDTH, HEIGHT = 520, 320  # pixels; on a phone the lettering is still 8 pixels high
SIZE = 9.0  # of the lettering, points
MARGINS = (72, 12, 44, 10)  # left, right, bottom and top, pixels
DECADES = 1e4  # of power below the highest that are shown
SHOWN = 1e-4  # share of the changes that lie beyond each end of the histogram
NARROWEST = 10  # bins that are shown on each side of 0 at least; if nothing was changed, all changes are in the middle one
JUMP = 2.0  # ratio of a bar to its neighbours
ENOUGH = 100  # pixels of a bar, so that chance makes no such jump
SPIKES = 2
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
BEFORE: Mapping[str, Any] = {"color": VERMILION, "linestyle": (0, (4, 2)), "linewidth": 1.5, "label": "before"}
AFTER: Mapping[str, Any] = {"color": BLUE, "linewidth": 1.8, "label": "after"}


def spectrum_chart(found: SpectrumSummary, unit: str, length: str) -> str:
    """The noise power spectra before and after.

    Args:
        found: the spectra.
        unit: of the values.
        length: mm or pixel.
    """
    figure, (axis,) = _figure(1)
    axis.plot(found.frequencies, found.before, **BEFORE)
    axis.plot(found.frequencies, found.after, **AFTER)
    highest = max(found.before.max(), found.after.max())
    if highest > 0:  # else the image is constant, and there is nothing to show on a logarithmic axis
        _logarithmic(axis)
        lowest = min((power for power in (*found.before, *found.after) if power > 0), default=highest)
        axis.set_ylim(max(lowest / 2, highest / DECADES), highest * 2)
    axis.set_xlim(0, None)
    axis.set_xlabel(f"Spatial frequency, {length}⁻¹")
    axis.set_ylabel(f"Noise power, {unit}² {length}²")
    axis.legend(frameon=False, fontsize=SIZE)
    return _picture(figure, "Curves of the noise power spectrum before and after.")


def histogram_chart(values: np.ndarray, counts: np.ndarray, unit: str) -> str:
    """The histogram of the change, beside a normal distribution of the same standard deviation."""
    figure, (axis,) = _figure(1)
    total, step = counts.sum(), values[1] - values[0]
    spread = _spread(values, counts)
    middles, density, reach = histogram_bars(values, counts)
    axis.step(middles, np.where(density > 0, density, np.nan), where="mid", color=BLUE, linewidth=1.6, label="change")
    if spread > 0:
        line = np.linspace(-reach, reach, 201)
        normal = np.exp(-0.5 * (line / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        axis.plot(line, normal, color="0.35", linestyle=":", linewidth=1.5, label="normal distribution of the same width")
    _logarithmic(axis)
    axis.set_ylim(0.2 / (total * step) if total < 1e4 else density.max() * 1e-6, density.max() * 4)
    axis.set_xlim(-reach, reach)
    axis.set_xlabel(f"Denoised minus original, {unit}")
    axis.set_ylabel(f"Share of the pixels per {unit}")
    axis.legend(frameon=False, fontsize=SIZE - 1, loc="upper center", ncols=2)
    return _picture(figure, "Histogram of the change, beside a normal distribution.")


def histogram_bars(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The bars of the histogram, about 60 of which are shown.

    Args:
        values: middles of the bins (B,).
        counts: of the bins (B,).

    Returns:
        Middles and densities of the bars, and the value up to which they are shown in each direction.
    """
    total, step = counts.sum(), values[1] - values[0]
    beyond = np.cumsum(counts) / total
    ends = [abs(values[np.searchsorted(beyond, share)]) for share in (SHOWN, 1 - SHOWN)]
    reach = max(*ends, 3 * _spread(values, counts), NARROWEST * step)
    joined = max(1, int(2 * reach / step / 60))  # bins
    # Whole bars, one of which begins at 0; at the ends are all larger changes, so they must not be cut off.
    before = -(len(values) // 2) % joined
    padded = np.pad(counts, (before, -(before + len(counts)) % joined)).reshape(-1, joined)
    density = padded.sum(axis=1) / (total * joined * step)
    return values[0] + step * (joined * np.arange(len(padded)) - before + (joined - 1) / 2), density, float(reach)


def has_spikes(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether several bars are far above or far below both of their neighbours, that of no change aside."""
    middles, density, reach = histogram_bars(values, counts)
    step = values[1] - values[0]
    shown = np.abs(middles) <= reach
    bars = density[shown] * counts.sum() * (middles[1] - middles[0])  # pixels
    left, own, right = bars[:-2], bars[1:-1], bars[2:]
    gap = (JUMP * own < np.minimum(left, right)) & (np.minimum(left, right) >= ENOUGH)
    spike = (own > JUMP * np.maximum(left, right)) & (own >= ENOUGH)
    aside = np.abs(middles[shown][1:-1]) > middles[1] - middles[0] + step
    return int(np.count_nonzero((gap | spike) & aside)) >= SPIKES


def _spread(values: np.ndarray, counts: np.ndarray) -> float:
    return float(np.sqrt((counts * values**2).sum() / counts.sum()))


def strip_chart(slices: Sequence[Mapping[str, Any]], tissue: str, unit: str) -> str:
    """Noise before and after, and the shift of the mean, of one tissue along the scan."""
    figure, (noise, shift) = _figure(2, HEIGHT + 60)
    numbers = np.array([each["number"] + 1 for each in slices])
    rows = [each["tissues"].get(tissue, {}) for each in slices]
    names = ("before", "after", "shift")
    columns = {name: np.array([row.get(name, np.nan) for row in rows], float) for name in names}  # None becomes NaN
    mark: dict[str, Any] = {"marker": "o", "markersize": 3} if len(slices) < 40 else {}
    noise.plot(numbers, columns["before"], **BEFORE, **mark)
    noise.plot(numbers, columns["after"], **AFTER, **mark)
    noise.set_ylim(0, None)
    noise.set_ylabel(f"Noise, {unit}")
    noise.legend(frameon=False, fontsize=SIZE, ncols=2, loc="best")
    shift.axhline(0, color="0.5", linewidth=0.8)
    shift.plot(numbers, columns["shift"], color="black", linewidth=1.2, **mark)
    shift.set_ylabel(f"Shift of mean, {unit}")
    shift.set_xlabel("Slice")
    return _picture(figure, "Noise before and after, and the shift of the mean value, of each slice.")


def _figure(count: int, height: int = HEIGHT) -> "tuple[Figure, list[Axes]]":
    """A figure with panels below each other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / PIXELS, height / PIXELS))
    # A layout engine would find such margins too, but takes longer than all else on the page.
    places = {
        "left": MARGINS[0] / WIDTH,
        "right": 1 - MARGINS[1] / WIDTH,
        "bottom": MARGINS[2] / height,
        "top": 1 - MARGINS[3] / height,
    }
    axes = list(figure.subplots(count, squeeze=False, sharex=True, gridspec_kw={**places, "hspace": 0.12})[:, 0])
    for axis in axes:
        axis.tick_params(labelsize=SIZE)
        axis.xaxis.label.set_size(SIZE)
        axis.yaxis.label.set_size(SIZE)
        axis.grid(alpha=0.3)
    return figure, axes


def _logarithmic(axis: "Axes") -> None:
    """Make the vertical axis logarithmic, with powers of ten that are plain text, which is faster than set formulas."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _power(value: float) -> str:
    """A power of ten: as a number where that is short."""
    exponent = round(math.log10(value))
    return f"{value:g}" if -3 < exponent < 4 else "10" + str(exponent).translate(RAISED)


def _picture(figure: "Figure", description: str) -> str:
    """The figure as an img element that holds it; the same figure is the same text."""
    from matplotlib import rc_context

    stream = BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "fplbench"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "fplbench"})
    width, height = (round(float(side) * PIXELS) for side in figure.get_size_inches())
    uri = f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode()}"
    return html.void("img", src=uri, alt=description, width=str(width), height=str(height))
