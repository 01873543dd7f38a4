"""RSNA Pneumonia Detection Challenge: chest radiographs, one JPEG-compressed DICOM file each.

Shih et al. 2019, Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of
possible pneumonia. Radiology: Artificial Intelligence 1(1), doi 10.1148/ryai.2019180041.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom
from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Header, NotAnImage, Slice, Values
from fplbench.errors import InputError

FOLDERS = ("stage_2_train_images/",)
PERSONS = "persons.csv"
FIELDS = ("image", "row_spacing", "column_spacing")


class RsnaOptions(DatasetOptions):
    """Options of the RSNA radiographs."""

    root: Path = Field(Path("data/rsna"), description="Folder that holds stage_2_train_images.")
    persons: Path | None = Field(
        None,
        description="A .csv with the columns image_id and person, as a patientId of RSNA names an image, not a person; "
        "by default persons.csv in the root where there is one.",
    )


def wanted(path: str) -> bool:
    """The training images; the challenge's test images are left out."""
    return path.startswith(FOLDERS) and path.lower().endswith(".dcm")


def read_header(path: Path, options: RsnaOptions) -> Header:
    """Name and pixel spacing of one radiograph."""
    header = dicom.read_tags(path, ("Modality", "PixelSpacing", "ImagerPixelSpacing"))
    if header.get("Modality") not in ("CR", "DX"):
        raise NotAnImage(f"modality {header.get('Modality') or 'not given'}")
    spacing = header.get("PixelSpacing") or header.get("ImagerPixelSpacing") or ("", "")
    return {"image": path.stem, "row_spacing": str(spacing[0]), "column_spacing": str(spacing[1])}


def arrange(headers: dict[str, Header], options: RsnaOptions) -> tuple[list[Slice], dict[str, str]]:
    """One image a file; the person comes from the mapping file, or else each image counts as one person."""
    default = options.root / PERSONS
    file = options.persons or (default if default.exists() else None)
    persons = read_persons(file) if file else {}
    slices, seen, repeats = [], set(), {}
    for path in sorted(headers):
        header = headers[path]
        image = header["image"]
        if image in seen:
            repeats[path] = "the same name as another file"
            continue
        if persons and image not in persons:
            repeats[path] = f"not listed in {file.name}"
            continue
        seen.add(image)
        spacing = (header["row_spacing"], header["column_spacing"])
        slices.append(
            Slice(
                image_id=image,
                patient=persons.get(image, image),
                series=image,
                source=path,
                number=0,
                spacing=(float(spacing[0]), float(spacing[1])) if all(spacing) else None,
            )
        )
    return slices, repeats


def read_persons(path: Path) -> dict[str, str]:
    """Read the mapping from image to person.

    Raises:
        InputError: the file is missing or lacks one of the columns image_id and person.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return {row["image_id"]: row["person"] for row in csv.DictReader(file)}
    except OSError as error:
        raise InputError(f"datasets.rsna.persons: {path} cannot be read: {error.strerror}.") from None
    except (KeyError, UnicodeDecodeError):
        raise InputError(f"datasets.rsna.persons: {path} needs a header line with image_id and person.") from None


def read_images(path: Path, slices: Sequence[Slice], options: RsnaOptions) -> Iterator[Values]:
    """Stored values of a radiograph with bone bright, float32 (H, W), and the range of its bits."""
    dataset, stored = dicom.read_pixels(path)
    low, high = dicom.stored_range(dataset)
    values = stored.astype(np.float32)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        values = low + high - values
    yield slices[0], values, (low, high)


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
        wanted=wanted,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
    ),
)
