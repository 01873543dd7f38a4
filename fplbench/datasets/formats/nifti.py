"""Reading NIfTI volumes: size and orientation without the voxels, and slices in patient orientation."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.display import check_size

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAX_VOXELS = 2**31
MAX_SLICES = 2**14
CHUNK = 2**20
IN_MM = {1: 1000.0, 3: 0.001}  # metres and micrometres; mm, and no unit, are taken for mm
NO_PLACE = (
    "The header does not say how the volume lies in the patient: its axes are taken to run to the left, the front and the head."
)
THICK = 1.01  # slices were acquired across the axis whose spacing is larger than the others by this factor


def open_volume(path: Path, squeeze: bool = False) -> "Nifti1Image":
    """Open a NIfTI volume without reading its voxels.

    Args:
        path: the file.
        squeeze: whether further dimensions of length 1 are dropped.

    Raises:
        NotAnImage: it does not have three dimensions.
        Unreadable: its size or affine is impossible, or the file is truncated.
    """
    import nibabel

    image: Any = nibabel.load(path, keep_file_open=True)
    if squeeze and len(image.shape) > 3 and set(image.shape[3:]) == {1}:
        image = nibabel.Nifti1Image(image.dataobj.reshape(image.shape[:3]), image.affine, image.header)
    shape = image.shape
    if len(shape) != 3:
        raise NotAnImage(f"{len(shape)} dimensions")
    check_volume(path, shape, image.dataobj.dtype.itemsize, affine_mm(image))
    return image


def check_volume(path: Path, shape: Sequence[int], itemsize: int, affine: np.ndarray) -> None:
    """Raise Unreadable unless a volume can have the size and the affine of its header, and its file is long enough.

    Args:
        path: the file.
        shape: the three sides.
        itemsize: bytes of each voxel.
        affine: from voxels to mm, (4, 4).
    """
    size = _size(shape)
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if min(shape) < 1:
        raise Unreadable(f"its size {size} is empty")
    if voxels > MAX_VOXELS or max(shape) > MAX_SLICES:
        raise Unreadable(f"its size {size} is too large")
    check_size(*shape[:2])
    needed = voxels * itemsize
    if path.suffix == ".nii" and path.stat().st_size < needed:
        raise Unreadable(f"it is truncated: it has {path.stat().st_size} bytes, and its voxels alone need {needed}")
    if not np.isfinite(affine).all() or not 1e-9 < abs(np.linalg.det(affine[:3, :3])) < 1e12:
        raise Unreadable("its affine is singular or implausible")


def affine_mm(image: "Nifti1Image") -> np.ndarray:
    """The affine of a volume from voxels to mm, (4, 4), whatever the unit of its header."""
    units = int(image.header["xyzt_units"]) % 8  # the other bits are the unit of time
    return np.diag([*[IN_MM.get(units, 1.0)] * 3, 1.0]) @ image.affine


def is_placed(image: "Nifti1Image") -> bool:
    """Whether the header says how the volume lies in the patient, by its qform or its sform."""
    return bool(int(image.header["qform_code"]) or int(image.header["sform_code"]))


def spacing(image: "Nifti1Image", rows: int, columns: int) -> tuple[float, float] | None:
    """Distance of voxels along two array axes, mm; None if the header does not give it: no place, and 1 along both."""
    from nibabel.affines import voxel_sizes

    lengths = voxel_sizes(affine_mm(image))
    row, column = (float(f"{lengths[axis]:.6g}") for axis in (rows, columns))
    return None if row == column == 1 and not is_placed(image) else (row, column)


def orientation(affine: np.ndarray) -> np.ndarray:
    """For each array axis the nearest patient axis (0 right, 1 anterior, 2 superior) and its sign, int (3, 2)."""
    from nibabel.orientations import io_orientation

    return io_orientation(affine).astype(int)


def depth(image: "Nifti1Image") -> int:
    """Number of axial slices of a volume."""
    return image.shape[shown_axes(image.affine)[0]]


def acquired_across(image: "Nifti1Image") -> int:
    """The patient axis that a volume was probably acquired across: 0 for sagittal, 1 coronal, 2 axial slices.

    It is that of the largest voxel spacing, or the axial one if the largest spacings agree within 1 %.
    """
    from nibabel.affines import voxel_sizes

    lengths = voxel_sizes(image.affine)
    largest = int(lengths.argmax())
    if lengths[largest] < THICK * np.delete(lengths, largest).max():
        return 2
    return int(orientation(image.affine)[largest, 0])


def shown_axes(affine: np.ndarray, across: int = 2) -> tuple[int, int, int]:
    """The array axes along which slices are counted, and along which the rows and the columns of a slice are.

    Args:
        affine: from voxels to mm, (4, 4).
        across: patient axis that the slices are perpendicular to: 0 for sagittal, 1 coronal, 2 axial slices.
    """
    axes = orientation(affine)[:, 0].tolist()
    columns, rows = sorted({0, 1, 2} - {across})
    return axes.index(across), axes.index(rows), axes.index(columns)


def turned_axes(affine: np.ndarray, across: int = 2) -> tuple[int, ...]:
    """The array axes along which a volume is flipped, so that its slices are counted and shown as `volume_slices` has them.

    Args:
        affine: from voxels to mm, (4, 4).
        across: patient axis that the slices are perpendicular to: 0 for sagittal, 1 coronal, 2 axial slices.
    """
    sliced = shown_axes(affine, across)[0]
    signs = orientation(affine)[:, 1]
    return tuple(axis for axis in range(3) if (signs[axis] > 0) != (axis == sliced and across == 2))


def first_stored(image: "Nifti1Image", across: int = 2) -> tuple[int, int]:
    """The stored index of the first slice and the step to the next: slices are counted to the head, the left or the back."""
    axis = shown_axes(image.affine, across)[0]
    return (image.shape[axis] - 1, -1) if axis in turned_axes(image.affine, across) else (0, 1)


def volume_slices(image: "Nifti1Image", wanted: Sequence[int], across: int = 2) -> Iterator[tuple[int, np.ndarray]]:
    """Read slices as they are shown in DICOM: the front or the head at the top, the right side or the front on the left.

    Only the wanted slices are read from an uncompressed file; a compressed one is read through once.

    Args:
        image: the volume.
        wanted: numbers of the slices; axial ones are counted from the feet up.
        across: patient axis that the slices are perpendicular to: 0 for sagittal, 1 coronal, 2 axial slices.

    Yields:
        The number and the slice, float32 (H, W), scaled by the slope of the file; not in the order asked for.

    Raises:
        Unreadable: the file is compressed and damaged, which its checksum shows after the last slice.
    """
    axis = shown_axes(image.affine, across)[0]
    first, step = first_stored(image, across)
    stored = {first + step * number: number for number in wanted}
    in_plane = np.delete(orientation(image.affine), axis, axis=0)
    for index, plane in _planes(image, axis, sorted(stored), _as_float, np.float32):
        yield stored[index], _upright(plane, in_plane)
    _check_sum(image)


def mask_slices(mask: Path, volume: "Nifti1Image") -> Iterator[tuple[int, np.ndarray]]:
    """Read all axial slices of the mask of a volume, oriented as `volume_slices` orients those of the volume.

    Many masks have no affine. Voxels are therefore matched by index, and the geometry of the mask is ignored. The file is
    read through once.

    Args:
        mask: the file of the mask.
        volume: the volume that it belongs to.

    Yields:
        The number, counted from the feet up, and the slice, uint8 (H, W): 0 background, 1 a label, 2 the label 2. The
        numbers ascend or descend.

    Raises:
        Unreadable: mask and volume differ in size.
    """
    import nibabel

    image: Any = nibabel.load(mask, keep_file_open=True)
    if image.shape != volume.shape:
        raise Unreadable(f"its mask has the size {_size(image.shape)}, not {_size(volume.shape)}")
    axis = shown_axes(volume.affine)[0]
    first, step = first_stored(volume)
    in_plane = np.delete(orientation(volume.affine), axis, axis=0)
    for index, plane in _planes(image, axis, range(depth(volume)), _classes, np.uint8):
        yield (index - first) * step, _upright(plane, in_plane)


def _as_float(plane: np.ndarray) -> np.ndarray:
    return plane.astype(np.float32)


def _classes(plane: np.ndarray) -> np.ndarray:
    """0 where a mask is 0, 1 for a label, 2 for the label 2; masks may be stored as floating-point numbers."""
    two = plane == 2 if plane.dtype.kind in "iu" else np.abs(plane - 2) < 0.5
    return (plane > 0).astype(np.uint8) + two


def _planes(
    image: "Nifti1Image", axis: int, wanted: Sequence[int], convert: Callable[[np.ndarray], np.ndarray], dtype: type
) -> Iterator[tuple[int, np.ndarray]]:
    """Planes across an array axis of a volume, scaled by its slope and converted; the file is only read forwards."""
    if axis == 2:
        for index in wanted:
            yield index, convert(np.asarray(image.dataobj[:, :, index]))
        return
    rest = [length for number, length in enumerate(image.shape) if number != axis]
    result: np.ndarray = np.empty((len(wanted), *rest), dtype)
    for last in range(image.shape[2]):
        result[:, :, last] = np.moveaxis(convert(np.asarray(image.dataobj[:, :, last])), axis, 0)[wanted]
    yield from zip(wanted, result, strict=True)


def _check_sum(image: Any) -> None:
    """Read on to the end of a compressed file, where its checksum is compared; Unreadable if it does not match."""
    if not str(image.dataobj.file_like).lower().endswith(".gz"):
        return
    try:
        with image.dataobj._get_fileobj() as stream:  # stands behind the last slice
            while stream.read(CHUNK):
                pass
    except gzip.BadGzipFile:
        raise Unreadable("it is damaged: its checksum does not match") from None


def _upright(plane: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Turn a plane so that rows run towards the back of the body or its feet, and columns towards its left or back."""
    for axis, (_, sign) in enumerate(axes):
        if sign > 0:
            plane = np.flip(plane, axis)
    return plane.T if axes[0, 0] < axes[1, 0] else plane


def _size(shape: Sequence[int]) -> str:
    """The size of a volume, for a message."""
    return "x".join(map(str, shape))
