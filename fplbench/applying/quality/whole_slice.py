"""One whole slice of a quality page: before, after, and the change in colours."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np

from fplbench.applying.quality.crops import SATURATED, coloured
from fplbench.reporting import html
from fplbench.reporting.explorer.pixels import PREFIX, png_uri

LONGEST = 512  # pixels; longest side of a picture
STEPS = 32  # of the colours in each direction: few make the file small
SQUARE = 1.01  # ratio of the spacings up to which pixels are shown as squares
ROW = "display: flex; flex-wrap: wrap; gap: 0 1rem; break-inside: avoid"
COLUMN = "flex: 1 1 18rem"
ENDS = "display: flex; justify-content: space-between"


def slice_pictures(
    before: np.ndarray,
    after: np.ndarray,
    window: tuple[float, float],
    spacing: tuple[float, float] | None,
    soft: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Pictures of a whole slice, at most 512 pixels high and wide.

    Args:
        before, after: float32 (H, W).
        window: values shown as black and white.
        spacing: (row, column) spacing of the pixels in mm; None where it is not known.
        soft: values shown as black and white in a second pair of pictures; None for no such pair.

    Returns:
        before, after, change: PNG files as data: URIs; height, width: of each; bound: the change at which the colours end,
        which 0.5 % of the pixels exceed; soft, where asked for, the window, before and after.
    """
    import cv2

    height, width = _size(before.shape, spacing)
    smaller = cv2.INTER_AREA if height * width < before.size else cv2.INTER_LINEAR
    images = [cv2.resize(image, (width, height), interpolation=smaller) for image in (before, after, after - before)]
    bound = float(f"{np.percentile(np.abs(images[2]), SATURATED):.2g}") or 1.0
    found = _greys(images[0], images[1], window)
    found |= {"change": _coloured_uri(images[2], bound), "height": height, "width": width, "bound": bound}
    return found | ({"soft": _greys(images[0], images[1], soft) | {"window": list(soft)}} if soft else {})


def slice_figures(number: int, pictures: Mapping[str, Any], window: tuple[float, float], unit: str, name: str = "") -> str:
    """The pictures of a slice side by side, each above its scale, as HTML; a second row has those of soft tissue.

    Args:
        number: of the slice, counted from 0.
        pictures: what `slice_pictures` returned.
        window: values shown as black and white.
        unit: of the values.
        name: of the file of the slice; empty if it has none of its own.
    """
    bound = f"{pictures['bound']:g} {unit}"
    greys = _grey_scale(window, unit)
    colours = (_coloured_uri(np.linspace(-1, 1, 256)[None], 1.0), f"−{bound}", "0", f"+{bound}")
    titles = {"before": ("Before", *greys), "after": ("After", *greys), "change": ("Difference, after minus before", *colours)}
    place = f"Slice {number + 1}"
    figures = [_figure(pictures, kind, place, *words) for kind, words in titles.items()]
    caption = (
        f"{place}, the middle one{f' ({name})' if name else ''}, at the model's window. Differences beyond the ends of the "
        "colours, 0.5 % of the pixels, have the colours of the ends."
    )
    first = html.element("div", *figures, style=ROW) + html.text("p", caption, class_="caption")
    return first + _soft_row(place, pictures, unit)


def _soft_row(place: str, pictures: Mapping[str, Any], unit: str) -> str:
    """The pictures of soft tissue, with their caption in the place of the third; empty if there are none."""
    soft = pictures.get("soft")
    if not soft:
        return ""
    sized = {**soft, "height": pictures["height"], "width": pictures["width"]}
    scale = _grey_scale(soft["window"], unit)
    figures = [_figure(sized, kind, f"{place}, soft tissue", kind.capitalize(), *scale) for kind in ("before", "after")]
    words = html.text("p", "The same slice at a window in which soft tissue is seen.", class_="caption", style=COLUMN)
    return html.element("div", *figures, words, style=ROW)


def _greys(before: np.ndarray, after: np.ndarray, window: Sequence[float]) -> dict[str, Any]:
    """Both images as PNG files whose black and white are the ends of a window."""
    low, high = window
    greys = [np.rint(np.clip((image - low) * (255 / (high - low)), 0, 255)).astype(np.uint8) for image in (before, after)]
    return {"before": png_uri(greys[0]), "after": png_uri(greys[1])}


def _grey_scale(window: Sequence[float], unit: str) -> tuple[str, ...]:
    """A ramp from black to white, and what its ends are."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    return (png_uri(ramp), *(f"{value:g} {unit}".replace("-", "−") for value in window))


def _figure(pictures: Mapping[str, Any], name: str, place: str, title: str, ramp: str, *ends: str) -> str:
    picture = html.void(
        "img", src=pictures[name], alt=f"{place}: {title.lower()}.", width=str(pictures["width"]),
        height=str(pictures["height"]), style="width: 100%",
    )  # fmt: skip
    bar = html.void(
        "img", src=ramp, alt=f"Scale from {ends[0]} to {ends[-1]}.", style="display: block; width: 100%; height: .7rem"
    )
    scale = html.element("div", *(html.text("span", end) for end in ends), style=ENDS)
    return html.element("figure", picture, html.element("figcaption", escape(title), bar, scale), style=COLUMN)


def _size(shape: tuple[int, ...], spacing: tuple[float, float] | None) -> tuple[int, int]:
    """Height and width of the pictures, whose pixels are squares."""
    rows, columns = spacing or (1.0, 1.0)
    finest = min(rows, columns)
    rows, columns = (rows / finest, columns / finest) if max(rows, columns) > SQUARE * finest else (1.0, 1.0)
    sides = (shape[0] * rows, shape[1] * columns)
    shrunk = min(1.0, LONGEST / max(sides))
    height, width = (max(1, round(side * shrunk)) for side in sides)
    return height, width


def _coloured_uri(change: np.ndarray, bound: float) -> str:
    """A PNG of differences with a palette, which takes a third of the space of one in red, green and blue."""
    from PIL import Image

    levels = np.rint(np.clip(change / bound, -1, 1) * STEPS).astype(np.int16) + STEPS
    picture = Image.fromarray(levels.astype(np.uint8), mode="P")
    picture.putpalette(coloured(np.linspace(-1, 1, 2 * STEPS + 1)).tobytes())
    stream = BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return PREFIX + base64.b64encode(stream.getvalue()).decode()
