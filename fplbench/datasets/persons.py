"""Whose the images are: what identifies a patient, and the mapping from radiographs to persons.

The mapping is a .csv file, or the .json file that RSNA publishes for its images.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fplbench.datasets.files import LINK_OUT, leads_out
from fplbench.datasets.registry import Slice
from fplbench.errors import InputError

# What identifies a patient, in the field `identified_by` of headers and slices. BIDS: the `sub-XXX` of a path.
PATIENT, BIDS, MAPPING, STUDY = "PatientID", "BIDS", "mapping", "StudyInstanceUID"
SERIES, FOLDER, NIFTI, FILE = "SeriesInstanceUID", "folder", "NIfTI file", "file"
COUNTED_BY = {STUDY: "study", SERIES: "series", FOLDER: "folder", NIFTI: "volume", FILE: "file"}
"""What stands for a patient without an identifier."""
UNKNOWN = (SERIES, FOLDER, NIFTI, FILE)  # one person may have several of these; of studies, most have one

TABLE = "persons.csv"
PUBLISHED = "pneumonia-challenge-dataset-mappings_2018.json"
COLUMNS = ("image_id", "person")
KEYS = ("subset_img_id", "img_id")  # name of the image in the challenge and at NIH: 00000001_000.png, of person 00000001


def persons_known(slices: Iterable[Slice]) -> bool:
    """Whether the patient of each slice is a person, as far as is known, and not just a series, a folder, a volume or a file."""
    return not any(one.identified_by in UNKNOWN for one in slices)


def patients_counted_by(slices: Iterable[Slice]) -> dict[str, int]:
    """Numbers of patients without an identifier, by what counts as a patient instead, such as a study."""
    patients: dict[str, set[str]] = defaultdict(set)
    for one in slices:
        patients[one.identified_by].add(one.patient)
    return {word: len(patients[kind]) for kind, word in COUNTED_BY.items() if kind in patients}


def patients_identified(slices: Iterable[Slice]) -> int:
    """Number of patients with an identifier."""
    return len({one.patient for one in slices if one.identified_by not in COUNTED_BY})


def counted_lines(counted: dict[str, int]) -> list[str]:
    """The sentences on patients without an identifier, from their numbers."""
    return [f"Patients without an identifier are counted by {word}: {number}." for word, number in counted.items()]


def mapping_file(chosen: Path | None, root: Path, key: str, names: Iterable[str] = (TABLE,)) -> Path | None:
    """The mapping from images to persons: the chosen file, else the first in the root that has one of the names, or None.

    Args:
        chosen: the file that the options name.
        root: the folder of the data set.
        key: of the file in the config, for messages.
        names: names of the file in the root.

    Raises:
        InputError: the file in the root is a link that leads out of it.
    """
    if chosen is not None:
        return chosen
    for file in (root / name for name in names):
        if file.exists():
            if leads_out(file, root):
                raise InputError(f"{file} is {LINK_OUT}: set {key} to its target.")
            return file
    return None


def read_persons(path: Path, key: str) -> dict[str, str]:
    """Read the mapping from images to persons.

    Args:
        path: a .csv file with the columns image_id and person, or the .json file of RSNA, in which the name of the image at
            NIH starts with the number of the person.
        key: of the file in the config, for messages.

    Raises:
        InputError: the file cannot be read, lacks a column or key, has an incomplete entry, lists no image, or lists an
            image with two persons. The message gives the line or the entry.
    """
    where = f"{key}: {path}"
    published = path.suffix.lower() == ".json"
    persons: dict[str, str] = {}
    try:
        for place, image, person in _published(path, where) if published else _table(path, where):
            if not image or not person:
                raise InputError(f"{where}, {place}: the image or the person is missing.")
            if persons.setdefault(image, person) != person:
                raise InputError(f"{where}, {place}: the image was already listed with another person.")
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}.") from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError(f"{where} is not a .csv file: it needs a header line with image_id and person.") from None
    if not persons:
        raise InputError(f"{where} lists no image: add images, or remove the file to count each image as one person.")
    return persons


def _table(path: Path, where: str) -> Iterator[tuple[str, str, str]]:
    """Yield place, image and person of each row of a .csv file."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise InputError(f"{where} needs a header line with image_id and person.")
        for row in rows:
            image, person = ((row[column] or "").strip() for column in COLUMNS)
            yield f"line {rows.line_num}", image, person


def _published(path: Path, where: str) -> Iterator[tuple[str, str, str]]:
    """Yield place, image and person of each entry of the .json file of RSNA."""
    try:
        entries: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError(f"{where} is not a .json file: download it again.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{where} needs a list of objects with the keys {KEYS[0]} and {KEYS[1]}, as RSNA publishes it.")
    for number, entry in enumerate(entries, start=1):
        image, original = (str(entry.get(key) or "").strip() for key in KEYS)
        if not image:  # an image of NIH that is not in the challenge
            continue
        yield f"entry {number}", image, original.partition("_")[0] if "_" in original else ""
