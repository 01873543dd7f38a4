"""Scans in DICOM: what is found among files, and how each is read and written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fplbench.applying.dicom.copies import hash_pixels, possible_copies, without_copies
from fplbench.applying.dicom.file import Frame, ImageFile, read_image_file
from fplbench.applying.dicom.reading import LIBRARIES, DicomReader
from fplbench.applying.dicom.series import Series, group_series
from fplbench.applying.dicom.stored import StoredFrames
from fplbench.applying.dicom.writer import DicomWriter
from fplbench.applying.scan import Facts, Found, Kind, Plane, ReadingOptions, Stamp, Writer
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import NotAnImage
from fplbench.datasets.workers import run_guarded


def find_dicom_scans(root: Path, files: Sequence[str], options: ReadingOptions) -> Found:
    """Find the scans among files, from their headers.

    Files belong together by SeriesInstanceUID. Slices are ordered along the normal of their planes, whatever these are.

    Args:
        root: the folder of the input.
        files: paths relative to it; those that are not DICOM are skipped.
        options: how to read.

    Returns:
        The scans, and why files are left out or cannot be read: phrases without names of patients.
    """
    found = Found()
    images: list[ImageFile] = []
    tasks = ((root, path) for path in files)
    for number, answer in run_guarded(read_image_file, tasks, options.threads, options.seconds_per_file, LIBRARIES, batch=4):
        if isinstance(answer, Failure):
            found.problems[files[number]] = answer.words(root, files[number], private=True)
        elif isinstance(answer, NotAnImage):
            found.skipped[files[number]] = str(answer)
        else:
            images.append(answer)
    images = _without_copies(images, root, options, found)
    reader = DicomReader(root, options.seconds_per_file)  # one for all, as scans are denoised one after the other
    found.scans = [DicomScan(_with_note(one, found.problems), reader, options) for one in group_series(images)]
    return found


def _with_note(series: Series, problems: Iterable[str]) -> Series:
    """A series, with a note if files beside its own cannot be read."""
    folders = {PurePosixPath(file.path).parent for file, _ in series.images}
    count = sum(PurePosixPath(path).parent in folders for path in problems)
    if not count:
        return series
    files = "A file" if count == 1 else f"{count} files"
    return replace(series, notes=(*series.notes, f"{files} beside its own cannot be read, so slices may be missing."))


def _without_copies(images: list[ImageFile], root: Path, options: ReadingOptions, found: Found) -> list[ImageFile]:
    """The images without copies of others; why the rest is left out goes to `found`."""
    unsure = possible_copies(images)
    pixels: dict[str, str] = {}
    tasks = ((root, file.path, len(file.frames)) for file in unsure)
    for number, answer in run_guarded(hash_pixels, tasks, options.threads, options.seconds_per_file, LIBRARIES):
        path = unsure[number].path
        if isinstance(answer, Failure):
            found.problems[path] = answer.words(root, path, private=True)
        else:
            pixels[path] = answer
    kept, left_out = without_copies((file for file in images if file.path not in found.problems), pixels)
    found.skipped.update(left_out)
    return kept


class DicomScan:
    """A scan in DICOM files: a series, images of one size in it, or a multi-frame file.

    Attributes:
        facts: what is known of it.
        files: its files, in the order of their slices.
        images: the file and the frame of each slice.
    """

    def __init__(self, series: Series, reader: DicomReader, options: ReadingOptions) -> None:
        """Describe a series whose files `reader` reads."""
        self.images = series.images
        self.files = tuple(dict.fromkeys(reader.root / file.path for file, _ in series.images))
        self.facts = _facts(series, reader.root)
        self._folder, self._reader, self._options = series.folder, reader, options
        self._frames = StoredFrames(series.images, reader)

    def planes(self, numbers: Sequence[int]) -> Iterator[Plane]:
        """Read slices, in the order of `numbers`, one at a time. Their values are read only.

        Raises:
            InputError: a file cannot be read.
        """
        for number in numbers:
            valid = self.images[number][1].coding.valid(self._frames[number])
            yield Plane(number, self._frames.values(number), valid)

    def writer(self, kind: Kind, folder: Path, stamp: Stamp) -> Writer:
        """What writes an output of the scan to files of the same names in `folder / facts.name`."""
        base = folder / self.facts.name
        if kind == "features":
            from fplbench.applying.dicom.parametric_map import ParametricMapWriter

            return ParametricMapWriter(self, base, stamp)
        targets = [base / PurePosixPath(file.path).relative_to(self._folder) for file, _ in self.images]
        derivation = (kind, stamp, self._options.keep_private)
        return DicomWriter(self.images, targets, self._frames, self._reader, derivation)


def _facts(series: Series, root: Path) -> Facts:
    file, frame = series.images[0]
    name = series.name if series.name != "." else root.resolve().name or "scan"
    return Facts(
        name=name,
        label=file.path if len(series.images) == len(file.frames) else series.name,
        modality=file.modality,
        spacing=frame.spacing,
        slices=len(series.images),
        rows=file.rows,
        columns=file.columns,
        hounsfield=all(frame.coding.hounsfield for _, frame in series.images),
        notes=series.notes,
        names=tuple(_slice_name(series.folder, *image) for image in series.images),
    )


def _slice_name(folder: str, file: ImageFile, frame: Frame) -> str:
    """The path of the slice's file relative to the folder of the series, and the number of the image or of its frame."""
    path = PurePosixPath(file.path).relative_to(folder).as_posix()
    if len(file.frames) > 1:
        return f"{path}, frame {frame.index + 1}"
    return f"{path}, InstanceNumber {file.order}" if file.order else path
