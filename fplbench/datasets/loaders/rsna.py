"""RSNA Pneumonia Detection Challenge: chest radiographs, one JPEG-compressed DICOM file each.

A patientId of RSNA identifies an image, not a person. A mapping from images to persons is not part of the challenge; RSNA
publishes one as a .json file, and it can also be given as a .csv file.

Shih et al. 2019, Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of
possible pneumonia. Radiology: Artificial Intelligence 1(1), doi 10.1148/ryai.2019180041.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from fplbench.datasets.formats import dicom, fields
from fplbench.datasets.loaders import radiograph
from fplbench.datasets.persons import PUBLISHED, TABLE
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, Slice
from fplbench.lesions import boxes

FOLDER = "stage_2_train_images"
FIELDS: dict[str, Callable[[str], Any]] = {
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
    """Read the pixel spacing and the size of a radiograph."""
    header = dicom.read_tags(path, ("PixelSpacing", "ImagerPixelSpacing"), ("CR", "DX"))
    return radiograph.spacing(header) | {"rows": int(header.Rows), "columns": int(header.Columns)}


def arrange(headers: dict[str, Header], options: RsnaOptions, name: str = "rsna") -> tuple[list[Slice], dict[str, str]]:
    """One slice per file. The person comes from the mapping; without one, each image counts as one person.

    Raises:
        InputError: the mapping is damaged, or lists none of the images.
    """
    key, tables = f"datasets.{name}.persons", (TABLE, PUBLISHED)
    return radiograph.arrange_images(headers, options, name_of=lambda path: Path(path).stem, key=key, tables=tables)


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
        read_images=radiograph.read_images,
        header_fields=FIELDS,
        annotate=boxes.annotate,
        lesion_masks=boxes.lesion_masks,
        scans=False,
        hounsfield=False,
        modalities=("CR", "DX"),
    ),
)
