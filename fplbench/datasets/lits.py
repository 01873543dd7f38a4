"""LiTS: abdominal CT volumes in NIfTI, as the challenge or the Medical Segmentation Decathlon ships them.

Bilic et al. 2023, The Liver Tumor Segmentation Benchmark (LiTS). Medical Image Analysis 84,
doi 10.1016/j.media.2022.102680.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fplbench.datasets import fields, masks
from fplbench.datasets.display import check_size
from fplbench.datasets.hounsfield import AIR, TISSUE
from fplbench.datasets.registry import (
    DATASETS,
    Dataset,
    DatasetOptions,
    Header,
    NotAnImage,
    Plane,
    Slice,
    Unreadable,
    Window,
)

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAX_VOXELS = 2**31
NAME = re.compile(r"(?:^|/)(?:volume-|liver_)(\d+)\.nii(?:\.gz)?$")
MASK = re.compile(r"(?:^|/)segmentation-\d+\.nii(\.gz)?$")
FIELDS = {
    "volume": int,
    "chosen": masks.checked,
    "row_spacing": fields.length,
    "column_spacing": fields.length,
    "slice_spacing": fields.length,
}


class LitsOptions(DatasetOptions):
    """Options of LiTS."""

    root: Path = Field(Path("data/lits"), description="Folder with volume-N.nii or imagesTr/liver_N.nii.gz, at any depth.")
    window: Window = Field((-160, 240), description="Lowest and highest HU shown; the default is a liver window.")
    liver_only: bool = Field(False, description="Take only slices with liver in the mask that belongs to the volume.")


def left_out(path: str, root: Path) -> str:
    """Masks, the decathlon's test images, and whatever is not named as a volume."""
    if "labelsTr/" in path or MASK.search(path):
        return "a mask"
    if "imagesTs/" in path:
        return "a test volume of the decathlon"
    if NAME.search(path):
        return ""
    return "NIfTI of another name than volume-N or liver_N" if re.search(r"\.nii(\.gz)?$", path) else "no volume"


def open_volume(path: Path) -> "Nifti1Image":
    """Open a NIfTI volume without reading its voxels.

    Raises:
        NotAnImage: it is no volume of three dimensions.
        Unreadable: its size or affine cannot be right.
    """
    import nibabel

    image = nibabel.load(path, keep_file_open=True)
    shape = image.shape
    if len(shape) != 3:
        raise NotAnImage(f"{len(shape)} dimensions")
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if min(shape) < 1:
        raise Unreadable(f"its size {'x'.join(map(str, shape))} is empty")
    if voxels > MAX_VOXELS or max(shape) > masks.MAX_SLICES:
        raise Unreadable(f"its size {'x'.join(map(str, shape))} is too large")
    check_size(*shape[:2])
    needed = voxels * image.dataobj.dtype.itemsize
    if path.suffix == ".nii" and path.stat().st_size < needed:
        raise Unreadable(f"it is cut short: {path.stat().st_size} bytes, of which {needed} are to be voxels")
    if not np.isfinite(image.affine).all() or not 1e-9 < abs(np.linalg.det(image.affine[:3, :3])) < 1e12:
        raise Unreadable("its affine is singular or absurd")
    return image


def orientation(affine: np.ndarray) -> np.ndarray:
    """For each array axis the nearest patient axis (0 right, 1 anterior, 2 superior) and its sign, int (3, 2)."""
    from nibabel.orientations import io_orientation

    return io_orientation(affine).astype(int)


def read_header(path: Path, options: LitsOptions) -> Header:
    """Which slices of a volume to take, and its spacing, along the patient's axes."""
    image = open_volume(path)
    directions = orientation(image.affine)
    axes = directions[:, 0].tolist()
    right, anterior, superior = (axes.index(axis) for axis in range(3))
    check_size(image.shape[anterior], image.shape[right])
    lengths = np.sqrt((image.affine[:3, :3] ** 2).sum(axis=0))
    trusted = not np.allclose(lengths, 1)  # volumes 28 to 47 carry (1, 1, 1), which is false
    row, column, between = (float(f"{lengths[axis]:.6g}") if trusted else None for axis in (anterior, right, superior))
    chosen = np.ones(image.shape[superior], bool)
    if options.liver_only:
        labelled = masks.labelled_planes(masks.mask_of(path, options.root), image, superior)
        chosen = labelled if directions[superior, 1] > 0 else labelled[::-1]
    return {
        "volume": int(NAME.search(path.as_posix()).group(1)),
        "chosen": masks.to_text(chosen),
        "row_spacing": row,
        "column_spacing": column,
        "slice_spacing": between,
    }


def mask_beside(path: Path, options: LitsOptions) -> Path | None:
    """The mask that the header of a volume depends on, or None."""
    try:
        return masks.mask_of(path, options.root) if options.liver_only else None
    except (Unreadable, OSError):
        return None


def arrange(headers: dict[str, Header], options: LitsOptions) -> tuple[list[Slice], dict[str, str]]:
    """Every axial slice of every volume, from the feet up, volumes in the order of their numbers."""
    slices, seen, repeats = [], set(), {}
    for path in sorted(headers, key=lambda path: (headers[path]["volume"], path)):
        header = headers[path]
        number, between = header["volume"], header["slice_spacing"]
        if number in seen:
            repeats[path] = "a second volume with its number"
            continue
        seen.add(number)
        slices.extend(
            Slice(
                image_id=f"volume-{number:03d}_slice-{index:04d}",
                patient=f"volume-{number:03d}",
                series=f"volume-{number:03d}",
                source=path,
                number=index,
                spacing=None if between is None else (header["row_spacing"], header["column_spacing"]),
                position=None if between is None else index * between,
            )
            for index in masks.from_text(header["chosen"])
        )
    return slices, repeats


def read_images(path: Path, slices: Sequence[Slice], options: LitsOptions) -> Iterator[Plane]:
    """HU of axial slices of a volume, float32 (H, W), the front of the body up and its right side left.

    Only the wanted slices are read from an uncompressed file; a compressed one is read through once. AIR stands in for
    whatever lies below it.
    """
    image = open_volume(path)
    axes = orientation(image.affine)
    superior = axes[:, 0].tolist().index(2)
    depth = image.shape[superior]
    stored = {one.number if axes[superior, 1] > 0 else depth - 1 - one.number: one for one in slices}
    in_plane = np.delete(axes, superior, axis=0)
    for index, plane in _planes(image, superior, sorted(stored)):
        values = plane.astype(np.float32)
        np.nan_to_num(values, copy=False, nan=AIR)
        np.maximum(values, np.float32(AIR), out=values)
        yield Plane(stored[index], _upright(values, in_plane), (AIR, TISSUE[1]))


def _planes(image: "Nifti1Image", axis: int, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Planes of a volume, scaled by its slope, walking the file forwards only."""
    if axis == 2:
        for index in wanted:
            yield index, np.asarray(image.dataobj[:, :, index])
        return
    rest = [length for number, length in enumerate(image.shape) if number != axis]
    result = np.empty((len(wanted), *rest), np.float32)
    for last in range(image.shape[2]):
        result[:, :, last] = np.moveaxis(np.asarray(image.dataobj[:, :, last]), axis, 0)[wanted]
    yield from zip(wanted, result, strict=True)


def _upright(plane: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Turn a plane so that rows run to the back of the body and columns to its left."""
    for axis, (_, sign) in enumerate(axes):
        if sign > 0:
            plane = np.flip(plane, axis)
    return plane.T if axes[0, 0] == 0 else plane


DATASETS.add(
    "lits",
    Dataset(
        name="lits",
        label="LiTS",
        options=LitsOptions,
        licence="CC BY-NC-ND 4.0 (LiTS); CC BY-SA 4.0 (the same scans as Task03_Liver of the decathlon)",
        citation=(
            "Bilic P et al. The Liver Tumor Segmentation Benchmark (LiTS). Medical Image Analysis 2023. "
            "https://doi.org/10.1016/j.media.2022.102680"
        ),
        page="https://competitions.codalab.org/competitions/17094 or http://medicaldecathlon.com",
        contents="the NIfTI volumes of LiTS or of Task03_Liver",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
        header_options=("liver_only",),
        companion=mask_beside,
        libraries=("cv2", "nibabel"),
    ),
)
