"""RSNA Pneumonia Detection Challenge: chest radiographs, one JPEG-compressed DICOM file each.

A patientId of RSNA identifies an image, not a person. A mapping from images to persons is not part of the challenge; RSNA
publishes one as a .json file, and it can also be given as a .csv file.

Shih et al. 2019, Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of
possible pneumonia. Radiology: Artificial Intelligence 1(1), doi 10.1148/ryai.2019180041.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom, fields
from fplbench.datasets.persons import mapping_file, read_persons
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, Plane, Slice
from fplbench.errors import InputError
from fplbench.lesions import boxes

FOLDER = "stage_2_train_images"
FIELDS: dict[str, Callable[[str], Any]] = {
    "image": str,
    "row_spacing": fields.length,
    "column_spacing": fields.length,
    "rows": int,
    "columns": int,
}


class RsnaOptions(DatasetOptions):
    """Options of the RSNA radiographs."""

    root: Path = Field(Path("data/rsna"), description="Folder with stage_2_train_images, at any depth, or that folder itself.")
    persons: Path | None = Field(
        None,
        description="A .csv file with the columns image_id and person, or the .json mapping that RSNA publishes, since a "
        "patientId of RSNA identifies an image, not a person; by default persons.csv or "
        "pneumonia-challenge-dataset-mappings_2018.json in the root, if there is one.",
    )


def left_out(path: str, root: Path) -> str:
    """Leave out files that are not in stage_2_train_images, such as the test images of the challenge."""
    folders, name = [root.name, *path.split("/")[:-1]], path.rpartition("/")[2]
    if not name.lower().endswith(".dcm"):
        return f"{Path(name).suffix.lower() or 'no suffix'}, not an image"
    if FOLDER in folders:
        return ""
    return "a test image of the challenge" if "stage_2_test_images" in folders else f"not in {FOLDER}"


def read_header(path: Path, options: RsnaOptions) -> Header:
    """Read the name, the pixel spacing and the size of a radiograph."""
    header = dicom.read_tags(path, ("PixelSpacing", "ImagerPixelSpacing"), ("CR", "DX"))
    row_spacing, column_spacing = fields.spacing(header.get("PixelSpacing"))
    if row_spacing is None:
        row_spacing, column_spacing = fields.spacing(header.get("ImagerPixelSpacing"))
    return {
        "image": path.stem,
        "row_spacing": row_spacing,
        "column_spacing": column_spacing,
        "rows": int(header.Rows),
        "columns": int(header.Columns),
    }


def arrange(headers: dict[str, Header], options: RsnaOptions) -> tuple[list[Slice], dict[str, str]]:
    """One slice per file. The person comes from the mapping; without one, each image counts as one person.

    Raises:
        InputError: the mapping is damaged, or lists none of the images.
    """
    mapping = mapping_file(options.persons, options.root)
    persons = read_persons(mapping) if mapping else None
    slices: list[Slice] = []
    seen: set[str] = set()
    omitted: dict[str, str] = {}
    for path in sorted(headers):
        header = headers[path]
        image = header["image"]
        if image in seen:
            omitted[path] = "the same name as another file"
        elif persons is not None and image not in persons:
            omitted[path] = "not listed in the mapping to persons"
        else:
            seen.add(image)
            patient = image if persons is None else persons[image]
            spacing = fields.pair(header["row_spacing"], header["column_spacing"])
            slices.append(Slice(image, patient, series=image, source=path, number=0, spacing=spacing))
    if headers and not slices:
        raise InputError(
            f"datasets.rsna.persons: {mapping} lists none of the {len(headers)} images; its image_id must be the name of a "
            f"file without .dcm."
        )
    return slices, omitted


def read_images(path: Path, slices: Sequence[Slice], options: RsnaOptions) -> Iterator[Plane]:
    """Read the stored values of a radiograph, bone bright, float32 (H, W), with the range of its bits."""
    dataset, stored = dicom.read_pixels(path)
    low, high = dicom.stored_range(dataset)
    values = stored.astype(np.float32)
    inverted = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    if inverted:
        np.subtract(low + high, values, out=values)
    yield Plane(slices[0], values, (low, high), inverted)


def persons_known(options: RsnaOptions) -> bool:
    """Whether there is a mapping from images to persons."""
    return mapping_file(options.persons, options.root) is not None


LOADERS.add(
    "rsna",
    Dataset(
        name="rsna",
        label="RSNA",
        options=RsnaOptions,
        licence="the rules of the challenge on Kaggle: for non-commercial research, not to be redistributed",
        citation=(
            "Shih G et al. Augmenting the National Institutes of Health chest radiograph dataset with expert "
            "annotations of possible pneumonia. Radiology: Artificial Intelligence 2019. https://doi.org/10.1148/ryai.2019180041"
        ),
        page="https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge",
        sharing="Images of RSNA may not be redistributed: the rules of the challenge on Kaggle forbid it.",
        contents="stage_2_train_images of the RSNA Pneumonia Detection Challenge",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
        persons_known=persons_known,
        annotate=boxes.annotate,
        lesion_masks=boxes.lesion_masks,
        scans=False,
        hounsfield=False,
    ),
)
