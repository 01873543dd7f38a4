"""Reading the XML files of LIDC-IDRI, in which the four readers of a scan outlined nodules.

The files come from anywhere, so none is trusted: it is read as a stream in bounded memory, with limits on its size, its nesting
and the length of a value. A document type declaration is refused, and with it every entity, internal or external.
"""

import math
import os
from collections.abc import Callable, Container
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

import numpy as np

from fplbench.datasets.formats.dicom import digest
from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_nodules import MAX_OUTLINES, Outline, Place, Reading
from fplbench.lesions.outlines import Contour

ROOT = "LidcReadMessage"
MAX_BYTES = 1 << 25  # 32 MiB; the nodules of the most annotated scan of LIDC-IDRI take about 2 MB
MAX_DEPTH = 16  # elements inside each other; LIDC-IDRI has 6
MAX_VALUE = 256  # characters
CHUNK = 1 << 20  # bytes
MAX_COORDINATE = 1 << 14  # pixels; more than any image has that is read here
VALUES = frozenset(("SeriesInstanceUid", "malignancy", "imageZposition", "imageSOP_UID", "inclusion", "xCoord", "yCoord"))


class NotAnnotation(Exception):
    """An XML file that holds something other than readings of a CT series."""


class OtherSeries(Exception):
    """A file that annotates a series which is not wanted."""


def read_xml(path: Path, wanted: Container[str]) -> Reading:
    """Read the nodules of an XML file, and check that they are plausible.

    Args:
        path: the file.
        wanted: Series Instance UIDs; a file of another series is not read to its end.

    Returns:
        The series and the outlines of its readers; the readers are numbered from 1.

    Raises:
        NotAnnotation: the root element is not LidcReadMessage.
        OtherSeries: the series is not wanted.
        Unreadable: the file is damaged, too large or nested too deeply, or it declares a document type.
    """
    reader = _Reader(wanted)
    try:
        with open(path, "rb") as file:
            reader.read(file)
    except expat.ExpatError as error:
        raise Unreadable(f"it is not well-formed XML (line {error.lineno}: {expat.ErrorString(error.code)})") from None
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from None
    except (LookupError, UnicodeError):
        raise Unreadable("its character encoding is not known") from None
    if not reader.series:
        raise Unreadable("it does not say which series it annotates")
    return Reading(reader.series, reader.outlines)


class _Reader:
    """Handlers for the elements of a file: what has been read, and what is being read."""

    def __init__(self, wanted: Container[str]) -> None:
        self.wanted = wanted
        self.series = ""
        self.outlines: list[Outline] = []
        self.readers = 0
        self.open: list[str] = []
        self.text: list[str] = []
        self.places: dict[str, Place] = {}  # by image; the same image has the same place for all readers
        self.values: dict[str, str] = {}  # of the nodule or the contour that is being read
        self.points: list[tuple[int, int]] = []
        self.ends: dict[str, Callable[[], None]] = {
            "SeriesInstanceUid": self.end_series,
            "edgeMap": self.end_point,
            "roi": self.end_contour,
            "characteristics": self.end_ratings,
        }

    def read(self, file: BinaryIO) -> None:
        """Read a file to its end, or to the first reason not to."""
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise Unreadable(f"it is larger than {MAX_BYTES >> 20} MiB")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self.refuse
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        while data := file.read(CHUNK):
            parser.Parse(data, False)
        parser.Parse(b"", True)

    def refuse(self, *declaration: object) -> None:
        """A document type declaration can define entities that expand to gigabytes or name other files."""
        raise Unreadable("it declares a document type, which LIDC's files never do")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self.open and name != ROOT:
            raise NotAnnotation
        if len(self.open) >= MAX_DEPTH:
            raise Unreadable(f"more than {MAX_DEPTH} elements are inside each other")
        self.open.append(name)
        self.text.clear()
        if name == "readingSession":
            self.readers += 1
        elif name == "unblindedReadNodule":
            if len(self.outlines) == MAX_OUTLINES:
                raise Unreadable(f"it lists more than {MAX_OUTLINES} nodules")
            self.outlines.append(Outline(f"nodule {len(self.outlines) + 1}", self.readers))
        elif name == "roi":
            self.values.clear()
            self.points = []

    def characters(self, text: str) -> None:
        if self.open[-1] in VALUES:
            self.text.append(text)
            if len(self.text) > MAX_VALUE or len(text) > MAX_VALUE:
                raise Unreadable(f"its {self.open[-1]} is longer than {MAX_VALUE} characters")

    def end(self, tag: str) -> None:
        name = self.open.pop()
        if name in VALUES:
            self.values[name] = "".join(self.text).strip()
            self.text.clear()
        if name in self.ends and (name == "SeriesInstanceUid" or "unblindedReadNodule" in self.open):
            self.ends[name]()

    def end_series(self) -> None:
        self.series = self.values["SeriesInstanceUid"]
        if self.series not in self.wanted:
            raise OtherSeries

    def end_ratings(self) -> None:
        rating = self.values.pop("malignancy", "")
        self.outlines[-1].malignancy = int(rating) if rating in tuple("12345") else None

    def end_point(self) -> None:
        column, row = (whole(self.values.pop(name, "")) for name in ("xCoord", "yCoord"))
        self.points.append((column, row))

    def end_contour(self) -> None:
        inclusion, image = self.values.get("inclusion", "").upper(), self.values.get("imageSOP_UID", "")
        if not self.points or not image or inclusion not in ("TRUE", "FALSE"):
            raise Unreadable("a contour has no points, no image, or no word on whether it is a hole")
        where = position(self.values.get("imageZposition", ""))
        place = self.places.setdefault(image, Place(where, digest(image)))
        contour = Contour(np.array(self.points, np.int16), inclusion == "TRUE")
        self.outlines[-1].contours.setdefault(place, []).append(contour)


def whole(text: str) -> int:
    """A coordinate: a whole number of pixels.

    Raises:
        Unreadable: it is not a whole number, or far outside any image.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number.is_integer() or abs(number) > MAX_COORDINATE:
        raise Unreadable("a coordinate of a contour is not a whole number of pixels")
    return int(number)


def position(text: str | float) -> float:
    """The position of an image in mm, rounded as positions of slices are.

    Raises:
        Unreadable: it is not a number.
    """
    try:
        number = float(text)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable("the position of a contour is not a number")
    return round(number, 3)
