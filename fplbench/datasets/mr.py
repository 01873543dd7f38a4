"""MR of any source: DICOM series, enhanced multi-frame files and NIfTI volumes, in any folders; no unit."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from fplbench.datasets.ct import NOT_KNOWN, left_out
from fplbench.datasets.percentiles import PercentileOptions
from fplbench.datasets.registry import LOADERS, Dataset, Header, Plane, Slice
from fplbench.datasets.series import SERIES_FIELDS, arrange_series, read_series_header, read_series_images
from fplbench.datasets.volumes import is_volume, read_volume_header, read_volume_images


class MrOptions(PercentileOptions):
    """Options of MR."""

    root: Path = Field(Path("data/mr"), description="Folder with DICOM files, NIfTI volumes or both, in any layout.")


def read_header(path: Path, options: MrOptions) -> Header:
    """Read patient, series, positions and size of a slice, or of all slices of a file; their planes may have any orientation.

    Raises:
        NotAnImage: the file is no MR slice as it was acquired, and no volume.
        Unreadable: its position or size is missing or impossible, or it is truncated.
    """
    if is_volume(path.name):
        return read_volume_header(path, options, "MR")
    return read_series_header(path, options, ("MR",))


def read_images(path: Path, slices: Sequence[Slice], options: MrOptions) -> Iterator[Plane]:
    """Read slices of a file, float32 (H, W), in the units that it rescales to; MONOCHROME1 is inverted."""
    if is_volume(path.name):
        return read_volume_images(path, slices, "MR")
    return read_series_images(path, slices, options)


LOADERS.add(
    "mr",
    Dataset(
        name="mr",
        label="MR",
        options=MrOptions,
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
        hounsfield=False,
        modalities=("MR",),
        libraries=("cv2", "nibabel", "pydicom"),
    ),
)
