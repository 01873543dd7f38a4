"""Small scans and models for tests of whole runs, and what is compared before and after."""

import hashlib
from pathlib import Path

import numpy as np

from tests.helpers.dicom_files import write_ct
from tests.helpers.nifti_files import write_volume


def head(side: int = 48, slices: int = 6, noise: float = 40.0, seed: int = 0) -> np.ndarray:
    """A disc of soft tissue with bone and air in it, in HU, with noise: int16 (slices, side, side)."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(x, y) / side
    clean = np.where(radius < 0.4, 40.0, -1000.0)
    clean[(radius > 0.34) & (radius < 0.4)] = 900
    clean[radius < 0.1] = -900
    values = clean + np.random.default_rng(seed).normal(0, noise, (slices, side, side)) * (clean > -1000)
    return np.rint(values).astype(np.int16)


def write_series(folder: Path, volume: np.ndarray, **elements) -> list[Path]:
    """A CT series of a volume (slices, H, W)."""
    return [
        write_ct(folder / f"{number:03d}.dcm", hounsfield=image, z=2.5 * number, number=number, **elements)
        for number, image in enumerate(volume)
    ]


def write_nifti(path: Path, volume: np.ndarray, **settings) -> Path:
    """A NIfTI file whose upright slices are those of a volume (slices, H, W)."""
    return write_volume(path, volume.transpose(2, 1, 0)[::-1, ::-1], **settings)


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, or of a file, by path."""
    files = [folder] if folder.is_file() else [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}
