"""Liver masks of LiTS: which slices show liver."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAX_SLICES = 2**14


def mask_of(volume: Path, root: Path) -> Path:
    """The mask that belongs to a volume: segmentation-N beside volume-N, or labelsTr/liver_N beside imagesTr.

    Raises:
        Unreadable: there is none, or it is a link out of the root.
    """
    if volume.name.startswith("liver_"):
        folders, stem = [volume.parent.parent / "labelsTr"], volume.name.split(".")[0]
    else:
        folders, stem = [volume.parent], volume.name.split(".")[0].replace("volume-", "segmentation-")
    for path in (folder / f"{stem}{suffix}" for folder in folders for suffix in (".nii", ".nii.gz")):
        if path.is_file():
            if not path.resolve().is_relative_to(root.resolve()):
                raise Unreadable("its mask is a link that leads out of the folder")
            return path
    raise Unreadable("it has no mask, which liver_only needs: segmentation-N beside it, or labelsTr/liver_N")


def labelled_planes(mask: Path, volume: "Nifti1Image", axis: int) -> np.ndarray:
    """Whether each plane across an array axis of the volume has a label, bool.

    Many masks lack an affine, so voxels correspond by index and the mask's own geometry is not looked at.

    Raises:
        Unreadable: mask and volume differ in size.
    """
    import nibabel

    image = nibabel.load(mask, keep_file_open=True)
    if image.shape != volume.shape:
        raise Unreadable(f"its mask has the size {image.shape} and not {volume.shape}")
    labelled = np.zeros(image.shape[axis], bool)
    others = tuple(number for number in range(2) if number != axis)
    for last in range(image.shape[2]):
        plane = np.asarray(image.dataobj[:, :, last]) > 0
        if axis == 2:
            labelled[last] = plane.any()
        else:
            labelled |= plane.any(axis=others)
    return labelled


def to_text(chosen: np.ndarray) -> str:
    """Write the numbers of the true elements as ranges: `3-5 9-9`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False])).astype(int)))
    return " ".join(f"{start}-{stop - 1}" for start, stop in edges.reshape(-1, 2))


def from_text(text: str) -> list[int]:
    """Read the numbers that `to_text` wrote."""
    return [number for start, stop in _ranges(text) for number in range(start, stop + 1)]


def checked(text: str) -> str:
    """The text itself; ValueError unless `to_text` could have written it."""
    end = -1
    for start, stop in _ranges(text):
        if not end < start <= stop < MAX_SLICES:
            raise ValueError(f"{start}-{stop} is no range of slices")
        end = stop
    return text


def _ranges(text: str) -> list[tuple[int, int]]:
    pairs = (part.split("-") for part in text.split())
    return [(int(start), int(stop)) for start, stop in pairs]
