"""Nodules of a LIDC scan: outlines by several readers, which overlap, become one nodule with one mask.

Four radiologists read each scan on their own, without a common name for what they saw (Armato et al. 2011, Medical Physics
38(2), doi 10.1118/1.3528204). Outlines that share a pixel count as one nodule. In the whole of LIDC-IDRI this gives
2,654 nodules; it would give the same number if up to 30 % of the smaller outline had to be shared.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.outlines import Contour, Patch, agreement, diameter, interior, overlap

READERS = 4  # of each scan
MAJORITY = 2  # a pixel belongs to a nodule where at least half of the readers say so
MAX_OUTLINES = 1000  # in one scan; LIDC-IDRI has 49 at most
MAX_AREA = 1 << 26  # pixels in the bounding boxes of all outlines of a scan; LIDC-IDRI has 201,193 at most


class Place(NamedTuple):
    """The image that a contour was drawn in: its position in mm, and the digest of its SOP Instance UID if that is known."""

    position: float
    instance: str = ""


@dataclass
class Outline:
    """A nodule as one reader outlined it.

    Attributes:
        name: which one of the scan it is, for messages.
        reader: number of the reader within the scan; None if unknown.
        malignancy: rating from 1 to 5; None if it was not rated.
        contours: the contours in each image.
    """

    name: str
    reader: int | None = None
    malignancy: int | None = None
    contours: dict[Place, list[Contour]] = field(default_factory=dict)

    @property
    def is_point(self) -> bool:
        """Whether it is a single point, as readers marked nodules under 3 mm, not a region."""
        contours = [contour for drawn in self.contours.values() for contour in drawn]
        return len(contours) == 1 and len(contours[0].points) == 1


@dataclass
class Reading:
    """What the readers of one scan marked.

    Attributes:
        series: Series Instance UID.
        outlines: the nodules of each reader.
    """

    series: str
    outlines: list[Outline] = field(default_factory=list)


@dataclass(frozen=True)
class Nodule:
    """A nodule of a scan.

    Attributes:
        readers: number of readers who outlined it.
        malignancy: mean of their ratings; None if none of them rated it.
        regions: by place, the pixels on which at least MAJORITY readers agree. Images without such pixels are missing.
    """

    readers: int
    malignancy: float | None
    regions: dict[Place, Patch]

    @property
    def order(self) -> tuple[float, int, int]:
        """What nodules are numbered by: position of the lowest image, then the top left corner there."""
        place = min(self.regions, key=lambda place: place.position)
        return place.position, self.regions[place].top, self.regions[place].left

    def size(self, spacing: tuple[float, float]) -> float:
        """Largest diameter in the plane of an image, mm; `spacing` is the (row, column) spacing."""
        return max(diameter(region.mask, spacing) for region in self.regions.values())


def find_nodules(outlines: Sequence[Outline]) -> list[Nodule]:
    """Join the outlines of one scan to nodules.

    Args:
        outlines: the outlines of all readers; those without any pixel inside are ignored.

    Returns:
        The nodules in no particular order. One that a single reader outlined has no regions; any other has, as its outlines
        share pixels.

    Raises:
        Unreadable: the outlines, or the nodules that they become, extend over more than MAX_AREA pixels in all images.
    """
    _check_area(_area(contours) for outline in outlines for contours in outline.contours.values())
    drawn = [(outline, _regions(outline)) for outline in outlines]
    drawn = [(outline, regions) for outline, regions in drawn if regions]
    groups = [[drawn[index] for index in group] for group in _groups([regions for _, regions in drawn])]
    # Small outlines in opposite corners can be one nodule, if they overlap through others.
    _check_area(
        _area([contour for outline, _ in group for contour in outline.contours.get(place, ())])
        for group in groups
        for place in {place for _, regions in group for place in regions}
    )
    return [_nodule(group) for group in groups]


def _check_area(areas: Iterable[int]) -> None:
    """Raise Unreadable if the sum of areas is too large to be held in memory, which no nodules are."""
    if sum(areas) > MAX_AREA:
        raise Unreadable("its contours are far larger than nodules")


def _area(contours: Sequence[Contour]) -> int:
    """Number of pixels in the bounding box of contours in one image."""
    corners = np.concatenate([[contour.points.min(axis=0), contour.points.max(axis=0)] for contour in contours]).astype(int)
    width, height = (corners.max(axis=0) - corners.min(axis=0) + 1).tolist()
    return width * height


def _regions(outline: Outline) -> dict[Place, Patch]:
    regions = {place: interior(contours) for place, contours in outline.contours.items()}
    return {place: region for place, region in regions.items() if region is not None}


def _groups(regions: Sequence[dict[Place, Patch]]) -> list[list[int]]:
    """Numbers of the outlines that overlap directly, or through others."""
    groups: list[list[int]] = []
    for index, own in enumerate(regions):
        touching = [group for group in groups if any(_share(own, regions[other]) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([index, *(other for group in touching for other in group)]))
    return groups


def _share(first: dict[Place, Patch], second: dict[Place, Patch]) -> bool:
    return any(overlap(first[place], second[place]) for place in first.keys() & second.keys())


def _nodule(members: Sequence[tuple[Outline, dict[Place, Patch]]]) -> Nodule:
    """The nodule that consists of these outlines.

    Where readers are unknown, each outline counts as one. A reader who outlined two parts of a nodule is then counted twice,
    but as the parts are apart, no pixel gets two votes.
    """
    votes: dict[Place, dict[int | str, list[Patch]]] = defaultdict(lambda: defaultdict(list))
    voters: set[int | str] = set()
    for number, (outline, regions) in enumerate(members):
        voter = f"outline {number}" if outline.reader is None else outline.reader
        voters.add(voter)
        for place, region in regions.items():
            votes[place][voter].append(region)
    agreed = {place: _majority(list(patches.values())) for place, patches in votes.items()}
    ratings = [outline.malignancy for outline, _ in members if outline.malignancy is not None]
    return Nodule(
        readers=min(len(voters), READERS),
        malignancy=sum(ratings) / len(ratings) if ratings else None,
        regions={place: region for place, region in agreed.items() if region is not None},
    )


def _majority(readers: Sequence[Sequence[Patch]]) -> Patch | None:
    """The pixels that MAJORITY readers agree on; a reader's own regions are joined first."""
    joined = (agreement(patches, 1) for patches in readers)
    return agreement([patch for patch in joined if patch is not None], MAJORITY)
