"""CT of any source: DICOM series, enhanced multi-frame files and NIfTI volumes, in any folders; HU."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from fplbench.datasets import dicom
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, Plane, Slice, Window
from fplbench.datasets.series import SERIES_FIELDS, arrange_series, read_series_header, read_series_images
from fplbench.datasets.volumes import is_mask, is_volume, read_volume_header, read_volume_images

NOT_KNOWN = "The licence of these images is not known here: ask their owner before you share pages that show them."


class CtOptions(DatasetOptions):
    """Options of CT."""

    root: Path = Field(Path("data/ct"), description="Folder with DICOM files, NIfTI volumes or both, in any layout.")
    window: Window = Field((-160, 240), description="Lowest and highest HU shown; the default is a soft tissue window.")


def left_out(path: str, root: Path) -> str:
    """Leave out masks, judging by their names, and files whose suffix shows that they are neither DICOM nor NIfTI."""
    if is_volume(path):
        return "a mask" if is_mask(path) else ""
    return dicom.left_out(path, root)


def read_header(path: Path, options: CtOptions) -> Header:
    """Read patient, series, positions and size of a slice, or of all slices of a file.

    Raises:
        NotAnImage: the file is no axial CT slice as it was acquired, and no volume.
        Unreadable: its position or size is missing or impossible, or it is truncated.
    """
    if is_volume(path.name):
        return read_volume_header(path, options)
    return read_series_header(path, options, ("CT",))


def read_images(path: Path, slices: Sequence[Slice], options: CtOptions) -> Iterator[Plane]:
    """Read slices of a file, in HU, float32 (H, W); AIR outside the field of view."""
    if is_volume(path.name):
        return read_volume_images(path, slices)
    return read_series_images(path, slices, options)


LOADERS.add(
    "ct",
    Dataset(
        name="ct",
        label="CT",
        options=CtOptions,
        licence="that of their owner",
        citation="",
        page="",
        sharing=NOT_KNOWN,
        contents="the DICOM or NIfTI files",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange_series,
        read_images=read_images,
        header_fields=SERIES_FIELDS,
        libraries=("cv2", "nibabel", "pydicom"),
    ),
)
