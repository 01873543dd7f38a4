"""The crops of a quality page: before, after, and the change in colours."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from fplbench.applying.quality.structure import LEVELS
from fplbench.reporting import html
from fplbench.reporting.explorer.pixels import PREFIX
from fplbench.reporting.scale_bars import DIVERGING

SATURATED = 99.5  # percentage of the changes that the colours cover
ENLARGED = 2


def crop_figures(crops: Sequence[tuple[int, Mapping[str, Any]]], write: Any) -> tuple[list[str], float]:
    """Figures of crops, as HTML.

    Args:
        crops: the number of the slice and the crop, as `largest_change` gives it.
        write: function from a value to a text with its unit.

    Returns:
        The figures, and the change at which the colours end, which is the same for all.
    """
    panels = [(number, crop, *_panels(crop)) for number, crop in crops]
    bound = max((float(np.percentile(np.abs(change), SATURATED)) for *_, change in panels), default=1.0)
    bound = float(f"{bound:.2g}") or 1.0
    return [_figure(number, crop, greys, change, bound, write) for number, crop, greys, change in panels], bound


def coloured(change: np.ndarray) -> np.ndarray:
    """The colours of changes, uint8 (..., 3), from -1 to 1 and beyond."""
    from matplotlib import colormaps

    return (colormaps[DIVERGING](np.clip(change, -1, 1) / 2 + 0.5)[..., :3] * 255).round().astype(np.uint8)


def _panels(crop: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The greys before and after side by side, uint8 (H, 2W), and the change in the unit of the scan, float64 (H, W)."""
    import cv2

    picture = np.frombuffer(base64.b64decode(crop["image"].removeprefix(PREFIX)), np.uint8)
    image = np.asarray(cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE))
    width = crop["width"]
    return image[:, : 2 * width], (image[:, 2 * width :].astype(float) - (LEVELS + 1)) * (crop["bound"] / LEVELS)


def _figure(number: int, crop: Mapping[str, Any], greys: np.ndarray, change: np.ndarray, bound: float, write: Any) -> str:
    """One crop with its caption."""
    import cv2

    picture = np.hstack([np.repeat(greys[..., np.newaxis], 3, axis=2), coloured(change / bound)])
    encoded = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    height, width = picture.shape[:2]
    place = f"Slice {number + 1}, row {crop['row']}, column {crop['column']}"
    image = html.void(
        "img", src=PREFIX + base64.b64encode(encoded).decode(), alt=f"{place}: before, after and difference.",
        width=str(width * ENLARGED), height=str(height * ENLARGED), style="image-rendering: pixelated",
    )  # fmt: skip
    return html.element("figure", image, html.element("figcaption", escape(f"{place}: {write(crop['score'])}")))
