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

from fplbench.datasets import masks
from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Header, NotAnImage, Slice, Values, Window

if TYPE_CHECKING:
    from nibabel import Nifti1Image

AIR = -1024.0  # HU
MAX_VOXELS = 2**31
NAME = re.compile(r"(?:^|/)(?:volume-|liver_)(\d+)\.nii(?:\.gz)?$")
FIELDS = ("volume", "chosen", "row_spacing", "column_spacing", "slice_spacing")


class LitsOptions(DatasetOptions):
    """Options of LiTS."""

    root: Path = Field(Path("data/lits"), description="Folder with volume-N.nii or imagesTr/liver_N.nii.gz, at any depth.")
    window: Window = Field((-160, 240), description="Lowest and highest HU shown; the default is a liver window.")
    liver_only: bool = Field(False, description="Take only slices with liver in the mask that belongs to the volume.")


def wanted(path: str) -> bool:
    """The CT volumes; masks and the decathlon's test images are something else."""
    return NAME.search(path) is not None and "labelsTr/" not in path and "imagesTs/" not in path


def open_volume(path: Path) -> "Nifti1Image":
    """Open a NIfTI volume without reading its voxels.

    Raises:
        NotAnImage: it is no volume of three dimensions.
        ValueError: its size or affine cannot be right.
    """
    import nibabel

    image = nibabel.load(path, keep_file_open=True)
    shape = image.shape
    if len(shape) != 3:
        raise NotAnImage(f"{len(shape)} dimensions")
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if not 0 < voxels <= MAX_VOXELS or max(shape) > 16384:
        raise ValueError(f"its size {'x'.join(map(str, shape))} is empty or too large")
    needed = voxels * image.dataobj.dtype.itemsize
    if path.suffix == ".nii" and path.stat().st_size < needed:
        raise ValueError(f"it is cut short: {path.stat().st_size} bytes, of which {needed} are to be voxels")
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-9:
        raise ValueError("its affine is singular")
    return image


def orientation(affine: np.ndarray) -> np.ndarray:
    """For each array axis the nearest patient axis (0 right, 1 anterior, 2 superior) and its sign, int (3, 2)."""
    from nibabel.orientations import io_orientation

    return io_orientation(affine).astype(int)


def read_header(path: Path, options: LitsOptions) -> Header:
    """Which slices of a volume to take, and its spacing, along the patient's axes."""
    image = open_volume(path)
    axes = orientation(image.affine)[:, 0].tolist()
    spacing = np.sqrt((image.affine[:3, :3] ** 2).sum(axis=0))
    trusted = not np.allclose(spacing, 1)  # volumes 28 to 47 carry (1, 1, 1), which is false
    right, anterior, superior = (axes.index(axis) for axis in range(3))
    chosen = np.ones(image.shape[superior], bool)
    if options.liver_only:
        labelled = masks.labelled_planes(masks.mask_of(path, options.root), image, superior)
        chosen = labelled if orientation(image.affine)[superior, 1] > 0 else labelled[::-1]
    return {
        "volume": NAME.search(path.as_posix()).group(1),
        "chosen": masks.to_text(chosen),
        "row_spacing": f"{spacing[anterior]:.6g}" if trusted else "",
        "column_spacing": f"{spacing[right]:.6g}" if trusted else "",
        "slice_spacing": f"{spacing[superior]:.6g}" if trusted else "",
    }


def arrange(headers: dict[str, Header], options: LitsOptions) -> tuple[list[Slice], dict[str, str]]:
    """Every axial slice of every volume, from the feet up, volumes in the order of their numbers."""
    slices, seen, repeats = [], set(), {}
    for path in sorted(headers, key=lambda path: (int(headers[path]["volume"]), path)):
        header = headers[path]
        number = int(header["volume"])
        if number in seen:
            repeats[path] = f"a second volume with the number {number}"
            continue
        seen.add(number)
        spacing = (header["row_spacing"], header["column_spacing"])
        slices.extend(
            Slice(
                image_id=f"volume-{number:03d}_slice-{index:04d}",
                patient=f"volume-{number:03d}",
                series=f"volume-{number:03d}",
                source=path,
                number=index,
                spacing=(float(spacing[0]), float(spacing[1])) if all(spacing) else None,
                position=index * float(header["slice_spacing"]) if header["slice_spacing"] else None,
            )
            for index in masks.from_text(header["chosen"])
        )
    return slices, repeats


def read_images(path: Path, slices: Sequence[Slice], options: LitsOptions) -> Iterator[Values]:
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
        values = np.maximum(np.nan_to_num(plane.astype(np.float32), nan=AIR), np.float32(AIR))
        yield stored[index], _upright(values, in_plane), (AIR, 3071.0)


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
        wanted=wanted,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
        header_options=("liver_only",),
        libraries=("cv2", "nibabel"),
    ),
)
