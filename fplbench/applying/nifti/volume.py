"""NIfTI volumes at their own depth: their headers as they are, and their voxels as upright slices."""

import errno
import gzip
import mmap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.datasets.formats import nifti
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.files import replacing

SUFFIXES = (".nii", ".nii.gz")
NO_SPACE = "no space"
PLANES = ("sagittal", "coronal", "axial")  # by the patient axis that they are perpendicular to
LABELS = 1002  # the intent of a volume of labels
GREATEST_RATIO = 1100  # deflate shrinks data to a 1,032nd at best
CHUNK = 2**20


@dataclass(frozen=True)
class VolumeHeader:
    """What a NIfTI file says of its voxels.

    Attributes:
        shape: sides of the volume.
        dtype: type of the stored values, with their byte order, as NumPy writes it.
        order: byte order of the header, < or >.
        offset: place of the first voxel in the file, bytes.
        slope: what stored values are multiplied by.
        inter: what is then added.
        shown: the axes along which slices are counted, and along which the rows and the columns of a slice are.
        turned: the axes along which the volume is flipped to be shown upright.
        spacing: (row, column) spacing of the slices in mm; None if the header does not give it.
        notes: sentences on what is unusual.
    """

    shape: tuple[int, int, int]
    dtype: str
    order: str
    offset: int
    slope: float
    inter: float
    shown: tuple[int, int, int]
    turned: tuple[int, ...]
    spacing: tuple[float, float] | None
    notes: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Size of the voxels in bytes."""
        return int(np.prod([int(side) for side in self.shape], dtype=object)) * np.dtype(self.dtype).itemsize

    @property
    def upright_shape(self) -> tuple[int, int, int]:
        """Number of slices, and their rows and columns."""
        slices, rows, columns = (self.shape[axis] for axis in self.shown)
        return slices, rows, columns

    def upright(self, volume: np.ndarray) -> np.ndarray:
        """A view of a volume (of the shape of the header) as slices, (S, H, W).

        They are counted and turned as `fplbench.datasets.formats.nifti.volume_slices` does: axial ones from the feet up, with
        rows towards the back of the body and columns towards its left.
        """
        return np.flip(volume, self.turned).transpose(self.shown)

    def as_stored(self, slices: np.ndarray) -> np.ndarray:
        """The reverse of `upright`: a view of slices (S, H, W) as a volume of the shape of the header."""
        return np.flip(slices.transpose(np.argsort(self.shown)), self.turned)


def read_volume_header(path: str) -> VolumeHeader:
    """Read and check the header of a NIfTI file, in a guarded process.

    The volume is cut across its largest voxel spacing, or into axial slices if the largest spacings agree within 1 %.

    Raises:
        NotAnImage: a volume of labels, of colours or of complex numbers, several volumes, or no volume.
        Unreadable: its size is impossible, or the file is too short for it.
    """
    import nibabel

    image: Any = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):  # the class of NIfTI-2 is derived from it
        raise NotAnImage("not NIfTI")
    header: Any = image.header
    voxels: Any = image.dataobj
    dtype: np.dtype = voxels.dtype
    _check_kind(header, dtype)
    shape = _three_sides(image.shape)
    nifti.check_volume(Path(path), shape, dtype.itemsize, nifti.affine_mm(image))
    slope, inter = float(voxels.slope), float(voxels.inter)
    across = nifti.acquired_across(image)
    shown, turned = nifti.shown_axes(image.affine, across), nifti.turned_axes(image.affine, across)
    place = (header.endianness, int(voxels.offset), slope, inter)
    spacing, notes = nifti.spacing(image, *shown[1:]), _notes(image, across)
    found = VolumeHeader(shape, dtype.str, *place, shown, turned, spacing, notes)
    _check_length(Path(path), found)
    return found


def unpack(task: tuple[str, str, VolumeHeader]) -> str:
    """Write the voxels of a compressed volume to a file, in a guarded process; the file appears complete or not at all.

    Returns:
        Empty, or NO_SPACE if there is not enough space for them.

    Raises:
        Unreadable: the file ends too early, or its checksum or its length is not that of what it holds.
    """
    source, target, header = task
    needed = header.nbytes
    try:
        with gzip.open(source) as stream, replacing(target) as temporary, open(temporary, "wb") as out:
            stream.seek(header.offset)
            while needed:
                part = stream.read(min(CHUNK, needed))
                if not part:
                    raise Unreadable("it is truncated: it ends within its voxels")
                out.write(part)
                needed -= len(part)
            # Checksum and length are only compared at the end of the stream, and damage can put that behind the voxels.
            while stream.read(CHUNK):
                pass
    except EOFError:
        raise Unreadable("it is truncated: it ends within its voxels") from None
    except gzip.BadGzipFile as error:
        what = "other data follow its end" if "Not a gzipped" in str(error) else "its checksum does not match"
        raise Unreadable(f"it is damaged: {what}") from None
    except zlib.error:
        raise Unreadable("it is damaged: it cannot be decompressed") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return NO_SPACE
        raise
    return ""


def scaled(stored: np.ndarray, slope: float, inter: float) -> np.ndarray:
    """Stored values times the slope plus the intercept, float32; what float32 cannot hold is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):  # invalid: a NaN that asks to be signalled
        return (stored.astype(np.float64) * slope + inter).astype(np.float32)


def release(mapped: np.ndarray) -> None:
    """Let go of the pages of a mapped file that were read, which would count as memory of this process."""
    if isinstance(mapped.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.base.madvise(mmap.MADV_DONTNEED)


def _check_kind(header: Any, dtype: np.dtype) -> None:
    """Raise NotAnImage unless voxels are real numbers that are no labels."""
    if dtype.names:
        raise NotAnImage("a colour volume")
    if dtype.kind == "c":
        raise NotAnImage("a volume of complex numbers")
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise NotAnImage(f"a volume of {dtype.name} values")
    if int(header["intent_code"]) == LABELS:
        raise NotAnImage("a volume of labels, as its intent says")


def _three_sides(shape: Sequence[int]) -> tuple[int, int, int]:
    """The sides of one volume; further dimensions of length 1 do not count, and a single slice is a volume of one."""
    if len(shape) < 2:
        raise NotAnImage(f"{len(shape)} dimensions")
    several = int(np.prod([int(side) for side in shape[3:]], dtype=object))
    if several > 1:
        raise NotAnImage(f"{several} volumes in one file")
    if several < 1:
        raise Unreadable(f"its size {'x'.join(map(str, shape))} is empty")
    first, second, third = (*shape[:3], 1)[:3]
    return int(first), int(second), int(third)


def _check_length(path: Path, header: VolumeHeader) -> None:
    """Raise Unreadable if a file is too short for the voxels that its header promises."""
    size, needed = path.stat().st_size, header.offset + header.nbytes
    if not 0 < header.offset < 2**31:
        raise Unreadable("the place of its voxels is not plausible")
    if path.suffix == ".gz" and needed > GREATEST_RATIO * size:
        raise Unreadable(f"it is truncated: its {size} bytes cannot hold the {needed} that its header promises")
    if path.suffix == ".nii" and needed > size:
        raise Unreadable(f"it is truncated: it has {size} bytes, and its header promises {needed}")


def _notes(image: Any, across: int) -> tuple[str, ...]:
    """Notes where slices are not axial, and where the header does not say how the volume lies."""
    from nibabel.affines import voxel_sizes

    notes = () if nifti.is_placed(image) else (nifti.NO_PLACE,)
    if across == 2:
        return notes
    largest = voxel_sizes(nifti.affine_mm(image)).max()
    return (
        *notes,
        f"It is denoised in {PLANES[across]} slices, as its largest voxel spacing, {largest:.3g} mm, is across these.",
    )
