"""Small NIfTI files for tests."""

import gzip
import struct
from pathlib import Path

import numpy as np


def write_volume(
    path: Path,
    volume: np.ndarray,
    *,
    axes: str = "RAS",
    spacing: tuple[float, float, float] = (0.8, 0.7, 2.5),
    dtype: type = np.int16,
    slope: tuple[float, float] | None = None,
    shear: float = 0.0,
    turn: np.ndarray | None = None,
) -> Path:
    """Write a NIfTI volume, given in RAS+ order.

    Args:
        path: the file, .nii or .nii.gz; missing folders are created.
        volume: values (right, anterior, superior).
        axes: order and direction of the stored axes, such as LPS.
        spacing: along the axes of the patient, mm.
        dtype: type of the stored values.
        slope: scl_slope and scl_inter of the header.
        shear: shift between slices as a fraction of their distance, as with a tilted gantry.
        turn: rotation of the patient axes, (3, 3).

    Returns:
        `path`.
    """
    import nibabel
    from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

    affine = np.diag([*spacing, 1.0])
    affine[1, 2] = shear * spacing[2]  # a tilted gantry shifts each slice a little
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ affine[:3, :3]
    transform = ornt_transform(io_orientation(affine), axcodes2ornt(axes))
    stored = apply_orientation(volume, transform)
    affine = affine @ inv_ornt_aff(transform, volume.shape)
    image = nibabel.Nifti1Image(stored.astype(dtype), affine)
    image.set_data_dtype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    if slope is not None:
        content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        content[112:120] = struct.pack("<2f", *slope)  # scl_slope and scl_inter of the NIfTI-1 header
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
