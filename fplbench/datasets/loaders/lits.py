"""LiTS: abdominal CT volumes in NIfTI, as distributed by the challenge or the Medical Segmentation Decathlon.

Bilic et al. 2023, The Liver Tumor Segmentation Benchmark (LiTS). Medical Image Analysis 84,
doi 10.1016/j.media.2022.102680.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from fplbench.datasets.formats import fields, nifti
from fplbench.datasets.reading.volumes import read_volume_images
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, Plane, Slice, Window
from fplbench.datasets.sampling.display import check_size
from fplbench.lesions import tumours

NAME = re.compile(r"(?:^|/)(?:volume-|liver_)(\d+)\.nii(?:\.gz)?$")


class LitsOptions(DatasetOptions):
    """Options of LiTS."""

    root: Path = Field(Path("data/lits"), description="Folder with volume-N.nii or imagesTr/liver_N.nii.gz, at any depth.")
    window: Window = Field((-160, 240), description="Lowest and highest HU shown; the default is a liver window.")
    liver_only: bool = Field(
        False, description="Use only slices that show liver in the mask of the volume; volumes without a mask are left out."
    )


def left_out(path: str, root: Path) -> str:
    """Leave out masks, the test images of the decathlon, and files that are not named like volumes."""
    if "labelsTr/" in path or tumours.MASK.search(path):
        return "a mask"
    if "imagesTs/" in path:
        return "a test volume of the decathlon"
    if NAME.search(path):
        return ""
    return "NIfTI not named volume-N or liver_N" if re.search(r"\.nii(\.gz)?$", path) else "not a volume"


def read_header(path: Path, options: LitsOptions) -> Header:
    """Read which slices of a volume to use, its spacing along the axes of the patient, and the tumours of its mask.

    Raises:
        NotAnImage: the file does not have three dimensions, or lacks the mask that liver_only needs.
        Unreadable: the size or the affine is impossible, or the file is truncated; with liver_only also if the mask has
            another size or is damaged.
    """
    image = nifti.open_volume(path)
    directions = nifti.orientation(image.affine)
    axes = directions[:, 0].tolist()
    right, anterior, superior = (axes.index(axis) for axis in range(3))
    check_size(image.shape[anterior], image.shape[right])
    lengths = np.sqrt((image.affine[:3, :3] ** 2).sum(axis=0))
    trusted = not np.allclose(lengths, 1)  # volumes 28 to 47 have (1, 1, 1), which is wrong
    row, column, between = (float(f"{lengths[axis]:.6g}") if trusted else None for axis in (anterior, right, superior))
    mask = tumours.read_mask(path, options.root, image, fields.pair(row, column), required=options.liver_only)
    chosen = mask.labelled if options.liver_only else np.ones(image.shape[superior], bool)
    name = NAME.search(path.as_posix())
    assert name is not None  # left_out has seen it
    return {
        "volume": int(name.group(1)),
        "chosen": to_text(chosen),
        "row_spacing": row,
        "column_spacing": column,
        "slice_spacing": between,
        "mask": mask.state,
        "tumours": mask.tumours,
    }


def arrange(headers: dict[str, Header], options: LitsOptions, name: str = "lits") -> tuple[list[Slice], dict[str, str]]:
    """Every axial slice of every volume, from the feet up, with the volumes in numerical order."""
    slices: list[Slice] = []
    seen: set[int] = set()
    omitted: dict[str, str] = {}
    for path in sorted(headers, key=lambda path: (headers[path]["volume"], path)):
        number = headers[path]["volume"]
        if number in seen:
            omitted[path] = "a second volume with the same number"
            continue
        seen.add(number)
        slices.extend(_slices(path, headers[path]))
    return slices, omitted


def _slices(path: str, header: Header) -> Iterator[Slice]:
    volume, between = f"volume-{header['volume']:03d}", header["slice_spacing"]
    for number in from_text(header["chosen"]):
        yield Slice(
            image_id=f"{volume}_slice-{number:04d}",
            patient=volume,
            series=volume,
            source=path,
            number=number,
            spacing=fields.pair(header["row_spacing"], header["column_spacing"]),
            position=None if between is None else number * between,
            identified_by="volume",
        )


def read_images(path: Path, slices: Sequence[Slice], options: LitsOptions) -> Iterator[Plane]:
    """Read axial slices of a volume, in HU, float32 (H, W); values below AIR become AIR."""
    return read_volume_images(path, slices, "CT")


def to_text(chosen: np.ndarray) -> str:
    """Write the indices of the true elements as ranges: `3-5 9-9`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False])).astype(int)))
    return " ".join(f"{start}-{stop - 1}" for start, stop in edges.reshape(-1, 2))


def from_text(text: str) -> list[int]:
    """Read the numbers that `to_text` wrote."""
    return [number for start, stop in _ranges(text) for number in range(start, stop + 1)]


def checked(text: str) -> str:
    """Return the text; ValueError unless `to_text` could have written it."""
    end = -1
    for start, stop in _ranges(text):
        if not end < start <= stop < nifti.MAX_SLICES:
            raise ValueError(f"{start}-{stop} is not a range of slices")
        end = stop
    return text


def _ranges(text: str) -> list[tuple[int, int]]:
    pairs = (item.split("-") for item in text.split())
    return [(int(start), int(stop)) for start, stop in pairs]


LOADERS.add(
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
        sharing=(
            "Images of LiTS may not be redistributed as changed copies (CC BY-NC-ND 4.0), unless they come from Task03_Liver of "
            "the Medical Segmentation Decathlon (CC BY-SA 4.0)."
        ),
        contents="the NIfTI volumes of LiTS or of Task03_Liver",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields={
            "volume": int,
            "chosen": checked,
            "row_spacing": fields.length,
            "column_spacing": fields.length,
            "slice_spacing": fields.length,
            "mask": str,
            "tumours": tumours.checked,
        },
        header_options=("liver_only",),
        companion=tumours.mask_file,
        annotate=tumours.annotate,
        lesion_masks=tumours.lesion_masks,
        libraries=("cv2", "nibabel"),
    ),
)
