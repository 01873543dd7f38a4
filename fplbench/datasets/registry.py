"""The registry of loaders: what each one reads, where its files come from, and under which licence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from fplbench.errors import InputError, nearest
from fplbench.lesions.marks import Annotations, Lesion, Mark
from fplbench.options import Options
from fplbench.registry import Registry

Window = Annotated[tuple[float, float], Field(min_length=2, max_length=2)]
Header = dict[str, Any]  # the fields of a file that are read before its pixels
NO_PATIENT = "it has no PatientID"  # why lidc refuses a file that ct reads


class DatasetOptions(Options):
    """Options shared by all data sets."""

    label: str | None = Field(
        None, min_length=1, description="Label in tables, figures and pages; null: that of the loader's data set, or the name."
    )
    root: Path = Field(Path("data"), description="Folder with the data set as its owner distributes it.")
    window: Window | None = Field(
        None, description="Lowest and highest value shown (HU for CT); null: the full range of the stored bits."
    )
    max_unreadable: float = Field(0.05, ge=0, le=1, description="Largest share of unreadable files; above it, sampling stops.")
    min_content: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Smallest share of pixels above 5 % of the range; an image with fewer is near-empty and is not used.",
    )
    seconds_per_file: float = Field(
        10, gt=0, description="Time limit for reading one file, seconds of CPU time; a slower file counts as unreadable."
    )
    pseudonymise: bool = Field(False, description="Replace the names of patients, images and files by keyed hashes.")
    licence: str | None = Field(
        None, description="Sentence on the licence of the images, for pages that show them; null: that of the data set."
    )

    @model_validator(mode="after")
    def _window_has_width(self) -> "DatasetOptions":
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"the window {list(self.window)} is empty; its first value must be the lower one.")
        return self


class NotAnImage(Exception):
    """A file that is left out on purpose, not because it is damaged. The message is the reason, as a phrase."""


class Unreadable(ValueError):
    """A file that is damaged or impossible. The message is a phrase that contains neither a path nor a name."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One image of a data set whose pixels have not been read yet.

    Attributes:
        image_id: identifier, unique in the data set.
        patient: identifier of the patient.
        series: identifier of the series.
        source: path of the file, relative to the root.
        number: number within the series (CT: from the feet up).
        spacing: (row, column) spacing in mm; None if the file has none that can be trusted.
        position: position along the body axis in mm; None if unknown.
        window: values shown as 0 and 255 where they are those of its series; None: those of the options or of the file.
        partner: for a pair, the path of the file with the noisy image, relative to the root, and its number there.
        identified_by: what identifies the patient; see `fplbench.datasets.persons`.
    """

    image_id: str
    patient: str
    series: str
    source: str
    number: int
    spacing: tuple[float, float] | None = None
    position: float | None = None
    window: tuple[float, float] | None = None
    partner: tuple[str, int] | None = None
    identified_by: str = "PatientID"


class Plane(NamedTuple):
    """A slice with its values, float32 (H, W), and their possible range.

    `inverted` marks a MONOCHROME1 image. `noisy` has the values of the noisy image of a pair, float32 (H, W).
    """

    slice: Slice
    values: np.ndarray
    range: tuple[float, float]
    inverted: bool = False
    noisy: np.ndarray | None = None


def no_companion(path: Path, options: DatasetOptions) -> Path | None:
    """The companion of a file in data sets where headers depend on one file only: None."""
    return None


class Wanted(NamedTuple):
    """A slice whose lesions are to be drawn: the slice, the size of its image (rows, columns), and its marks."""

    slice: Slice
    shape: tuple[int, int]
    marks: tuple[Mark, ...]


Masks = list[tuple[Lesion, np.ndarray]]
"""Lesions with their masks, bool (H, W), at the size of the original image and in its orientation."""


def no_annotations(headers: dict[str, Header], slices: Sequence[Slice], options: DatasetOptions) -> Annotations:
    """The annotations of a data set that has none."""
    return Annotations()


def no_masks(path: Path, wanted: Sequence[Wanted], options: DatasetOptions) -> Iterator[tuple[str, Masks]]:
    """The lesion masks of a data set that has none."""
    yield from ()


@dataclass(frozen=True)
class Dataset:
    """A data set: how to read it, and where it comes from.

    The registry has one for each loader, with the loader's own name; `find_dataset` gives it the name that it has in a config.

    Attributes:
        name: name in the config.
        label: name in tables.
        options: model of the options.
        licence: licence of the data.
        citation: reference to cite.
        page: web page of the data set.
        sharing: a sentence on whether images may be redistributed, changed ones as in pages and figures too.
        contents: what the root must contain, for messages.
        left_out: (path relative to the root, resolved root) -> why a file cannot be an image, judging by its name; else "".
        read_header: (path, options) -> the fields that `arrange` needs. Raises NotAnImage for files that are left out and
            Unreadable for damaged ones.
        arrange: (headers by relative path, options, name of the data set for messages) -> the slices, and the reason for each
            path that is left out.
        read_images: (path, slices of that file, options) -> each slice with its values, in any order.
        header_fields: for each field of a header, the function that converts its text in the cache; it raises ValueError
            or TypeError if the text is damaged.
        header_options: names of the options that the header fields depend on.
        companion: (path, options) -> another file that the header depends on, or None.
        annotate: (headers by relative path, slices, options) -> what is known about lesions. Faulty annotations are reported
            in the result and never raise.
        lesion_masks: (path, slices of that file, options) -> the image_id and the lesions of each slice, with masks at the
            size of the original image; runs in a worker process. Raises Unreadable for a damaged mask.
        scans: whether the images are slices of scans.
        hounsfield: whether the values are HU.
        modalities: codes of the modality as DICOM has them.
        paired: whether each image comes with a noisy one, as it was acquired.
        kinds: for pairs, a data set for each loader that can read their images (option `of`), this one for the default; else
            empty.
        loader: name of the loader; "" in the registry, where it is the name.
        libraries: modules that worker processes import in advance.
    """

    name: str
    label: str
    options: type[DatasetOptions]
    licence: str
    citation: str
    page: str
    sharing: str
    contents: str
    left_out: Callable[[str, Path], str]
    read_header: Callable[[Path, Any], Header]
    arrange: Callable[..., tuple[list[Slice], dict[str, str]]]
    read_images: Callable[[Path, Sequence[Slice], Any], Iterator[Plane]]
    header_fields: Mapping[str, Callable[[str], Any]]
    header_options: tuple[str, ...] = ()
    companion: Callable[[Path, Any], Path | None] = no_companion
    annotate: Callable[[dict[str, Header], Sequence[Slice], Any], Annotations] = no_annotations
    lesion_masks: Callable[[Path, Sequence[Wanted], Any], Iterator[tuple[str, Masks]]] = no_masks
    scans: bool = True
    hounsfield: bool = True
    modalities: tuple[str, ...] = ("CT",)
    paired: bool = False
    kinds: Mapping[str, "Dataset"] = field(default_factory=dict)
    loader: str = ""
    libraries: tuple[str, ...] = ("cv2", "pydicom")


LOADERS: Registry[Dataset] = Registry("loader", "fplbench.datasets.loaders")


def find_dataset(name: str, loader: str | None = None, label: str | None = None, of: str | None = None) -> Dataset:
    """The data set of a name, read by a loader.

    Args:
        name: name of the data set in the config; any name.
        loader: name of the loader; None: the data set is called as its loader is.
        label: label in tables; None: that of the loader, if it is called like it, else the name.
        of: for pairs, the loader that reads their images; None: the default.

    Raises:
        InputError: there is no such loader, or none is given and the name is not that of one.
    """
    if loader is None and name not in LOADERS:
        raise InputError(
            f"{name!r} is not a loader: {nearest(name, LOADERS)} A data set of another name needs the key loader, as in "
            f"datasets: {{{name}: {{loader: ct}}}}."
        )
    found = LOADERS[loader or name]
    own = found.label if found.name == name else name
    kind = found
    if of is not None and found.kinds:
        if not isinstance(of, str) or of not in found.kinds:
            raise InputError(f"of is {of!r}, but must be one of {', '.join(found.kinds)}, the loaders that can read pairs.")
        kind = found.kinds[of]
    return replace(kind, name=name, label=label or own, loader=found.name)


def dataset_of(name: str, loader: str | None, options: DatasetOptions) -> Dataset:
    """The data set of a name, read by a loader with these options; see `find_dataset`."""
    return find_dataset(name, loader, options.label, getattr(options, "of", None))
