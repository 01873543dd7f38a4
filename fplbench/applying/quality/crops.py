"""The crops of a quality page, where the change is largest: before, after, and the change in colours."""

import base64
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from fplbench.reporting import html
from fplbench.reporting.explorer.pixels import PREFIX, png_uri
from fplbench.reporting.scale_bars import DIVERGING

CROP = 64  # side of a crop, pixels
BLOCK = 4  # side of the squares over which the change is averaged first, pixels
PART = 4  # side of the squares of such squares over which their absolute value is averaged then
LEVELS = 127  # of the change in a crop, in each direction
SATURATED = 99.5  # percentage of the changes that the colours cover
ENLARGED = 2
GRID = "display: flex; flex-wrap: wrap; gap: 0 .5rem"  # three in a row 1,200 pixels wide


def largest_change(
    before: np.ndarray,
    after: np.ndarray,
    change: np.ndarray,
    window: tuple[float, float],
    squares: np.ndarray | None = None,
) -> dict[str, Any] | None:
    """The part of a slice that changed most, as structure: the change is averaged over 4x4 pixels before its size is taken.

    Args:
        before, after: float32 (H, W).
        change: after minus before.
        window: values shown as black and white.
        squares: which squares of 4x4 pixels count, uint8 (H // 4, W // 4), 1 or 0; None for all.

    Returns:
        score: mean over 16x16 pixels of the absolute change of their 4x4 squares; row and column of its middle; bound: the change
        that 127 levels stand for; image: a PNG of the crops before, after and of the change (128 is 0), side by side, as a data:
        URI; height, width: of one crop. None if nothing changed, or the slice is smaller than 16 pixels.
    """
    import cv2

    rows, columns = (side // BLOCK for side in change.shape)
    if min(rows, columns) < PART:
        return None
    coarse = np.abs(cv2.resize(change[: rows * BLOCK, : columns * BLOCK], (columns, rows), interpolation=cv2.INTER_AREA))
    coarse = coarse if squares is None else coarse * squares
    scores = cv2.boxFilter(coarse, cv2.CV_32F, (PART, PART), anchor=(0, 0))[: rows - PART + 1, : columns - PART + 1]
    _, score, _, (column, row) = cv2.minMaxLoc(np.ascontiguousarray(scores))
    if score <= 0:
        return None
    middle = [BLOCK * (place + PART // 2) for place in (row, column)]
    part = tuple(_around(place, side) for place, side in zip(middle, change.shape, strict=True))
    place = {"score": float(f"{score:.4g}"), "row": middle[0], "column": middle[1]}
    return place | _crop(before[part], after[part], change[part], window)


def crop_figures(
    crops: Sequence[tuple[int, Mapping[str, Any]]],
    where: str,
    write: Callable[[float], str],
    unit: str,
    names: Sequence[str] = (),
) -> str:
    """Crops side by side, below what their colours mean, as HTML.

    Args:
        crops: the number of the slice and the crop, as `largest_change` gives it.
        where: sentences on where the crops are from, and their window.
        write: function from a value to a text with its unit.
        unit: of the values.
        names: of the files of all slices; empty where one file holds them all.
    """
    panels = [(number, crop, *_panels(crop)) for number, crop in crops]
    bound = max(float(np.percentile(np.abs(change), SATURATED)) for *_, change in panels)
    bound = float(f"{bound:.2g}") or 1.0
    figures = (
        _figure(number, crop, (write(crop["score"]), names[number] if names else ""), greys, change / bound)
        for number, crop, greys, change in panels
    )
    end = f"{bound:g} {unit}"
    colours = f"The colours of the differences end at −{end} (dark blue) and +{end} (yellow); grey is no change."
    return html.text("p", f"{where} {colours}", class_="caption") + html.element("div", *figures, style=GRID)


def coloured(change: np.ndarray) -> np.ndarray:
    """The colours of changes, uint8 (..., 3), from -1 to 1 and beyond."""
    from matplotlib import colormaps

    return (colormaps[DIVERGING](np.clip(change, -1, 1) / 2 + 0.5)[..., :3] * 255).round().astype(np.uint8)


def _crop(before: np.ndarray, after: np.ndarray, change: np.ndarray, window: tuple[float, float]) -> dict[str, Any]:
    low, high = window
    greys = [np.clip((image - low) * (255 / (high - low)), 0, 255) for image in (before, after)]
    bound = max(float(np.abs(change).max()), 1e-12)
    picture = np.rint(np.hstack([*greys, 128 + change * (LEVELS / bound)])).astype(np.uint8)
    height, width = change.shape
    return {"bound": float(f"{bound:.6g}"), "height": height, "width": width, "image": png_uri(picture, fast=True)}


def _around(place: int, side: int) -> slice:
    start = min(max(place - CROP // 2, 0), max(side - CROP, 0))
    return slice(start, min(start + CROP, side))


def _panels(crop: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The greys before and after side by side, uint8 (H, 2W), and the change in the unit of the scan, float64 (H, W)."""
    import cv2

    picture = np.frombuffer(base64.b64decode(crop["image"].removeprefix(PREFIX)), np.uint8)
    image = np.asarray(cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE))
    width = crop["width"]
    return image[:, : 2 * width], (image[:, 2 * width :].astype(float) - (LEVELS + 1)) * (crop["bound"] / LEVELS)


def _figure(number: int, crop: Mapping[str, Any], words: tuple[str, str], greys: np.ndarray, change: np.ndarray) -> str:
    """One crop with its caption, the score and the file; the change is that of the colours, from -1 to 1."""
    import cv2

    score, name = words
    picture = np.hstack([np.repeat(greys[..., np.newaxis], 3, axis=2), coloured(change)])
    encoded = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    height, width = picture.shape[:2]
    place = f"Slice {number + 1}, row {crop['row']}, column {crop['column']}"
    image = html.void(
        "img", src=PREFIX + base64.b64encode(encoded).decode(), alt=f"{place}: before, after and difference.",
        width=str(width * ENLARGED), height=str(height * ENLARGED), style="image-rendering: pixelated",
    )  # fmt: skip
    below = [html.void("br"), html.text("small", name)] if name else []
    caption = html.element("figcaption", escape(f"{place}: {score}"), *below)
    return html.element("figure", image, caption, style=f"margin: .5rem 0; max-width: {width * ENLARGED}px")
