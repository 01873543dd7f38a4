"""What a figure shows of a lesion: which lesions, in which image, the crop around each, its grey window and its outline."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.lesions.shapes import dilated, surround
from fplbench.lesions.units import WHITE, per_level, pixel_size
from fplbench.noise.window import index_window
from fplbench.reporting.panels import scale

LEAST_SIDE, LEAST_MARGIN = 24, 6  # pixels of an image of 256x256, in proportion in others
WIDER = 0.2  # share of the range that a window is wider at each end
LEAST_RANGE = 64.0  # grey levels; in a narrower window noise would be all that is seen
NOT_SCORED = "–"
SCORE_COLUMNS = ("method", "image_id", "lesion_id", "inserted", "contrast_recovery")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Chosen:
    """A lesion, and the image in which it is largest.

    Attributes:
        row: its row in the table of lesions.
        position: which image of the stack.
        images: number of images that show the lesion.
    """

    row: Row
    position: int
    images: int


def largest_lesions(rows: Sequence[Row], image_ids: Sequence[str], inserted: bool, most: int) -> tuple[list[Chosen], int]:
    """Choose the lesions with the most pixels, each in the image where it has the most, and taking turns between kinds.

    Args:
        rows: the table of lesions, see `fplbench.lesions.stack`.
        image_ids: the images of the stack, in order.
        inserted: whether to choose among the inserted lesions or the real ones.
        most: how many lesions to choose.

    Returns:
        The lesions, the largest of each kind first, and how many there are to choose from.
    """
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["inserted"] == str(int(inserted)):
            seen.setdefault((row["patient"], row["lesion_id"]), []).append(row)
    position = {name: i for i, name in enumerate(image_ids)}
    chosen = []
    for own in seen.values():
        largest = max(own, key=_pixels)
        chosen.append(Chosen(largest, position[largest["image_id"]], len(own)))
    chosen.sort(key=lambda lesion: -_pixels(lesion.row))
    return _of_each_kind(chosen)[:most], len(seen)


def _of_each_kind(lesions: Sequence[Chosen]) -> list[Chosen]:
    """The first of each kind, then the second of each, in the order given."""
    earlier: Counter[str] = Counter()
    turn = {}
    for lesion in lesions:
        turn[id(lesion)] = earlier[lesion.row["kind"]]
        earlier[lesion.row["kind"]] += 1
    return sorted(lesions, key=lambda lesion: turn[id(lesion)])


def crop_around(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a square around a lesion.

    Its side is that of the lesion's bounding box and, on both sides, a margin of a quarter of it or 6 pixels; at least 24
    pixels, and at most the image. These numbers are for images of 256x256 pixels and are scaled for others.

    Args:
        mask: bool (H, W), with at least one pixel.
    """
    unit = max(mask.shape) / 256
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    extent = int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1
    margin = max(round(LEAST_MARGIN * unit), round(extent / 4))
    side = max(extent + 2 * margin, round(LEAST_SIDE * unit))
    return _part(rows, side, mask.shape[0]), _part(columns, side, mask.shape[1])


def _part(occupied: np.ndarray, side: int, length: int) -> slice:
    """A part of an axis of the image around the occupied pixels, moved where it would cross the border."""
    side = min(side, length)
    start = (int(occupied[0]) + int(occupied[-1]) + 1 - side) // 2
    start = min(max(start, 0), length - side)
    return slice(start, start + side)


def edges(mask: np.ndarray) -> np.ndarray:
    """The edges between the pixels of a lesion and all others, where a picture of the mask has them.

    Args:
        mask: bool (H, W). Pixel (row, column) covers the square of side 1 around x = column, y = row.

    Returns:
        float (K, 2, 2): K lines of length 1, each from one (x, y) to another.
    """
    padded = np.pad(mask, 1)
    beside = np.argwhere(padded[:, 1:] != padded[:, :-1]) + np.array([-1, 0])
    below = np.argwhere(padded[1:] != padded[:-1]) + np.array([0, -1])
    corners = np.concatenate([beside, below])[:, ::-1] - 0.5
    steps = np.repeat([(0, 1), (1, 0)], (len(beside), len(below)), axis=0)  # a line between columns runs down
    return np.stack([corners, corners + steps], axis=1)


def grey_window(image: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """The grey levels to show as black and white, so that a lesion is seen against its surroundings.

    Args:
        image: the clean image, uint8 (H, W).
        mask: bool (H, W), the lesion.

    Returns:
        The range of the lesion and the surroundings that its contrast is measured against, a fifth wider at both ends and at
        least 64 levels wide, within 0 and 255.
    """
    black, white = scale(image[dilated(mask, surround(max(mask.shape)))])
    wider = max((white - black) * WIDER, (LEAST_RANGE - (white - black)) / 2)
    black = min(max(black - wider, 0), WHITE - LEAST_RANGE)
    return black, max(min(white + wider, WHITE), black + LEAST_RANGE)


def read_recoveries(path: str | os.PathLike[str], inserted: bool) -> dict[tuple[str, str, str], str]:
    """Contrast recoveries with two digits, or a dash, by method, image and lesion_id.

    Raises:
        InputError: the file is missing, lacks a column, or a value is not a number.
    """
    found = {}
    for row in read_csv(path, SCORE_COLUMNS):
        if row["inserted"] == str(int(inserted)):
            value = row["contrast_recovery"]
            try:
                text = f"{float(value):.2f}".replace("-", "−") if value else NOT_SCORED
            except ValueError:
                raise InputError(
                    f"{path}: the contrast_recovery of {row['method']!r} in image {row['image_id']!r} is {value!r}, which is "
                    "not a number."
                ) from None
            found[row["method"], row["image_id"], row["lesion_id"]] = text
    return found


def describe_lesion(lesion: Chosen, persons_known: bool = True) -> str:
    """A sentence about a lesion: what it is, whose, in how many images, and which image is shown."""
    row = lesion.row
    inserted = row["inserted"] == "1"
    readers = int(float(row["readers"] or 0))
    kind = row["kind"].replace("_", " ").capitalize()
    facts = [
        f"{kind} (box)" if row["shape"] == "box" else kind,
        "inserted" if inserted else "",
        f"{'up to ' if lesion.images > 1 or not inserted else ''}{float(row['size_mm']):.3g}\xa0mm" if row["size_mm"] else "",
        f"marked by {readers} reader{'s' * (readers != 1)}" if readers and not inserted else "",
        f"malignancy {float(row['malignancy']):.3g} of 5" if row["malignancy"] and not inserted else "",
        f"patient {row['patient']}" if persons_known else "",
        "in one image" if lesion.images == 1 else f"in {lesion.images} images",
    ]
    where = "" if lesion.images == 1 else ", where it is largest"
    return f"{', '.join(filter(None, facts))}; shown: {row['image_id']}{where} ({row['pixels']}\xa0pixels)."


def describe_crop(path: str | os.PathLike[str], entry: Row, side: int, size: int, window: tuple[float, float]) -> str:
    """A sentence on the size and the window of a crop.

    Args:
        path: the stack, for messages.
        entry: the row of the image in its index.
        side: side of the crop, pixels.
        size: side of the image, pixels.
        window: grey levels shown as black and white.

    Raises:
        InputError: the window or the spacing of the image is not a number.
    """
    hounsfield = index_window([entry])
    low, step = (0.0, 1.0) if hounsfield is None else (hounsfield[0], per_level(hounsfield))
    limits = "\xa0to\xa0".join(f"{low + step * level:.0f}" for level in window)
    shown = f"grey levels {limits}" if hounsfield is None else f"window {limits}\xa0HU"
    pixel = pixel_size(path, {"row_spacing_mm": "", "column_spacing_mm": "", **entry}, size)
    width = "" if pixel is None else f" ({pixel * side:.0f}\xa0mm)"
    return f"Crops: {side}×{side}\xa0pixels{width}, {shown}.".replace("-", "−")


def _pixels(row: Row) -> int:
    return int(row["pixels"])
