"""Reading NIfTI volumes: size and orientation without the voxels, and axial slices in patient orientation."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.display import check_size
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAX_VOXELS = 2**31
MAX_SLICES = 2**14


def open_volume(path: Path) -> "Nifti1Image":
    """Open a NIfTI volume without reading its voxels.

    Raises:
        NotAnImage: it does not have three dimensions.
        Unreadable: its size or affine is impossible, or the file is truncated.
    """
    import nibabel

    image: Any = nibabel.load(path, keep_file_open=True)
    shape = image.shape
    if len(shape) != 3:
        raise NotAnImage(f"{len(shape)} dimensions")
    size = "x".join(map(str, shape))
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if min(shape) < 1:
        raise Unreadable(f"its size {size} is empty")
    if voxels > MAX_VOXELS or max(shape) > MAX_SLICES:
        raise Unreadable(f"its size {size} is too large")
    check_size(*shape[:2])
    needed = voxels * image.dataobj.dtype.itemsize
    if path.suffix == ".nii" and path.stat().st_size < needed:
        raise Unreadable(f"it is truncated: it has {path.stat().st_size} bytes, and its voxels alone need {needed}")
    if not np.isfinite(image.affine).all() or not 1e-9 < abs(np.linalg.det(image.affine[:3, :3])) < 1e12:
        raise Unreadable("its affine is singular or implausible")
    return image


def orientation(affine: np.ndarray) -> np.ndarray:
    """For each array axis the nearest patient axis (0 right, 1 anterior, 2 superior) and its sign, int (3, 2)."""
    from nibabel.orientations import io_orientation

    return io_orientation(affine).astype(int)


def axial_slices(image: "Nifti1Image", wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Read axial slices, with the front of the body at the top and its right side on the left.

    Only the wanted slices are read from an uncompressed file; a compressed one is read through once.

    Args:
        image: the volume.
        wanted: numbers of the slices, counted from the feet up.

    Yields:
        The number and the slice, float32 (H, W), scaled by the slope of the file; not in the order asked for.
    """
    axes = orientation(image.affine)
    superior = axes[:, 0].tolist().index(2)
    depth = image.shape[superior]
    stored = {number if axes[superior, 1] > 0 else depth - 1 - number: number for number in wanted}
    in_plane = np.delete(axes, superior, axis=0)
    for index, plane in _planes(image, superior, sorted(stored)):
        yield stored[index], _upright(plane.astype(np.float32), in_plane)


def labelled_planes(mask: Path, volume: "Nifti1Image", axis: int) -> np.ndarray:
    """Find the planes across an array axis of a volume in which its mask has a label.

    Many masks have no affine. Voxels are therefore matched by index, and the geometry of the mask is ignored.

    Args:
        mask: the file of the mask.
        volume: the volume that it belongs to.
        axis: the array axis.

    Returns:
        bool array, one element per plane.

    Raises:
        Unreadable: mask and volume differ in size.
    """
    import nibabel

    image: Any = nibabel.load(mask, keep_file_open=True)
    if image.shape != volume.shape:
        raise Unreadable(f"its mask has the size {image.shape}, not {volume.shape}")
    labelled = np.zeros(image.shape[axis], bool)
    others = tuple(number for number in range(2) if number != axis)
    for last in range(image.shape[2]):
        plane = np.asarray(image.dataobj[:, :, last]) > 0
        if axis == 2:
            labelled[last] = plane.any()
        else:
            labelled |= plane.any(axis=others)
    return labelled


def _planes(image: "Nifti1Image", axis: int, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Planes across an array axis of a volume, scaled by its slope; the file is only read forwards."""
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
    """Turn a plane so that rows run towards the back of the body and columns towards its left."""
    for axis, (_, sign) in enumerate(axes):
        if sign > 0:
            plane = np.flip(plane, axis)
    return plane.T if axes[0, 0] == 0 else plane
