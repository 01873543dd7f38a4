"""Writing NIfTI volumes slice by slice, with the header of the original."""

import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from fplbench.applying.nifti.volume import VolumeHeader, release, scaled
from fplbench.applying.scan import Kind
from fplbench.files import replacing

LEVEL = 3  # of gzip: a CT takes a fifth less time than at its default, and 3 % more space
BLOCK = 16  # sections of the volume that are put together at once
INT16 = np.iinfo(np.int16)
STEPS = INT16.max - INT16.min
SHARE = 0.9  # of the steps, so that denoised values may reach a little beyond those of the original
COARSEST = 1000  # range of values for which whole units are fine enough


class NiftiWriter:
    """Writes a NIfTI volume; slices wait in a file of their own until all are there.

    Each slice is written in one piece to its place in that file, which has its full size from the start, so that a full disk
    is noticed then. `finish` puts the header of the original and the slices together, in the order of the original's axes.

    Args:
        original: the original volume.
        path: the file to write, .nii or .nii.gz.
        header: the header of the original.
        kind: denoised: in the type of the original or as `dtype` says; residual, features: float32.
        dtype: input, int16 or float32.
        stored: from numbers to slices of the original as they are stored. A value that denoising left alone is copied.
    """

    def __init__(
        self,
        original: Path,
        path: Path,
        header: VolumeHeader,
        kind: Kind,
        dtype: Literal["input", "int16", "float32"],
        stored: Callable[[Sequence[int]], np.ndarray],
    ) -> None:
        self.original, self.path, self.header, self.kind, self.stored = original, path, header, kind, stored
        own = np.dtype(header.dtype)
        chosen = "float32" if kind != "denoised" else own.name if dtype == "input" else dtype
        self.keeps = chosen == own.name and kind == "denoised"
        self.dtype = np.dtype(chosen).newbyteorder("<" if header.order == "<" else ">")
        self.slope, self.inter = (header.slope, header.inter) if self.keeps else (1.0, 0.0)
        if self.dtype.kind == "i" and not self.keeps:
            self.slope, self.inter = self._int16_scale()
        self.waiting = path.with_name(f"{path.name}.slices")
        self.finished = path.exists()
        if self.finished:
            self.waiting.unlink(missing_ok=True)
        else:
            self._allocate()

    def write(self, number: int, values: np.ndarray) -> np.ndarray:
        """Write a slice.

        Args:
            number: number of the slice.
            values: float32 (H, W), in the unit of the scan. Of a residual, what is not finite becomes NaN: nothing is known
                to be removed from NaN or infinity.

        Returns:
            float32 (H, W), the values as the file has them.
        """
        if self.kind == "residual":
            values = np.where(np.isfinite(values), values, np.float32(np.nan))
        stored = self._encoded(values)
        if self.keeps:
            (original,) = self.stored([number])
            same = values == self._decoded(original)
            same |= np.isnan(values)
            stored[same] = original[same]
        with open(self.waiting, "r+b") as file:
            file.seek(number * stored.nbytes)
            file.write(stored.tobytes())
        return self._decoded(stored)

    def finish(self) -> list[Path]:
        """Write the volume once all slices are there, and return its file."""
        if not self.finished:
            with replacing(self.path) as temporary, open(temporary, "wb") as file:
                if self.path.suffix == ".gz":
                    # Without a name and a time: equal volumes are equal files.
                    with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
                        self._assemble(packed)
                else:
                    self._assemble(file)
            self.waiting.unlink()
            self.finished = True
        return [self.path]

    def _int16_scale(self) -> tuple[float, float]:
        """Slope and intercept with which int16 holds the volume.

        Those of the original if its whole numbers fit, or fit once they are shifted; whole units if these are fine enough, as for
        HU; else a 59,000th of the range of values.
        """
        low, high = self._stored_range()
        slope, inter = self.header.slope, self.header.inter
        if np.dtype(self.header.dtype).kind in "iu":
            if low >= INT16.min and high <= INT16.max:
                return slope, inter
            if high - low <= SHARE * STEPS:
                return slope, float(np.float32(inter + slope * ((low + high) // 2)))
        low, high = sorted((low * slope + inter, high * slope + inter))
        if high - low >= COARSEST and low >= INT16.min and high <= INT16.max:
            return 1.0, 0.0
        return float(np.float32((high - low) / (SHARE * STEPS))) or 1.0, float(np.float32((low + high) / 2))

    def _stored_range(self) -> tuple[float, float]:
        """The smallest and the largest stored number of the original, but for NaN and what is infinite as float32."""
        low, high = np.inf, -np.inf
        slices = self.header.upright_shape[0]
        for start in range(0, slices, BLOCK):
            part = self.stored(range(start, min(start + BLOCK, slices)))
            finite = part[np.isfinite(scaled(part, self.header.slope, self.header.inter))]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        return (low, high) if low <= high else (0.0, 0.0)

    def _allocate(self) -> None:
        """Make the file of the slices, unless an interrupted run has made it; OSError if there is no space for it."""
        size = int(np.prod(self.header.shape, dtype=np.int64)) * self.dtype.itemsize
        if self.waiting.exists() and self.waiting.stat().st_size == size:
            return
        with replacing(self.waiting) as temporary, open(temporary, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def _encoded(self, values: np.ndarray) -> np.ndarray:
        """Values of the scan as they are stored: whole numbers are rounded and clipped to what their type holds."""
        exact = (values.astype(np.float64) - self.inter) / self.slope
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
                return exact.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        highest = float(limits.max)
        if highest > limits.max:  # of 64 bits, which float64 rounds up
            highest = np.nextafter(highest, 0)
        return np.rint(np.nan_to_num(exact, nan=0.0)).clip(limits.min, highest).astype(self.dtype)

    def _decoded(self, stored: np.ndarray) -> np.ndarray:
        return scaled(stored, self.slope, self.inter)

    def _assemble(self, out: IO[bytes] | gzip.GzipFile) -> None:
        """Write the header, with all that lies between it and the voxels, and the voxels."""
        out.write(self._header())
        for part in self._sections():
            out.write(part.tobytes("F"))

    def _header(self) -> bytes:
        """The header and its extensions as they are, but for what the type of the voxels changes."""
        import nibabel

        opened = gzip.open if self.original.suffix == ".gz" else open
        with opened(self.original, "rb") as file:
            content = file.read(self.header.offset)
        if self.keeps:
            return content
        kind: Any = type(nibabel.load(self.original).header)
        length = kind.sizeof_hdr
        header = kind(content[:length], check=False)
        header.set_data_dtype(self.dtype)
        header["scl_slope"], header["scl_inter"] = self.slope, self.inter
        header["cal_min"], header["cal_max"] = 0, 0
        return header.binaryblock + content[length:]

    def _sections(self) -> Iterator[np.ndarray]:
        """The volume along its last axis, a few sections at a time, in the order of its axes."""
        slices: np.ndarray = np.memmap(self.waiting, self.dtype, "r", 0, self.header.upright_shape)
        volume = self.header.as_stored(slices)
        for start in range(0, self.header.shape[2], BLOCK):
            yield volume[:, :, start : start + BLOCK]
            release(slices)
