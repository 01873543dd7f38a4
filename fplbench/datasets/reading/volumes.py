"""NIfTI volumes of CT and MR, with any names."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from fplbench.datasets.formats import frames, nifti
from fplbench.datasets.formats.dicom import digest
from fplbench.datasets.formats.hounsfield import AIR, HIGHEST, TISSUE
from fplbench.datasets.persons import BIDS, NIFTI
from fplbench.datasets.registry import DatasetOptions, Header, NotAnImage, Plane, Slice
from fplbench.datasets.sampling.display import check_size

if TYPE_CHECKING:
    from nibabel import Nifti1Image

Modality = Literal["CT", "MR"]
VOLUME = re.compile(r"\.nii(?:\.gz)?$", re.IGNORECASE)
SUBJECT = re.compile(r"(?:^|/)(sub-[A-Za-z0-9]+)(?=[/_.])")  # of the Brain Imaging Data Structure (BIDS)
# Names of masks: these words, also with a number or what BIDS puts before them, anywhere in a file name or as a folder. ROI and
# GT stand at the end, as an image of a region can begin with its name.
WORDS = r"(?:labels?|(?:d|prob|a|p)?seg(?:mentations?|s)?|masks?)"
MASK = re.compile(
    rf"(?:^|[/_. -]){WORDS}\d*[_. -][^/]*$|[_. -](?:roi|gt)\.nii|(?:^|/)(?:labels?T[rs]|{WORDS}|roi|gt)/", re.IGNORECASE
)


def is_volume(path: str) -> bool:
    """Whether a file is named like a NIfTI volume."""
    return VOLUME.search(path) is not None


def is_mask(path: str) -> bool:
    """Whether a NIfTI file, by its path relative to the root, is named like the mask of a volume."""
    return MASK.search(path) is not None


def read_volume_header(path: Path, options: DatasetOptions, modality: Modality) -> Header:
    """Read patient, slices, positions and size of a volume, with the fields of a DICOM series.

    The patient is the `sub-XXX` of BIDS in the path, or else the volume is one of its own.

    Args:
        path: the file.
        options: options of the data set, with its root.
        modality: CT, which is cut into axial slices, or MR, into slices perpendicular to the largest spacing, as acquired.

    Raises:
        NotAnImage: it holds several volumes, its voxels are colours or complex numbers, or it is CT that is not of axial slices.
        Unreadable: the size or the affine is impossible, or the file is truncated.
    """
    image = _open(path)
    across = nifti.acquired_across(image)
    if modality == "CT" and across != 2:  # cut axially, its pixels would be long and narrow
        raise NotAnImage("not a volume of axial slices, as its largest voxel spacing shows")
    axes = nifti.shown_axes(image.affine, across)
    depth, rows, columns = (image.shape[axis] for axis in axes)
    check_size(rows, columns)
    row, column = nifti.spacing(image, *axes[1:]) or (None, None)
    first, step = _first_position(image, across)
    positions = (first + step * np.arange(depth)).tolist()
    relative = path.relative_to(options.root).as_posix() if path.is_relative_to(options.root) else path.name
    name = VOLUME.sub("", relative)
    subject = SUBJECT.search(f"/{relative}")
    return {
        "patient": subject.group(1) if subject else name,
        "identified_by": BIDS if subject else NIFTI,
        "series": name,
        "instance": digest(relative),
        "position": round(first, 3),
        "order": 0,
        "row_spacing": row,
        "column_spacing": column,
        "rows": rows,
        "columns": columns,
        "stack": "",
        "repeat": "",
        "frames": frames.to_text([frames.Stack((row, column), range(depth), positions)]),
        "note": "" if nifti.is_placed(image) else nifti.NO_PLACE,
    }


def read_volume_images(path: Path, slices: Sequence[Slice], modality: Modality) -> Iterator[Plane]:
    """Read slices of a volume, float32 (H, W), with the range of each.

    Args:
        path: the file.
        slices: the slices to read.
        modality: CT, in HU, clipped to AIR and HIGHEST, where what is not a number becomes AIR; or MR, where what is not a
            number becomes the lowest value.
    """
    image = _open(path)
    by_number = {one.number: one for one in slices}
    for number, values in nifti.volume_slices(image, list(by_number), _across(image, modality)):
        if modality == "CT":
            yield Plane(by_number[number], _in_hounsfield(values), (AIR, TISSUE[1]))
            continue
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        np.nan_to_num(values, copy=False, nan=low, posinf=high, neginf=low)
        yield Plane(by_number[number], values, (low, high if high > low else low + 1))


def _in_hounsfield(values: np.ndarray) -> np.ndarray:
    """Clip to AIR and HIGHEST, in place, and make what is not a number AIR; float32 (H, W), HU."""
    np.nan_to_num(values, copy=False, nan=AIR)
    return np.clip(values, np.float32(AIR), np.float32(HIGHEST), out=values)


def _open(path: Path) -> "Nifti1Image":
    image = nifti.open_volume(path, squeeze=True)
    if image.get_data_dtype().kind not in "iuf":
        raise NotAnImage("a volume of colours or complex numbers")
    return image


def _across(image: "Nifti1Image", modality: Modality) -> int:
    """The patient axis that the slices are perpendicular to: 0 for sagittal, 1 coronal, 2 axial slices."""
    return 2 if modality == "CT" else nifti.acquired_across(image)


def _first_position(image: "Nifti1Image", across: int) -> tuple[float, float]:
    """Position of the first slice along the normal, as DICOM has it, and distance to the next one, mm."""
    sliced, *in_plane = nifti.shown_axes(image.affine, across)
    towards = np.array([-1, -1, 1])  # DICOM counts to the left, back and head, NIfTI to the right, front and head
    affine = nifti.affine_mm(image)
    vectors, origin = towards[:, None] * affine[:3, :3], towards * affine[:3, 3]
    normal = np.cross(vectors[:, in_plane[0]], vectors[:, in_plane[1]])
    normal *= np.copysign(1, normal[across]) / np.linalg.norm(normal)
    first, _ = nifti.first_stored(image, across)
    return float((origin + first * vectors[:, sliced]) @ normal), abs(float(vectors[:, sliced] @ normal))
