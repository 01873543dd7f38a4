"""The CT series of a LIDC folder, as far as annotations need them: which images they have, and at which positions."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fplbench.datasets.registry import Header, Slice
from fplbench.lesions.lidc_nodules import Place

TOLERANCE = 0.1  # mm; the images of a series of LIDC-IDRI are at least 0.45 mm apart


@dataclass
class Series:
    """A series whose images are in the folder.

    Attributes:
        patient: identifier of the patient.
        shape: rows and columns that all of its images have at least.
        spacing: (row, column) spacing in mm; None if it cannot be trusted.
        slices: the images that can be drawn, from the feet up.
        instances: the digest of the SOP Instance UID of every image, also of those that are left out; the image_id, or None.
    """

    patient: str
    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    slices: list[Slice] = field(default_factory=list)
    instances: dict[str, str | None] = field(default_factory=dict)

    def at(self, position: float) -> str | None:
        """The image_id of the image at a position, or None."""
        index = bisect_left(self.slices, position - TOLERANCE, key=lambda one: one.position or 0.0)
        near = [one for one in self.slices[index : index + 2] if abs((one.position or 0.0) - position) <= TOLERANCE]
        return min(near, key=lambda one: abs((one.position or 0.0) - position)).image_id if near else None

    def find(self, place: Place) -> str | None:
        """The image_id of the image that a contour was drawn in; None if it is not among the images that can be drawn."""
        return self.instances.get(place.instance) if place.instance else self.at(place.position)

    def contradicts(self, place: Place) -> bool:
        """Whether there is another image at the position where a contour says that its own is."""
        return bool(place.instance) and place.instance not in self.instances and self.at(place.position) is not None


def arrange_series(headers: Mapping[str, Header], slices: Sequence[Slice]) -> dict[str, Series]:
    """The series of a folder by Series Instance UID, sorted.

    Args:
        headers: the headers by path, with the fields of LIDC-IDRI.
        slices: the images that can be drawn.
    """
    found: dict[str, Series] = {}
    for path in sorted(headers):
        header = headers[path]
        shape = header["rows"], header["columns"]
        series = found.setdefault(header["series"], Series(header["patient"], shape, None))
        series.shape = min(series.shape[0], shape[0]), min(series.shape[1], shape[1])
        series.instances.setdefault(header["instance"], None)
    members: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        members[one.series].append(one)
        found[one.series].instances[headers[one.source]["instance"]] = one.image_id
    for name, own in members.items():
        found[name].slices = sorted(own, key=lambda one: one.position or 0.0)
        found[name].spacing = own[0].spacing
    return {name: found[name] for name in sorted(found)}


def folders(headers: Mapping[str, Header]) -> set[str]:
    """The folders that images lie in, relative to the root."""
    return {str(PurePosixPath(path).parent) for path in headers}
