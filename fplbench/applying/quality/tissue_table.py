"""The table of tissues of a quality page."""

from collections.abc import Sequence

from fplbench.applying.quality import sentences
from fplbench.applying.quality.summary import TissueSummary
from fplbench.applying.quality.tissues import tissues_of
from fplbench.reporting import html

FINE = (
    "Noise is that of the finest detail in the flattest quarter of each tissue, the median over the slices, before and after at "
    "the same places. It is the standard deviation of white noise. CT noise has little of its power at these frequencies: the "
    "standard deviation of the pixels is higher, and fell by less; see the noise power spectrum."
)
SHIFT = (
    "Shift is the change of the mean value over all pixels of the tissue, and in the slice where it is largest. A denoiser "
    "should leave mean values as they are."
)
CHANGE = (
    "The change is after minus before, pixel by pixel. In a slice, all but a thousandth of the pixels changed by no more than "
    "the 99.9th percentile of its absolute value; shown is the median over the slices. The largest change is the largest "
    "absolute one of a single pixel, over all measured slices."
)
TISSUES = (
    "A tissue is where the HU of the image before, smoothed over 2 pixels, are in its range; HU between the ranges are left out."
)
THIRDS = "The scan has no HU: instead of tissues, these are the thirds of the window."


def tissue_table(tissues: Sequence[TissueSummary], window: tuple[float, float], hounsfield: bool, unit: str, slices: int) -> str:
    """The table of noise, mean values and changes, with notes, as HTML.

    Args:
        tissues: those of the scan.
        window: lowest and highest value that the model changes.
        hounsfield: whether values are HU.
        unit: of the values.
        slices: how many were measured.
    """
    possible = tissues_of(window, hounsfield)
    left = sentences.left_out(tissues, possible, window, slices, hounsfield)
    if not tissues:
        return html.text("p", "No slice has 1,000 pixels of any of them.")
    heads = (
        "Slices", "Noise before", "Noise after", "After / before", "Mean before", "Mean after", "Shift",
        "Largest shift of a slice", "Standard deviation of the change", "99.9th percentile of the change", "Largest change",
    )  # fmt: skip
    head = [html.text("th", name, scope="col") for name in heads]
    head.insert(0, html.text("th", f"Tissue, {unit}", class_="text", scope="col"))
    body = [_row(row, hounsfield) for row in tissues]
    notes = [FINE, SHIFT, CHANGE, TISSUES if hounsfield else THIRDS, *left]
    return html.table("", head, [body], "Noise, mean value and change by tissue") + html.notes(notes)


def _row(row: TissueSummary, hounsfield: bool) -> str:
    def write(value: float) -> str:
        return sentences.plain(value, hounsfield)

    def in_slice(found: tuple[float, int]) -> str:
        return write(found[0]) + html.text("small", f"slice {found[1] + 1}")

    noise = [write(value) for value in row.noise] if row.noise else ["–", "–"]
    ratio = f"{row.noise[1] / row.noise[0]:.2f}" if row.noise and row.noise[0] > 0 else "–"
    cells = [
        str(row.slices), *noise, ratio, write(row.mean), write(row.mean + row.shift), write(row.shift),
        in_slice(row.worst), write(row.spread), write(row.percentile), in_slice(row.largest),
    ]  # fmt: skip
    title = html.element("th", html.text("span", row.tissue.label), html.text("small", f" {_limits(row)}"), scope="row")
    return title + "".join(html.element("td", cell) for cell in cells)


def _limits(row: TissueSummary) -> str:
    low, high = (f"{value:.4g}".replace("-", "−") for value in (row.tissue.low, row.tissue.high))
    return f"above {low}" if high == "inf" else f"{low} to {high}"
