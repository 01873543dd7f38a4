"""Which person an image of RSNA shows: a mapping that is not part of the data set."""

import csv
from pathlib import Path

from fplbench.errors import InputError

NAME = "persons.csv"
COLUMNS = ("image_id", "person")


def mapping_file(chosen: Path | None, root: Path) -> Path | None:
    """The mapping of the options, or else persons.csv in the root where there is one, or None.

    Raises:
        InputError: persons.csv is a link out of the root, which only the options may name.
    """
    if chosen is not None:
        return chosen
    file = root / NAME
    if not file.exists():
        return None
    if not file.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{file} is a link that leads out of the folder: name its target as datasets.rsna.persons.")
    return file


def read_persons(path: Path) -> dict[str, str]:
    """Read the mapping from image to person.

    Raises:
        InputError: the file cannot be read, lacks one of the columns image_id and person, names no image, has a row
            without one of the two, or names two persons for an image. The message gives the line.
    """
    where = f"datasets.rsna.persons: {path}"
    persons: dict[str, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise InputError(f"{where} needs a header line with image_id and person.")
            for row in rows:
                image, person = ((row[column] or "").strip() for column in COLUMNS)
                if not image or not person:
                    raise InputError(f"{where} lacks an image or a person in line {rows.line_num}: complete it or remove it.")
                if persons.setdefault(image, person) != person:
                    raise InputError(f"{where} names a second person for an image in line {rows.line_num}: keep one of them.")
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}.") from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError(f"{where} is no .csv file: it needs a header line with image_id and person.") from None
    if not persons:
        raise InputError(f"{where} names no image: fill it, or remove it to count each image as one person.")
    return persons
