"""A contact sheet: 16 windowed slices of a data set, with the outlines of their lesions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fplbench.datasets.identity import Identity
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice, Wanted
from fplbench.datasets.sampling.display import content
from fplbench.datasets.sampling.draws import evenly
from fplbench.datasets.sampling.lesion_drawing import read_lesions
from fplbench.datasets.sampling.pixels import Form
from fplbench.datasets.sampling.series_windows import SeriesWindows
from fplbench.lesions.marks import Annotations

IMAGES = 16
WITH_LESION = IMAGES // 2  # at most; the others show the data set as a whole
THUMBNAIL = 256  # pixels
CAPTION = 16  # pixels
FEW = 8  # labels of a mask; HU are never that close, as images have noise
OUTLINE = (255, 160, 0)  # orange


@dataclass
class Sheet:
    """What the images of a contact sheet show.

    Attributes:
        tried: the files that were read.
        faults: why a file cannot be decoded, by path.
        shown: number of images shown.
        near_empty: number of these that are near-empty.
        lesions: number of images shown that have a lesion.
        even: number of images shown that were not chosen for their lesions, and so stand for the whole data set.
        even_near_empty: number of these that are near-empty.
        sizes: rows and columns of the images shown, before they are resized.
        flat: files of CT whose images only show values that masks have, 0 to FEW, rather than HU.
        mask_faults: why the lesion masks of a file cannot be read, by path.
    """

    tried: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    shown: int = 0
    near_empty: int = 0
    lesions: int = 0
    even: int = 0
    even_near_empty: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    flat: set[str] = field(default_factory=set)
    mask_faults: dict[str, str] = field(default_factory=dict)

    def count(self, size: tuple[int, int], near_empty: bool, even: bool) -> None:
        """Count an image that is shown."""
        self.sizes.append(size)
        self.shown += 1
        self.near_empty += near_empty
        self.even += even
        self.even_near_empty += even and near_empty


def contact_sheet(
    dataset: Dataset,
    options: DatasetOptions,
    slices: Sequence[Slice],
    threads: int,
    path: Path,
    annotations: Annotations | None = None,
) -> Sheet:
    """Write 16 slices as a .png file with their names: up to 8 with a lesion first, then slices of the whole data set.

    Both are spread evenly. The noisy image of a pair stands on the right of the clean one. Lesions are outlined in orange, on
    every image. Nothing is written if none of the slices can be decoded.

    Args:
        dataset: the data set.
        options: options of the data set, with its root.
        slices: every slice of the data set.
        threads: number of reading processes.
        path: the .png file.
        annotations: what is known about lesions.
    """
    from PIL import Image, ImageDraw

    marks = annotations.marks if annotations else {}
    first, chosen = _chosen(slices, [one for one in slices if marks.get(one.image_id)])
    width = THUMBNAIL * (2 if dataset.paired else 1)
    picture = Image.new("RGB", (4 * width, 4 * (THUMBNAIL + CAPTION)))
    draw = ImageDraw.Draw(picture)
    identity = Identity(options.pseudonymise)
    windows = SeriesWindows(dataset, options, slices)
    windows.measure(chosen.values(), threads)
    sheet = Sheet({one.source for one in chosen.values()} | windows.tried)
    for source, failure in windows.faults.items():
        sheet.faults[source] = failure.words(options.root, source, options.pseudonymise)
    wanted: dict[int, Wanted] = {}
    for number, answer in windows.read(Form(THUMBNAIL, noisy=dataset.paired), chosen, threads):
        one = chosen[number]
        left, top = _corner(number, width)
        if isinstance(answer, Failure):
            sheet.faults.setdefault(one.source, answer.words(options.root, one.source, options.pseudonymise))
            draw.text((left + 4, top + THUMBNAIL // 2), "cannot be decoded", fill=(255, 255, 255))
        else:
            sheet.count(answer.shape, content(answer.pixels) < options.min_content, number >= first)
            if dataset.hounsfield and answer.minimum >= 0 and 0 < answer.maximum <= FEW:
                sheet.flat.add(one.source)
            picture.paste(Image.fromarray(answer.pixels), (left, top))
            if answer.noisy is not None:
                picture.paste(Image.fromarray(answer.noisy), (left + THUMBNAIL, top))
            if marks.get(one.image_id):
                wanted[number] = Wanted(one, answer.shape, marks[one.image_id])
        draw.text((left + 4, top + THUMBNAIL + 2), identity.of(one.image_id)[-40:], fill=(255, 255, 255))
    sheet.lesions = len(wanted)
    for number, edge in _outlines(dataset, options, wanted, threads, sheet).items():
        picture.paste(OUTLINE, _corner(number, width), Image.fromarray(edge))
    if sheet.shown:
        picture.save(path)
    return sheet


def _chosen(slices: Sequence[Slice], with_lesion: Sequence[Slice]) -> tuple[int, dict[int, Slice]]:
    """How many slices are chosen for their lesions, and the slices of the sheet by place, these first."""
    first = evenly(with_lesion, min(WITH_LESION, len(with_lesion)))
    taken = {one.image_id for one in first}
    others = [one for one in slices if one.image_id not in taken]
    return len(first), dict(enumerate([*first, *evenly(others, min(IMAGES - len(first), len(others)))]))


def _corner(number: int, width: int) -> tuple[int, int]:
    return number % 4 * width, number // 4 * (THUMBNAIL + CAPTION)


def _outlines(
    dataset: Dataset, options: DatasetOptions, wanted: Mapping[int, Wanted], threads: int, sheet: Sheet
) -> dict[int, np.ndarray]:
    """The outline of the lesions of each image, uint8 (THUMBNAIL, THUMBNAIL), 255 on the line; records masks that fail."""
    edges = {}
    for number, answer in read_lesions(dataset, options, THUMBNAIL, wanted, threads):
        if isinstance(answer, Failure):
            source = wanted[number].slice.source
            sheet.mask_faults[source] = answer.words(options.root, source, options.pseudonymise)
        elif answer.labels is not None:
            edges[number] = outline(answer.labels)
    return edges


def outline(labels: np.ndarray) -> np.ndarray:
    """A line one pixel wide just outside each lesion.

    Args:
        labels: uint8 (H, W), 0 outside, else the number of the lesion.

    Returns:
        uint8 (H, W), 255 on the line, else 0.
    """
    import cv2

    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    edge = np.zeros(labels.shape, bool)
    for number in np.unique(labels[labels > 0]):
        mask = (labels == number).astype(np.uint8)
        edge |= cv2.dilate(mask, cross) > mask
    return edge.astype(np.uint8) * 255
