"""Writing derived DICOM images: one file for each file of the original, complete or not at all."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from fplbench.applying.dicom.derivation import Derivation
from fplbench.applying.dicom.file import Frame, ImageFile
from fplbench.applying.dicom.header import series_uid
from fplbench.applying.dicom.reading import DicomReader
from fplbench.applying.dicom.stored import StoredFrames
from fplbench.applying.scan import Stamp
from fplbench.errors import InputError
from fplbench.files import replacing


class DicomWriter:
    """Writes the denoised images of a scan, or what denoising changed.

    A file of several frames is written when the last of them is there; until then its frames lie in a hidden folder beside it.
    """

    def __init__(
        self,
        images: Sequence[tuple[ImageFile, Frame]],
        targets: Sequence[Path],
        frames: StoredFrames,
        reader: DicomReader,
        derivation: tuple[Literal["denoised", "residual"], Stamp, bool],
    ) -> None:
        """Write images.

        Args:
            images: the file and the frame of each slice.
            targets: the file to write for each slice; slices of one file share it.
            frames: what the original stores.
            reader: derives the headers.
            derivation: what is written, what made it, and whether private elements are kept.
        """
        self._images, self._targets, self._frames, self._reader = images, targets, frames, reader
        self._kind, self._stamp, self._keep_private = derivation
        self._series = series_uid(images[0][0])

    def write(self, number: int, values: np.ndarray) -> np.ndarray:
        """Write a slice, complete or not at all.

        Args:
            number: number of the slice.
            values: float32 (H, W): denoised values in the unit of the scan, or their difference from the original.

        Returns:
            float32 (H, W), the values as the file has them.

        Raises:
            InputError: the original can no longer be read.
        """
        file, frame = self._images[number]
        stored = self._frames[number]
        if self._kind == "residual":
            pixels = frame.coding.encode_residual(values, stored)
            written = frame.coding.decode_residual(pixels)
        else:
            pixels = frame.coding.encode(values, stored, self._frames.values(number))
            written = frame.coding.values(pixels)
        data = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
        if len(file.frames) == 1:
            self._write_file(number, [data])
        else:
            with replacing(self._frame_path(number)) as path:
                path.write_bytes(data)
        return written

    def finish(self) -> list[Path]:
        """Put the frames of multi-frame files together once all slices are written, and return the files."""
        files: dict[Path, list[int]] = {}
        for number, target in enumerate(self._targets):
            files.setdefault(target, []).append(number)
        for target, numbers in files.items():
            if target.exists():
                continue
            by_frame = sorted(numbers, key=lambda number: self._images[number][1].index)
            missing = [number for number in by_frame if not self._frame_path(number).exists()]
            if missing:
                raise InputError(f"{self._images[missing[0]][0].path}: slice {missing[0]} has not been written.")
            self._write_file(by_frame[0], (self._frame_path(number).read_bytes() for number in by_frame))
        for target in files:
            shutil.rmtree(_frames_folder(target), ignore_errors=True)
        return list(files)

    def _write_file(self, number: int, frames: Iterable[bytes]) -> None:
        """Write the file of a slice: its header, and the frames one after the other."""
        file, frame = self._images[number]
        size = 2 if self._kind == "residual" else frame.coding.allocated // 8
        part = file.path if file.shared else ""
        head = self._reader.header(file.path, Derivation(self._kind, self._stamp, self._keep_private, size, self._series, part))
        with replacing(self._targets[number]) as path, open(path, "wb") as stream:
            stream.write(head)
            length = sum(stream.write(data) for data in frames)
            stream.write(b"\0" * (length % 2))

    def _frame_path(self, number: int) -> Path:
        return _frames_folder(self._targets[number]) / f"{self._images[number][1].index:06d}"


def _frames_folder(target: Path) -> Path:
    return target.with_name(f".{target.name}.frames")
