"""From the headers of files to slices: series, stacks and order."""

import logging
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fplbench.datasets.formats import fields, frames
from fplbench.datasets.formats.planes import Axes, direction
from fplbench.datasets.persons import PATIENT
from fplbench.datasets.registry import DatasetOptions, Header, Slice

log = logging.getLogger(__name__)

Member = tuple[str, Header]
"""The path of a file, and its header."""


def arrange_series(headers: dict[str, Header], options: DatasetOptions, name: str = "") -> tuple[list[Slice], dict[str, str]]:
    """Group the files by series and order their slices by position.

    Images of one series that differ in size, spacing, orientation, echo time, time or b-value are different stacks, as are the
    repetitions of MR. The first stack, by instance numbers, has the name of the series, and the others are numbered. A file
    with several slices has stacks of its own. Copies are left out, and second images at a position.

    Args:
        headers: the headers by path relative to the root.
        options: options of the data set.
        name: name of the data set.

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
    for uid in sorted(series):
        members = list(series[uid].values())
        files = [member for member in members if member[1].get("frames")]
        stacks = _stacks([member for member in members if not member[1].get("frames")])
        for number, stack in enumerate(stacks):
            slices.extend(_ordered(stack, uid if number == 0 else f"{uid} stack {number + 1}", omitted))
        for path, header in files:
            slices.extend(_in_file(path, header, uid if len(members) == 1 else f"{uid} {header['instance']}"))
    for note, count in Counter(header.get("note") for header in headers.values()).items():
        if note:
            log.warning("%d of %d files: %s", count, len(headers), note)
    return slices, omitted


def checked_stack(text: str) -> str:
    """Return the text that says which stack an image belongs to; ValueError if it is damaged."""
    if text:
        _axes(text.partition(";")[0])
    return sys.intern(text)


def _stacks(members: Sequence[Member]) -> list[Sequence[Member]]:
    """The stacks of a series, in the order of their first images."""
    found: dict[tuple[Any, ...], list[Member]] = defaultdict(list)
    known: list[Axes] = []
    for path, header in sorted(members, key=lambda member: (member[1]["order"], member[1]["instance"])):
        found[_kind(header, known)].append((path, header))
    return [part for stack in found.values() for part in _repetitions(stack)]


def _kind(header: Header, known: list[Axes]) -> tuple[Any, ...]:
    """What the images of a stack have in common; `known` has the axes of the stacks so far. LIDC-IDRI has one stack a series."""
    if "stack" not in header:
        return ()
    axes, _, variant = header["stack"].partition(";")
    size = header["rows"], header["columns"], header["row_spacing"], header["column_spacing"]
    return direction(_axes(axes), known), variant, *size


@lru_cache
def _axes(text: str) -> Axes:
    a, b, c, d, e, f = (float(part) for part in text.split())
    return (a, b, c), (d, e, f)


def _repetitions(stack: Sequence[Member]) -> list[Sequence[Member]]:
    """A stack, cut into its repetitions where positions repeat: images of other acquisition, trigger or inversion times.

    Without such a difference, images at the same position stay together.
    """
    texts: dict[float, list[str]] = defaultdict(list)
    for _, header in stack:
        if header.get("repeat", "") not in texts[header["position"]]:
            texts[header["position"]].append(header.get("repeat", ""))
    if max(map(len, texts.values())) == 1:
        return [stack]
    counted = {(position, text): place for position, own in texts.items() for place, text in enumerate(own)}
    numbers: Mapping[tuple[float, str], Any] = _by_value(texts) or counted
    found: dict[Any, list[Member]] = defaultdict(list)
    for path, header in stack:
        found[numbers[header["position"], header["repeat"]]].append((path, header))
    return list(found.values())


def _by_value(texts: Mapping[float, Sequence[str]]) -> dict[tuple[float, str], str] | None:
    """The one value that tells repetitions apart, for each position and text; None if there is no such value.

    It occurs once at a position, and as many values occur as there are repetitions. A time often is no such value, as each
    slice has its own; the repetitions are then in the order of their instance numbers.
    """
    most = max(map(len, texts.values()))
    for values in zip(*(text.split(";") for own in texts.values() for text in own), strict=True):
        found = dict(zip(((position, text) for position, own in texts.items() for text in own), values, strict=True))
        if len({*values}) == most and len({(position, value) for (position, _), value in found.items()}) == len(found):
            return found
    return None


def _ordered(stack: Sequence[Member], series: str, omitted: dict[str, str]) -> Iterator[Slice]:
    """The slices of a stack of single images, by position; second images at a position are omitted."""
    previous, number = None, 0
    for path, header in sorted(stack, key=lambda item: (item[1]["position"], item[1]["order"], item[1]["instance"])):
        position = header["position"]
        if position == previous:
            omitted[path] = "a second image at the same position in its series"
            continue
        spacing = fields.pair(header["row_spacing"], header["column_spacing"])
        yield _slice(header, series, path, number, _image_id(header, position), position, spacing)
        previous, number = position, number + 1


def _in_file(path: str, header: Header, series: str) -> Iterator[Slice]:
    """The slices of a file that holds many, numbered through its stacks."""
    number = 0
    for index, stack in enumerate(frames.from_text(header["frames"])):
        name = series if index == 0 else f"{series} stack {index + 1}"
        for position in stack.positions:
            image_id = f"{_image_id(header, position)}_{number:04d}"
            yield _slice(header, name, path, number, image_id, position, fields.pair(*stack.spacing))
            number += 1


def _slice(
    header: Header, series: str, path: str, number: int, image_id: str, position: float, spacing: tuple[float, float] | None
) -> Slice:
    known_by = header.get("identified_by", PATIENT)
    return Slice(image_id, header["patient"], series, path, number, spacing, position, identified_by=known_by)


def _image_id(header: Header, position: float) -> str:
    return re.sub(r"[^\w.+-]", "_", f"{header['patient']}_z{position:+.1f}_{header['instance'][:8]}")
