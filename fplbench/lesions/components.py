"""The separate lesions of a segmentation: three-dimensional connected components, found slice by slice."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.outlines import diameter

MOST_PARTS = 1000  # regions in a slice; above it, a mask is noise and not a segmentation
MOST = 250  # lesions of a volume; LiTS has up to 75


@dataclass(frozen=True, slots=True)
class Component:
    """A lesion of a segmentation.

    Attributes:
        first, last: the lowest and the highest number of its slices; it appears in all slices between them.
        diameter: largest diameter in a slice, mm; None if the spacing is unknown.
    """

    first: int
    last: int
    diameter: float | None


@dataclass(slots=True)
class _Part:
    """A region of a slice: the slice, its first pixel (row, column), and its largest diameter."""

    number: int
    pixel: tuple[int, int]
    diameter: float


@dataclass(frozen=True, slots=True)
class _Labels:
    """The regions of a slice: their labels, cut out at (row, column); regions[label] is the index of a part."""

    number: int
    labels: np.ndarray
    corner: tuple[int, int]
    regions: np.ndarray


def find_components(
    planes: Iterable[tuple[int, np.ndarray]], spacing: tuple[float, float] | None, keep: Collection[int] = ()
) -> tuple[list[Component], Iterator[tuple[int, dict[int, np.ndarray]]]]:
    """Find the connected components of a mask; voxels are connected if they share a face, an edge or a corner.

    Regions of neighbouring slices are joined where they touch, so that only two slices are needed at a time, and the
    volume is read once.

    Args:
        planes: number and mask of each slice, bool (H, W), in ascending or descending order without gaps.
        spacing: (row, column) spacing in mm, or None.
        keep: numbers of the slices whose masks are returned.

    Returns:
        The components, ordered by their lowest slice and there from the top left; and for each slice in `keep` with a
        component its number and the masks, bool (H, W), by index of the component.

    Raises:
        Unreadable: a slice has more than MOST_PARTS regions, or the mask more than MOST components.
    """
    parts: list[_Part] = []
    joined = _Union()
    kept: list[_Labels] = []
    previous, shape = None, (0, 0)
    for number, mask in planes:
        shape = mask.shape
        labels = _regions(number, mask, spacing, parts) if mask.any() else None
        if labels is not None:
            joined.extend(len(parts))
            for one, other in _touching(labels, previous):
                joined.join(one, other)
            if number in keep:
                kept.append(labels)
        previous = labels
    members = _ordered(parts, joined)
    index = {joined.root(part): number for number, group in enumerate(members) for part in group}
    # One slice at a time: all masks at full size could be hundreds of megabytes.
    masks = ((one.number, _masks(one, shape, [index[joined.root(part)] for part in one.regions[1:].tolist()])) for one in kept)
    return [_component([parts[part] for part in group], spacing is not None) for group in members], masks


def to_text(components: Iterable[Component]) -> str:
    """Write components as slice ranges with diameters in mm: `3-5:12.4 9-9:2`, or `3-5 9-9` without diameters."""
    return " ".join(f"{one.first}-{one.last}" + ("" if one.diameter is None else f":{one.diameter:.4g}") for one in components)


def from_text(text: str) -> list[Component]:
    """Read the components that `to_text` wrote; ValueError if it could not have written the text."""
    components = []
    for item in text.split():
        numbers, _, length = item.partition(":")
        first, last = (int(number) for number in numbers.split("-"))
        size = float(length) if length else None
        if not 0 <= first <= last or (size is not None and not 0 < size < np.inf):
            raise ValueError(f"{item} is not a range of slices with a diameter")
        components.append(Component(first, last, size))
    return components


class _Union:
    """Disjoint sets of parts."""

    def __init__(self) -> None:
        self.parents: list[int] = []

    def extend(self, count: int) -> None:
        """Add sets of one part each, until there are `count` parts."""
        self.parents.extend(range(len(self.parents), count))

    def root(self, part: int) -> int:
        """The part that stands for the set of a part."""
        while self.parents[part] != part:
            self.parents[part] = self.parents[self.parents[part]]
            part = self.parents[part]
        return part

    def join(self, one: int, other: int) -> None:
        """Join the sets of two parts."""
        self.parents[self.root(one)] = self.root(other)


def _regions(number: int, mask: np.ndarray, spacing: tuple[float, float] | None, parts: list[_Part]) -> _Labels:
    """Label the regions of a slice, where pixels also touch at corners, and append them to the parts."""
    from scipy import ndimage

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    labels, count = ndimage.label(mask[top : rows[-1] + 1, left : columns[-1] + 1], np.ones((3, 3)))
    if count > MOST_PARTS:
        raise Unreadable(f"its mask has {count} separate regions in one slice, so it is not a segmentation")
    start = len(parts)
    for label, (down, across) in enumerate(ndimage.find_objects(labels), start=1):
        region = labels[down, across] == label
        pixel = (top + down.start, left + across.start + int(region[0].argmax()))
        parts.append(_Part(number, pixel, diameter(region, spacing) if spacing else 0.0))
    return _Labels(number, labels, (top, left), np.arange(-1, count) + start)


def _touching(labels: _Labels, previous: _Labels | None) -> Iterator[tuple[int, int]]:
    """Pairs of parts in two neighbouring slices that touch."""
    if previous is None:
        return
    # A margin of one pixel around the first slice takes each of the nine neighbours in the other one.
    wide = np.pad(labels.labels, 1)
    down, across = (previous.corner[axis] - labels.corner[axis] + 1 for axis in (0, 1))
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            one, other = _overlap(wide, previous.labels, down + row, across + column)
            both = (one > 0) & (other > 0)
            for pair in np.unique(one[both] * len(previous.regions) + other[both]).tolist():
                first, second = divmod(pair, len(previous.regions))
                yield int(labels.regions[first]), int(previous.regions[second])


def _overlap(one: np.ndarray, other: np.ndarray, down: int, across: int) -> tuple[np.ndarray, np.ndarray]:
    """The common part of two arrays, with the second one shifted by (down, across) in the first."""
    top, left = max(down, 0), max(across, 0)
    bottom, right = (max(min(one.shape[axis], other.shape[axis] + (down, across)[axis]), (top, left)[axis]) for axis in (0, 1))
    return one[top:bottom, left:right], other[top - down : bottom - down, left - across : right - across]


def _ordered(parts: list[_Part], joined: _Union) -> list[list[int]]:
    """The parts of each component, with the components ordered by their first voxel."""
    groups: dict[int, list[int]] = {}
    for number in sorted(range(len(parts)), key=lambda part: (parts[part].number, parts[part].pixel)):
        groups.setdefault(joined.root(number), []).append(number)
    if len(groups) > MOST:
        raise Unreadable(f"its mask has {len(groups)} separate lesions; the limit is {MOST}")
    return list(groups.values())


def _component(members: list[_Part], measured: bool) -> Component:
    """Join the parts of a component."""
    numbers = [part.number for part in members]
    return Component(min(numbers), max(numbers), max(part.diameter for part in members) if measured else None)


def _masks(labels: _Labels, shape: tuple[int, ...], indices: list[int]) -> dict[int, np.ndarray]:
    """The mask of each component in a slice, at full size."""
    (top, left), (height, width) = labels.corner, labels.labels.shape
    masks: dict[int, np.ndarray] = {}
    for label, index in enumerate(indices, start=1):
        mask = masks.setdefault(index, np.zeros(shape, bool))
        mask[top : top + height, left : left + width] |= labels.labels == label
    return masks
