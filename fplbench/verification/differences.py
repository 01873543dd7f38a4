"""The first difference between two files or two configs, in words."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

TOLERANCE = 1e-6
"""Largest relative difference of numbers that still count as equal: some scores are sums of 32-bit numbers, whose order differs
between processors."""
LEAST = 1e-9
"""Numbers that differ by less than this count as equal, such as a bias of zero."""
CONTEXT = 30
MISSING = "nothing"

Row = Mapping[str, str]


@dataclass(frozen=True)
class TableDifference:
    """How a table of a run differs from the same one computed again.

    Attributes:
        words: the first difference: line, row, column, both values; "" if there is none.
        rows: number of rows that were compared.
        rounded: number of values that are not the same to the last digit, but within `TOLERANCE`.
    """

    words: str
    rows: int = 0
    rounded: int = 0


def table_difference(
    recorded: Path, rebuilt: Path, keys: Sequence[str], wanted: Callable[[Row], bool] | None = None
) -> TableDifference:
    """Compare two .csv tables row by row.

    Args:
        recorded: the table of the run.
        rebuilt: the same, computed again.
        keys: the columns that say which row it is.
        wanted: which rows of the recorded table to compare; None compares all.
    """
    try:
        with open(recorded, newline="", encoding="utf-8") as one, open(rebuilt, newline="", encoding="utf-8") as other:
            left, right = csv.DictReader(one), csv.DictReader(other)
            if left.fieldnames != right.fieldnames:
                return TableDifference(_columns_differ(left.fieldnames or (), right.fieldnames or ()))
            return _first_difference(_pairs(left, right, wanted), keys)
    except (UnicodeDecodeError, csv.Error) as error:
        return TableDifference(f"which is not a .csv table: {error}")


def _first_difference(pairs: Iterator[tuple[int, Row | None, Row | None]], keys: Sequence[str]) -> TableDifference:
    rows = rounded = 0
    for line, row, twin in pairs:
        if row is None or twin is None:
            only = "is missing" if row is None else "should not be there"
            return TableDifference(f"line {line}: the row of {_named(row or twin or {}, keys)} {only}", rows, rounded)
        if None in row or None in row.values():
            return TableDifference(f"line {line}: the number of values differs from the header", rows, rounded)
        rows += 1
        for column, value in twin.items():
            if row[column] == value:
                continue
            if not _near(row[column], value):
                where = f"line {line} ({_named(twin, keys)}), column {column}"
                return TableDifference(f"{where}: {row[column]!r} in the file, {value!r} computed again", rows, rounded)
            rounded += 1
    return TableDifference("", rows, rounded)


def text_difference(recorded: str, rebuilt: str) -> str:
    """The first place in which two texts differ: the line, and what each has there; "" if they are equal."""
    for line, (one, other) in enumerate(zip_longest(recorded.splitlines(), rebuilt.splitlines()), start=1):
        if one != other:
            return f"line {line}: {_excerpt(one, other)} in the file, {_excerpt(other, one)} made again"
    return "" if recorded == rebuilt else "the ends of lines differ"


def config_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The dotted keys whose values differ, with both values as JSON text, "missing" where a key is."""
    left, right = dict(_flat(one)), dict(_flat(other))
    return {key: (_shown(left, key), _shown(right, key)) for key in {**left, **right} if _shown(left, key) != _shown(right, key)}


def _pairs(
    left: Iterator[dict[str, str]], right: Iterator[dict[str, str]], wanted: Callable[[Row], bool] | None
) -> Iterator[tuple[int, Row | None, Row | None]]:
    """Rows of both tables with the line of the first; None where one table has ended."""
    line = 1
    kept = ((number, row) for number, row in enumerate(left, start=2) if wanted is None or wanted(row))
    for pair, twin in zip_longest(kept, right):
        line = pair[0] if pair else line + 1
        yield line, pair[1] if pair else None, twin


def _columns_differ(found: Sequence[str], expected: Sequence[str]) -> str:
    for number, (one, other) in enumerate(zip_longest(found, expected), start=1):
        if one != other:
            return f"column {number} is {one or MISSING!r}; it should be {other or MISSING!r}"
    return "the columns differ"


def _named(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {row[key]}" for key in keys if row.get(key))


def _near(one: str, other: str) -> bool:
    try:
        return math.isclose(float(one), float(other), rel_tol=TOLERANCE, abs_tol=LEAST)
    except (TypeError, ValueError):
        return False


def _excerpt(line: str | None, other: str | None) -> str:
    """The part of a line around the first character that differs from the other one."""
    if line is None:
        return MISSING
    pairs = zip(line, other or "", strict=False)
    same = next((place for place, (one, twin) in enumerate(pairs) if one != twin), min(len(line), len(other or "")))
    start, end = max(0, same - CONTEXT), same + CONTEXT
    return f"{'…' if start else ''}{line[start:end]!r}{'…' if end < len(line) else ''}"


def _flat(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def _shown(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "missing"
