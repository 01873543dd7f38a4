"""The data sets by name: what a loader offers, where the files come from, and under which licence."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import Registry

Window = Annotated[tuple[float, float], Field(min_length=2, max_length=2)]

NOTICE = "DATA_LICENCE.md"  # what `fplbench fetch` writes beside the data


class DatasetOptions(Options):
    """Options that every data set has."""

    root: Path = Field(Path("data"), description="Folder with the data set as its owner ships it.")
    window: Window | None = Field(
        None, description="Lowest and highest value shown (HU for CT); none: the whole range of the stored bits."
    )
    max_unreadable: float = Field(0.05, ge=0, le=1, description="Share of unreadable files above which sampling stops.")
    min_content: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="An image is near-empty when a smaller share of its pixels exceeds 5 % of the range.",
    )
    seconds_per_file: float = Field(
        10, gt=0, description="A file that takes longer to read is given up, seconds of processor time."
    )
    pseudonymise: bool = Field(False, description="Write keyed hashes in place of patients, images and file names.")

    @model_validator(mode="after")
    def _window_has_width(self) -> "DatasetOptions":
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"the window {list(self.window)} is empty; its first value must be the lower one.")
        return self


class NotAnImage(Exception):
    """A file of the data set that is left out by rule, not by fault; the message says why."""


class Unreadable(ValueError):
    """A file that is damaged or impossible. The message is a phrase that names neither a path nor a person."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One image of a data set, before its pixels are read.

    `source` is relative to the root and names the file; `number` counts within the series (CT: from the feet up);
    `spacing` is (row, column) in mm, or None where the file has none that can be trusted.
    """

    image_id: str
    patient: str
    series: str
    source: str
    number: int
    spacing: tuple[float, float] | None = None
    position: float | None = None


Header = dict[str, Any]


class Plane(NamedTuple):
    """A slice with its values, float32 (H, W), and the range that they can have; `inverted` tells a MONOCHROME1 image."""

    slice: Slice
    values: np.ndarray
    range: tuple[float, float]
    inverted: bool = False


@dataclass(frozen=True)
class Dataset:
    """A data set: its loader, and where the data come from.

    Attributes:
        left_out: (path relative to the root, resolved root) -> by its name, what a file is that cannot be an image, or "".
        read_header: (path, options) -> the fields that `arrange` needs; raises NotAnImage for files left out by rule and
            Unreadable for damaged ones.
        arrange: (headers by relative path, options) -> the slices, and by path the reason for each image left out.
        read_images: (path, slices of that file, options) -> each slice, in any order, with its values.
        header_fields: the fields of a header with the function that reads each back from the text of the cache, and
            raises ValueError; `header_options` are the options these depend on.
        companion: (path, options) -> another file that the header depends on, or None.
        persons_known: options -> whether the patient of a slice is a person, and not just a name of the image.
        scans: whether images are slices of scans.
        libraries: modules that worker processes load beforehand.
    """

    name: str
    label: str
    options: type[DatasetOptions]
    licence: str
    citation: str
    page: str
    contents: str
    left_out: Callable[[str, Path], str]
    read_header: Callable[[Path, Any], Header]
    arrange: Callable[[dict[str, Header], Any], tuple[list[Slice], dict[str, str]]]
    read_images: Callable[[Path, Sequence[Slice], Any], Iterator[Plane]]
    header_fields: Mapping[str, Callable[[str], Any]]
    header_options: tuple[str, ...] = ()
    companion: Callable[[Path, Any], Path | None] = lambda path, options: None
    persons_known: Callable[[Any], bool] = lambda options: True
    scans: bool = True
    libraries: tuple[str, ...] = ("cv2", "pydicom")


DATASETS: Registry[Dataset] = Registry("data set", "fplbench.datasets")


def check_root(name: str, root: str | os.PathLike) -> None:
    """Raise InputError unless `root` is a folder that holds something.

    The message is one sentence that names the folder, the key of the config, and how to get the data.
    """
    root = Path(root)
    try:
        # The licence alone is what an interrupted download leaves.
        if root.is_dir() and any(item.name != NOTICE for item in root.iterdir()):
            return
        state = "is empty" if root.is_dir() else "is not a folder" if root.exists() else "does not exist"
    except OSError as error:
        state = f"cannot be opened ({error.strerror})"
    raise InputError(f"The folder {root} {state}: {how_to_get(name, root)}")


def how_to_get(name: str, root: Path) -> str:
    """The end of an error sentence: which key names the folder, and how to get the data."""
    dataset = DATASETS[name]
    return (
        f"set datasets.{name}.root to the folder with {dataset.contents}, "
        f"or get them with `fplbench fetch {name} {root}` ({dataset.page})."
    )
