"""Feature maps of DICOM scans as Parametric Map images (PS3.3 A.75): float32, many frames a file."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.applying.dicom.header import series_uid
from fplbench.applying.dicom.parametric_map_file import MapFile, SourceFrame, write_map_file
from fplbench.applying.scan import Stamp
from fplbench.datasets.formats.planes import project
from fplbench.datasets.reader import Failure
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError
from fplbench.files import replacing

if TYPE_CHECKING:
    from fplbench.applying.dicom.scan import DicomScan

FILE_BYTES = 64 * 2**20  # of the pixels of a file, which are a few times in memory while it is made
SECONDS = 600  # of CPU time for a file
NO_PLACE = (
    "has no place in the patient, as radiographs have none, and a parametric map of DICOM needs one: run it again without "
    "--features, or on images in NIfTI."
)
LIBRARIES = ("highdicom", "numpy", "pydicom")
SHOWN = 99.5  # percentage of the absolute values of a map that the window covers


class ParametricMapWriter:
    """Writes the feature maps of a DICOM scan to folder/001.dcm, 002.dcm and so on.

    Until all are there, each slice is a file in a hidden folder beside them. A file then holds up to 64 MiB of pixels: 64
    slices of 512x512. All of its frames have one orientation and spacing, and places of their own, as PS3.3 requires. The files
    are made by highdicom, in a guarded process.

    Args:
        scan: the scan.
        folder: where the files go.
        stamp: what made the maps.

    Raises:
        InputError: highdicom is not installed, or the images have no place in the patient, as radiographs have none.
    """

    def __init__(self, scan: "DicomScan", folder: Path, stamp: Stamp) -> None:
        if importlib.util.find_spec("highdicom") is None:
            raise InputError("Feature maps of DICOM scans need the package highdicom: pip install 'fplbench[parametric-map]'.")
        self._label, self._folder, self._stamp = scan.facts.label, folder, stamp
        paths = dict(zip(dict.fromkeys(file.path for file, _ in scan.images), scan.files, strict=True))
        self._sources = []
        for file, frame in scan.images:
            if frame.place is None or frame.axes is None or frame.spacing is None:
                raise InputError(f"{self._label} {NO_PLACE}")
            several = len(file.frames) > 1
            self._sources.append(SourceFrame(paths[file.path], frame.index, several, frame.place, frame.axes, frame.spacing))
        self._series = series_uid(scan.images[0][0])
        self._shared = any(file.shared for file, _ in scan.images)
        self._most = max(1, FILE_BYTES // (4 * scan.facts.rows * scan.facts.columns))

    def write(self, number: int, values: np.ndarray) -> np.ndarray:
        """Write the map of a slice, complete or not at all.

        Args:
            number: number of the slice.
            values: float32 (H, W).

        Returns:
            `values`, which the file has without any loss.
        """
        values = np.ascontiguousarray(values, np.float32)
        with replacing(self._slice(number)) as path:
            np.save(path, values)
        return values

    def finish(self) -> list[Path]:
        """Make the files once all slices are written, and return them.

        Raises:
            InputError: a slice is missing, or a header of the scan is so damaged that no map can refer to it.
        """
        files = list(self._files())
        targets = [file.target for file in files]
        if not all(target.exists() for target in targets):  # else an earlier run was interrupted after it had made them
            self._make(files)
        shutil.rmtree(self._slice(0).parent, ignore_errors=True)
        return targets

    def _make(self, files: list[MapFile]) -> None:
        for number in range(len(self._sources)):
            if not self._slice(number).exists():
                raise InputError(f"{self._label}: the feature map of slice {number + 1} has not been written.")
        for number, answer in run_guarded(write_map_file, self._with_window(files), 1, SECONDS, LIBRARIES):
            if isinstance(answer, Failure):
                source = files[number].sources[0].path
                raise InputError(
                    f"{self._label}: its feature map cannot be written as a parametric map, "
                    f"{answer.words(source.parent, source.name, private=True)}; run it again without --features."
                )

    def _with_window(self, files: list[MapFile]) -> Iterator[MapFile]:
        """The files, with the window in which all of them are shown."""
        maps = (np.abs(np.load(self._slice(number))) for number in range(len(self._sources)))
        bound = float(np.median([np.percentile(each, SHOWN) for each in maps]))
        yield from (file._replace(bound=bound or 1.0) for file in files)

    def _files(self) -> Iterator[MapFile]:
        """Which slices are in which file, in the order of their first slices."""
        for place, numbers in enumerate(grouped(self._sources, self._most), start=1):
            sources = tuple(self._sources[number] for number in numbers)
            maps = tuple(self._slice(number) for number in numbers)
            part = f"{self._label} {place}" if self._shared else ""
            yield MapFile(self._folder / f"{place:03d}.dcm", place, sources, maps, self._stamp, 1.0, self._series, part)

    def _slice(self, number: int) -> Path:
        return self._folder / ".slices" / f"{number:06d}.npy"


def grouped(sources: list[SourceFrame], most: int) -> list[list[int]]:
    """Numbers of the slices of each file.

    Those of a file have one orientation and spacing, and places of their own along it: a series that shows each place several
    times gets a file for each time.
    """
    groups: list[tuple[object, set[float], list[int]]] = []
    for number, source in enumerate(sources):
        key, position = _geometry(source), _position(source)
        for other, positions, numbers in groups:
            if other == key and position not in positions and len(numbers) < most:
                positions.add(position)
                numbers.append(number)
                break
        else:
            groups.append((key, {position}, [number]))
    return [numbers for *_, numbers in groups]


def _geometry(source: SourceFrame) -> tuple[object, ...]:
    """What the frames of a file have in common."""
    return source.path if source.several else None, tuple(round(value, 4) for value in source.axes), source.spacing


def _position(source: SourceFrame) -> float:
    """Position along the normal, mm."""
    return round(project(source.place, source.axes, axial=False)[0], 3)
