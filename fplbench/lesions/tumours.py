"""The tumours of LiTS: label 2 of segmentation-N.nii beside volume-N.nii, or of labelsTr/liver_N.nii.gz beside imagesTr."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.annotations import count
from fplbench.datasets.files import LINK_OUT, leads_out, walk
from fplbench.datasets.formats import nifti
from fplbench.datasets.identity import Identity
from fplbench.datasets.registry import DatasetOptions, Header, Masks, NotAnImage, Slice, Unreadable, Wanted
from fplbench.lesions.components import Component, find_components, from_text, to_text
from fplbench.lesions.marks import Annotations, Lesion, Mark

if TYPE_CHECKING:
    from nibabel import Nifti1Image

NO_MASK = "no liver mask, which liver_only needs (segmentation-N next to volume-N, or labelsTr/liver_N)"
MASK = re.compile(r"(?:^|/)(?:segmentation-|labelsTr/liver_)\d+\.nii(?:\.gz)?$")
TUMOUR = 2  # label in the masks; 1 is liver
ABSENT, READ = "absent", "read"


@dataclass(frozen=True)
class MaskFile:
    """What the mask of a volume says.

    Attributes:
        state: READ, ABSENT, or a phrase that says why the mask cannot be used.
        tumours: the tumours, as the text of a header.
        labelled: whether each slice, from the feet up, shows a label, bool (slices,).
    """

    state: str
    tumours: str
    labelled: np.ndarray


def read_mask(path: Path, root: Path, volume: "Nifti1Image", spacing: tuple[float, float] | None, required: bool) -> MaskFile:
    """Read the mask of a volume once, slice by slice.

    Args:
        path: the file of the volume.
        root: the folder that the mask must lie in.
        volume: the volume.
        spacing: (row, column) spacing of its slices in mm; None if it cannot be trusted.
        required: whether the volume is of no use without its mask.

    Raises:
        NotAnImage: a required mask is missing.
        Unreadable: a required mask has another size than the volume; other exceptions if it is damaged.
    """
    labelled = np.zeros(nifti.depth(volume), bool)
    try:
        found, _ = find_components(_tumour_planes(find_mask(path, root), volume, labelled), spacing)
        return MaskFile(READ, to_text(found), labelled)
    except MemoryError:  # the volume is tried again in a process that does not share the memory
        raise
    except Exception as error:  # a damaged mask can raise any exception inside a decoder
        if required:
            raise
        state = str(error) if isinstance(error, Unreadable) else "its mask is damaged"
        return MaskFile(ABSENT if isinstance(error, NotAnImage) else state, "", labelled)


def mask_file(path: Path, options: DatasetOptions) -> Path | None:
    """The mask that the header of a volume depends on, or None."""
    try:
        return find_mask(path, options.root)
    except (NotAnImage, Unreadable, OSError):
        return None


def find_mask(volume: Path, root: Path) -> Path:
    """The mask of a volume: segmentation-N next to volume-N, or labelsTr/liver_N next to imagesTr.

    Raises:
        NotAnImage: the volume has no mask.
        Unreadable: the mask is a link that leads out of the root.
    """
    stem = volume.name.split(".")[0]
    if stem.startswith("liver_"):
        mask = volume.parent.parent / "labelsTr" / stem
    else:
        mask = volume.parent / stem.replace("volume-", "segmentation-")
    for path in (mask.with_name(f"{mask.name}{suffix}") for suffix in (".nii", ".nii.gz")):
        if path.is_file():
            if leads_out(path, root):
                raise Unreadable(f"its mask is {LINK_OUT}")
            return path
    raise NotAnImage(NO_MASK)


def checked(text: str) -> str:
    """Return the text of the tumours in a header; ValueError if it is damaged."""
    if any(one.last >= nifti.MAX_SLICES for one in from_text(text)):
        raise ValueError("a tumour lies outside of any volume")
    return text


def annotate(headers: dict[str, Header], slices: Sequence[Slice], options: DatasetOptions) -> Annotations:
    """The tumours in the slices of the volumes that have a mask; the slices of the others are not annotated."""
    identity = Identity(options.pseudonymise)
    series = {one.source: one.series for one in slices}
    marks: dict[str, dict[int, list[Mark]]] = {}
    faults = []
    for source in sorted(series):
        state = headers[source]["mask"]
        if state == READ:
            marks[source] = _by_number(series[source], from_text(headers[source]["tumours"]))
        elif state != ABSENT:
            faults.append(f"The tumours of {identity.of(source)} cannot be used: {state}.")
    absent = len(series) - len(marks) - len(faults)
    notes = [f"Not annotated, since there is no mask: {absent} of {count(len(series), 'volume')}."] if absent else []
    notes += _without_volume(options, series, identity)
    by_image = {one.image_id: tuple(marks[one.source].get(one.number, ())) for one in slices if one.source in marks}
    return Annotations(by_image, faults, len(marks) + len(faults), notes)


def lesion_masks(path: Path, wanted: Sequence[Wanted], options: DatasetOptions) -> Iterator[tuple[str, Masks]]:
    """Read the tumours in slices of a volume from its mask, bool (H, W) each, oriented like the slice.

    Raises:
        Unreadable: the mask is missing, or shows other tumours in a slice than the marks.
    """
    volume, by_number = nifti.open_volume(path), {one.slice.number: one for one in wanted}
    labelled = np.zeros(nifti.depth(volume), bool)
    _, masks = find_components(_tumour_planes(_present(path, options.root), volume, labelled), None, by_number)
    for number, drawn in masks:
        yield _matched(by_number.pop(number), drawn)
    for one in by_number.values():
        yield _matched(one, {})


def _tumour_planes(mask: Path, volume: "Nifti1Image", labelled: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number and the tumours of each slice, bool (H, W), and set `labelled` where a slice shows a label."""
    for number, labels in nifti.mask_slices(mask, volume):
        labelled[number] = labels.any()
        yield number, labels == TUMOUR


def _by_number(series: str, found: Sequence[Component]) -> dict[int, list[Mark]]:
    """The marks in each slice of a volume, by number of the slice; a mark knows the index of its component."""
    marks: dict[int, list[Mark]] = {}
    for index, one in enumerate(found):
        mark = Mark(Lesion(f"{series}_tumour-{index + 1:03d}", "tumour", size_mm=one.diameter), index)
        for number in range(one.first, one.last + 1):
            marks.setdefault(number, []).append(mark)
    return marks


def _without_volume(options: DatasetOptions, sources: Collection[str], identity: Identity) -> Iterator[str]:
    """A sentence on the masks that belong to none of the volumes, if there are any."""
    used = {mask_file(options.root / source, options) for source in sources}
    files = (found.path for found in walk(options.root) if not found.refused and MASK.search(found.path))
    if others := [path for path in files if options.root / path not in used]:
        named = f"{count(len(others), 'mask')}, such as {identity.of(others[0])}"
        yield f"Masks of volumes that are left out or not there: {named}."


def _present(volume: Path, root: Path) -> Path:
    """The mask of a volume that had one."""
    try:
        return find_mask(volume, root)
    except NotAnImage:
        raise Unreadable("its mask is not there any more") from None


def _matched(wanted: Wanted, drawn: dict[int, np.ndarray]) -> tuple[str, Masks]:
    """The masks of the marks of a slice."""
    if [mark.drawing for mark in wanted.marks] != sorted(drawn):
        raise Unreadable("its mask has changed since its tumours were read")
    return wanted.slice.image_id, [(mark.lesion, drawn[mark.drawing]) for mark in wanted.marks]
