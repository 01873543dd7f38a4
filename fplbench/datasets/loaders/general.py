"""Scans of any source: DICOM series, enhanced multi-frame files and NIfTI volumes, in any folders."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from fplbench.datasets.formats import dicom
from fplbench.datasets.formats.dicom_opening import begins_as_dicom
from fplbench.datasets.formats.images import is_picture
from fplbench.datasets.reading.arranging import arrange_series
from fplbench.datasets.reading.series import SERIES_FIELDS, read_series_header, read_series_images
from fplbench.datasets.reading.volumes import Modality, is_mask, is_volume, read_volume_header, read_volume_images
from fplbench.datasets.registry import Dataset, DatasetOptions, Header, NotAnImage, Plane, Slice

PAIR = re.compile(r"\.(?:hdr|img)(?:\.gz)?$", re.IGNORECASE)
PAIR_LEFT_OUT = "one of the two files of a NIfTI or Analyze volume; convert it to .nii"
NOT_KNOWN = "The licence of these images is not known here: ask their owner before you share pages that show them."


def scans(modality: Modality, options: type[DatasetOptions]) -> Dataset:
    """The data set of all scans of a modality, named and labelled after it.

    Args:
        modality: CT, whose values are in HU, or MR, whose values have no unit.
        options: model of the options.
    """
    return Dataset(
        name=modality.lower(),
        label=modality,
        options=options,
        licence="that of their owner",
        citation="",
        page="",
        sharing=NOT_KNOWN,
        contents="the DICOM or NIfTI files",
        left_out=partial(left_out, modality=modality),
        read_header=partial(read_header, modality=modality),
        arrange=arrange_series,
        read_images=partial(read_images, modality=modality),
        header_fields=SERIES_FIELDS,
        hounsfield=modality == "CT",
        modalities=(modality,),
        libraries=("cv2", "nibabel", "pydicom"),
    )


def left_out(path: str, root: Path, modality: Modality) -> str:
    """Leave out masks, judging by their names, and files whose suffix shows that they are neither DICOM nor NIfTI."""
    if is_volume(path):
        return "a mask" if is_mask(path) else ""
    if is_picture(path):
        return f"{PurePosixPath(path).suffix.lower()}, not read by {modality.lower()}; the loader radiograph reads it"
    return dicom.left_out(path, root)


def read_header(path: Path, options: DatasetOptions, modality: Modality) -> Header:
    """Read patient, series, positions and size of a slice, or of all slices of a file. Planes of MR may have any orientation.

    Raises:
        NotAnImage: the file is no slice of the modality as it was acquired, and no volume; a slice of CT that is not axial.
        Unreadable: its position or size is missing or impossible, or it is truncated.
    """
    if is_volume(path.name):
        return read_volume_header(path, options, modality)
    if PAIR.search(path.name) and not begins_as_dicom(path):  # some DICOM files are named .img
        raise NotAnImage(PAIR_LEFT_OUT)
    return read_series_header(path, options, (modality,))


def read_images(path: Path, slices: Sequence[Slice], options: DatasetOptions, modality: Modality) -> Iterator[Plane]:
    """Read slices of a file, float32 (H, W): CT in HU, MR in the units that the file rescales to."""
    if is_volume(path.name):
        return read_volume_images(path, slices, modality)
    return read_series_images(path, slices)
