"""RSNA Pneumonia Detection Challenge: chest radiographs, one JPEG-compressed DICOM file each.

Shih et al. 2019, Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of
possible pneumonia. Radiology: Artificial Intelligence 1(1), doi 10.1148/ryai.2019180041.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom, fields
from fplbench.datasets.persons import mapping_file, read_persons
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Header, Plane, Slice
from fplbench.errors import InputError

FOLDER = "stage_2_train_images"
FIELDS = {"image": str, "row_spacing": fields.length, "column_spacing": fields.length}


class RsnaOptions(DatasetOptions):
    """Options of the RSNA radiographs."""

    root: Path = Field(Path("data/rsna"), description="Folder that holds stage_2_train_images, at any depth, or that folder.")
    persons: Path | None = Field(
        None,
        description="A .csv with the columns image_id and person, as a patientId of RSNA names an image, not a person; "
        "by default persons.csv in the root where there is one.",
    )


def left_out(path: str, root: Path) -> str:
    """Whatever does not lie in stage_2_train_images, such as the challenge's test images."""
    folders, name = [root.name, *path.split("/")[:-1]], path.rpartition("/")[2]
    if not name.lower().endswith(".dcm"):
        return f"{Path(name).suffix.lower() or 'without suffix'}, no image"
    if FOLDER in folders:
        return ""
    return "a test image of the challenge" if "stage_2_test_images" in folders else f"outside {FOLDER}"


def read_header(path: Path, options: RsnaOptions) -> Header:
    """Name and pixel spacing of one radiograph."""
    header = dicom.read_tags(path, ("PixelSpacing", "ImagerPixelSpacing"), ("CR", "DX"))
    spacing = fields.spacing(header.get("PixelSpacing")) or fields.spacing(header.get("ImagerPixelSpacing")) or (None, None)
    return {"image": path.stem, "row_spacing": spacing[0], "column_spacing": spacing[1]}


def arrange(headers: dict[str, Header], options: RsnaOptions) -> tuple[list[Slice], dict[str, str]]:
    """One image a file; the person comes from the mapping file, or else each image counts as one person."""
    file = mapping_file(options.persons, options.root)
    persons = read_persons(file) if file else None
    slices, seen, omitted = [], set(), {}
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
            spacing = None if header["row_spacing"] is None else (header["row_spacing"], header["column_spacing"])
            slices.append(Slice(image, patient, series=image, source=path, number=0, spacing=spacing))
    if headers and not slices:
        raise InputError(
            f"datasets.rsna.persons: {file} lists none of the {len(headers)} images; its image_id must be the name of a "
            f"file without .dcm."
        )
    return slices, omitted


def read_images(path: Path, slices: Sequence[Slice], options: RsnaOptions) -> Iterator[Plane]:
    """Stored values of a radiograph with bone bright, float32 (H, W), and the range of its bits."""
    dataset, stored = dicom.read_pixels(path)
    low, high = dicom.stored_range(dataset)
    values = stored.astype(np.float32)
    inverted = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    if inverted:
        np.subtract(low + high, values, out=values)
    yield Plane(slices[0], values, (low, high), inverted)


DATASETS.add(
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
        contents="stage_2_train_images of the RSNA Pneumonia Detection Challenge",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
        persons_known=lambda options: mapping_file(options.persons, options.root) is not None,
        scans=False,
    ),
)
