"""From the headers of files to slices: series, stacks and order."""

import logging
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fplbench.datasets import fields, frames
from fplbench.datasets.planes import Normal, direction
from fplbench.datasets.registry import DatasetOptions, Header, Slice

log = logging.getLogger(__name__)

Member = tuple[str, Header]
"""The path of a file, and its header."""
COUNTED_BY = {"StudyInstanceUID": "study", "SeriesInstanceUID": "series", "folder": "folder", "file": "file"}
"""What stands for a patient without an identifier, by the `identified_by` of headers."""


def arrange_series(headers: dict[str, Header], options: DatasetOptions) -> tuple[list[Slice], dict[str, str]]:
    """Group the files by series and order their slices by position.

    Images of one series that differ in size, spacing, orientation, echo time, time or b-value are different stacks. The first
    stack, by instance numbers, has the name of the series, and the others are numbered. A file with several slices has stacks
    of its own. Copies are left out, and second images at a position.

    Args:
        headers: the headers by path relative to the root.
        options: options of the data set.

    Returns:
        The slices, and why each path is left out that is.
    """
    series: dict[str, dict[str, Member]] = defaultdict(dict)
    omitted: dict[str, str] = {}
    for path in sorted(headers):
        header = headers[path]
        first = series[header["series"]].setdefault(header["instance"], (path, header))
        if first[0] != path:
            omitted[path] = "a copy of another image"
    slices: list[Slice] = []
    for name in sorted(series):
        members = list(series[name].values())
        files = [member for member in members if member[1].get("frames")]
        stacks = _stacks([member for member in members if not member[1].get("frames")])
        for number, stack in enumerate(stacks):
            slices.extend(_ordered(stack, name if number == 0 else f"{name} stack {number + 1}", omitted))
        for path, header in files:
            slices.extend(_in_file(path, header, name if len(members) == 1 else f"{name} {header['instance']}"))
    _note_unidentified(headers)
    return slices, omitted


def checked_stack(text: str) -> str:
    """Return the text that says which stack an image belongs to; ValueError if it is damaged."""
    if text:
        _numbers(text.partition(";")[0])
    return sys.intern(text)


def _stacks(members: Sequence[Member]) -> list[list[Member]]:
    """The stacks of a series, in the order of their first images."""
    found: dict[tuple[Any, ...], list[Member]] = defaultdict(list)
    normals: list[Normal] = []
    for path, header in sorted(members, key=lambda member: (member[1]["order"], member[1]["instance"])):
        found[_kind(header, normals)].append((path, header))
    return list(found.values())


def _kind(header: Header, normals: list[Normal]) -> tuple[Any, ...]:
    """What the images of a stack have in common; `normals` has those of the stacks so far. LIDC-IDRI has one stack a series."""
    if "stack" not in header:
        return ()
    normal, _, variant = header["stack"].partition(";")
    size = header["rows"], header["columns"], header["row_spacing"], header["column_spacing"]
    return direction(_numbers(normal), normals), variant, *size


@lru_cache
def _numbers(text: str) -> Normal:
    x, y, z = (float(part) for part in text.split())
    return x, y, z


def _ordered(stack: Sequence[Member], series: str, omitted: dict[str, str]) -> Iterator[Slice]:
    """The slices of a stack of single images, by position; second images at a position are omitted."""
    previous, number = None, 0
    for path, header in sorted(stack, key=lambda item: (item[1]["position"], item[1]["order"], item[1]["instance"])):
        position = header["position"]
        if position == previous:
            omitted[path] = "a second image at the same position in its series"
            continue
        spacing = fields.pair(header["row_spacing"], header["column_spacing"])
        name = _image_id(header, position)
        yield Slice(name, header["patient"], series, path, number, spacing, position)
        previous, number = position, number + 1


def _in_file(path: str, header: Header, series: str) -> Iterator[Slice]:
    """The slices of a file that holds many, numbered through its stacks."""
    number = 0
    for index, stack in enumerate(frames.from_text(header["frames"])):
        name = series if index == 0 else f"{series} stack {index + 1}"
        for position in stack.positions:
            image_id = f"{_image_id(header, position)}_{number:04d}"
            yield Slice(image_id, header["patient"], name, path, number, fields.pair(*stack.spacing), position)
            number += 1


def _image_id(header: Header, position: float) -> str:
    return re.sub(r"[^\w.+-]", "_", f"{header['patient']}_z{position:+.1f}_{header['instance'][:8]}")


def _note_unidentified(headers: Mapping[str, Header]) -> None:
    """Log how many patients have no identifier, by what they are counted instead."""
    patients: dict[str, set[str]] = defaultdict(set)
    for header in headers.values():
        patients[header.get("identified_by", "")].add(header["patient"])
    for kind, word in COUNTED_BY.items():
        if patients[kind]:
            log.warning("Patients without an identifier are counted by %s: %d.", word, len(patients[kind]))
