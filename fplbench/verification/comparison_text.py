"""A comparison of two runs as lines of text, and as rows of a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from fplbench.reporting.labels import METRICS, heading
from fplbench.verification.checks import counted
from fplbench.verification.comparing import CellDifference, Comparison, Key
from fplbench.verification.differences import config_differences
from fplbench.verification.results import Results

AXES = ("dataset", "noise", "metric", "method")
MADE_WITH = ("fplbench", "git", "python", "packages", "hardware", "devices", "threads", "torch", "seed")
FOLDERS = {"data": "data", "noisy": "noisy stacks", "models": "weights", "denoised": "denoised stacks"}
LONGEST, MOST_KEYS = 60, 25


def describe(found: Comparison, a: Results, b: Results, top: int = 10) -> Iterator[str]:
    """What two runs have in common and how they differ.

    Args:
        found: their comparison.
        a: the first run.
        b: the second.
        top: how many cells to list for each metric, those with the largest differences, and how many lines of cells that one
            run has alone.
    """
    yield f"A: {a.folder}, made {a.manifest.get('created')}"
    yield f"B: {b.folder}, made {b.manifest.get('created')}"
    yield from _changes("config", a.manifest["config"], b.manifest["config"])
    made = [{key: run.manifest[key] for key in MADE_WITH if key in run.manifest} for run in (a, b)]
    yield from _changes("made with", *made)
    yield from _files(a, b)
    yield from _differing(found, top)
    for name, own in (("A", found.only_a), ("B", found.only_b)):
        if own:
            words = grouped(own, [*(cell.key for cell in found.cells), *own])
            yield f"{counted(len(own), 'cell')} in {name} alone:"
            yield from (f"  {each}" for each in words[:top])
            if len(words) > top:
                yield f"  and {len(words) - top:,} more lines"


def csv_rows(found: Comparison) -> Iterator[dict[str, Any]]:
    """A row for each cell, those of one run alone at the end, unrounded."""
    for cell in found.cells:
        ends = {"low": "", "high": ""} if cell.low is None else {"low": cell.low, "high": cell.high}
        values = {"a": cell.a, "b": cell.b, "difference": cell.difference, **ends}
        yield {**_named(cell.key), **values, "units": cell.units, "note": cell.why}
    for name, keys in (("A", found.only_a), ("B", found.only_b)):
        for key in keys:
            blank = dict.fromkeys(("a", "b", "difference", "low", "high", "units"), "")
            yield {**_named(key), **blank, "note": f"in {name} alone"}


def grouped(keys: Iterable[Key], every: Sequence[Key]) -> list[str]:
    """Cells in few words: whole data sets, noises, metrics and methods first.

    Args:
        keys: the cells to describe.
        every: all cells of the same run.
    """
    left = dict.fromkeys(keys)
    found = []
    for axis, name in enumerate(("data set", *AXES[1:])):
        values = [
            value for value in dict.fromkeys(key[axis] for key in left) if all(key in left for key in every if key[axis] == value)
        ]
        left = dict.fromkeys(key for key in left if key[axis] not in values)
        found += [f"{name if len(values) == 1 else name + 's'} {', '.join(values)}"] if values else []
    for dataset, noise in dict.fromkeys(key[:2] for key in left):
        rest = [key[2:] for key in left if key[:2] == (dataset, noise)]
        methods, metrics = (", ".join(dict.fromkeys(names)) for names in ([m for _, m in rest], [m for m, _ in rest]))
        found.append(f"{dataset}, {noise}: {methods} ({metrics})")
    return found


def _differing(found: Comparison, top: int) -> Iterator[str]:
    """The cells of both runs that differ."""
    if not found.cells:
        yield "The runs have no cell in common."
        return
    cells = [cell for cell in found.cells if not cell.same]
    if not cells:
        yield f"All {counted(len(found.cells), 'cell')} that both have {'is' if len(found.cells) == 1 else 'are'} identical."
        return
    yield f"{counted(len(cells), 'cell')} of {len(found.cells):,} that both have {'differs' if len(cells) == 1 else 'differ'}:"
    for metric, own in groupby(cells, key=lambda cell: cell.key[2]):
        yield from _block(metric, [*own], top)
    yield from _why(cells)


def _changes(what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    changes = config_differences(one, other)
    if changes:
        yield f"{what}: {counted(len(changes), 'difference')}"
    for key, (left, right) in list(changes.items())[:MOST_KEYS]:
        yield f"  {key}: {_short(left)} in A, {_short(right)} in B"
    if len(changes) > MOST_KEYS:
        yield f"  and {len(changes) - MOST_KEYS} more"


def _files(a: Results, b: Results) -> Iterator[str]:
    """How many files of each kind differ, of those that both manifests list."""
    one, other = a.manifest["files"], b.manifest["files"]
    found = []
    for folder, what in FOLDERS.items():
        names = [name for name in one if name.startswith(f"{folder}/") and name in other]
        if names:
            changed = sum(one[name].get("sha256") != other[name].get("sha256") for name in names)
            found.append(f"{changed:,} of {len(names):,} files of {what}")
    if found:
        yield f"files that differ: {', '.join(found)}"


def _block(metric: str, cells: Sequence[CellDifference], top: int) -> Iterator[str]:
    digits = METRICS[metric].digits + 1
    more = f", {min(top, len(cells))} largest" if len(cells) > top else ""
    yield f"{heading(metric)}, {counted(len(cells), 'cell')}{more}: A, B, B - A"
    names = [" ".join((*cell.key[:2], cell.key[3])) for cell in cells[:top]]
    width = max(map(len, names), default=0)
    for name, cell in zip(names, cells, strict=False):
        ends = "" if cell.low is None else f"  ({cell.low:+.{digits}f} to {cell.high:+.{digits}f})"
        yield f"  {name:<{width}}  {cell.a:.{digits}f}  {cell.b:.{digits}f}  {cell.difference:+.{digits}f}{ends}"


def _why(cells: Sequence[CellDifference]) -> Iterator[str]:
    """What the intervals are, and why some cells have none."""
    if any(cell.low is not None for cell in cells):
        yield "In parentheses: 95 % interval of the difference, paired over patients or lesions, not over training seeds."
    for why in dict.fromkeys(cell.why for cell in cells if cell.why):
        yield f"{counted(sum(cell.why == why for cell in cells), 'cell')} without an interval: {why}."


def _named(key: Key) -> dict[str, str]:
    return dict(zip(AXES, key, strict=True))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
