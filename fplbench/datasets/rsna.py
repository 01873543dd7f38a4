"""RSNA Pneumonia Detection Challenge: chest radiographs, one JPEG-compressed DICOM file each.

A patientId of RSNA identifies an image, not a person. A mapping from images to persons is not part of the data set; it
can be given as a .csv file.

Shih et al. 2019, Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of
possible pneumonia. Radiology: Artificial Intelligence 1(1), doi 10.1148/ryai.2019180041.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom, fields
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Header, Plane, Slice
from fplbench.errors import InputError

FOLDER = "stage_2_train_images"
MAPPING = "persons.csv"
MAPPING_COLUMNS = ("image_id", "person")
FIELDS: dict[str, Callable[[str], Any]] = {"image": str, "row_spacing": fields.length, "column_spacing": fields.length}


class RsnaOptions(DatasetOptions):
    """Options of the RSNA radiographs."""

    root: Path = Field(Path("data/rsna"), description="Folder with stage_2_train_images, at any depth, or that folder itself.")
    persons: Path | None = Field(
        None,
        description="A .csv file with the columns image_id and person, since a patientId of RSNA identifies an image, not a "
        "person; by default persons.csv in the root, if there is one.",
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
    """Read the name and the pixel spacing of a radiograph."""
    header = dicom.read_tags(path, ("PixelSpacing", "ImagerPixelSpacing"), ("CR", "DX"))
    row_spacing, column_spacing = fields.spacing(header.get("PixelSpacing"))
    if row_spacing is None:
        row_spacing, column_spacing = fields.spacing(header.get("ImagerPixelSpacing"))
    return {"image": path.stem, "row_spacing": row_spacing, "column_spacing": column_spacing}


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


def mapping_file(chosen: Path | None, root: Path) -> Path | None:
    """The mapping from images to persons: the one in the options, else persons.csv in the root, or None.

    Raises:
        InputError: persons.csv is a link that leads out of the root.
    """
    if chosen is not None:
        return chosen
    file = root / MAPPING
    if not file.exists():
        return None
    if not file.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{file} is a link that leads out of the folder: set datasets.rsna.persons to its target.")
    return file


def persons_known(options: RsnaOptions) -> bool:
    """Whether there is a mapping from images to persons."""
    return mapping_file(options.persons, options.root) is not None


def read_persons(path: Path) -> dict[str, str]:
    """Read the mapping from images to persons.

    Raises:
        InputError: the file cannot be read, lacks a column, has an incomplete row, lists no image, or lists an image with
            two persons. The message gives the line.
    """
    where = f"datasets.rsna.persons: {path}"
    persons: dict[str, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not set(MAPPING_COLUMNS) <= set(rows.fieldnames or ()):
                raise InputError(f"{where} needs a header line with image_id and person.")
            for row in rows:
                image, person = ((row[column] or "").strip() for column in MAPPING_COLUMNS)
                if not image or not person:
                    raise InputError(f"{where}, line {rows.line_num}: the image or the person is missing.")
                if persons.setdefault(image, person) != person:
                    raise InputError(f"{where}, line {rows.line_num}: the image was already listed with another person.")
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}.") from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError(f"{where} is not a .csv file: it needs a header line with image_id and person.") from None
    if not persons:
        raise InputError(f"{where} lists no image: add images, or remove the file to count each image as one person.")
    return persons


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
        persons_known=persons_known,
        scans=False,
    ),
)
