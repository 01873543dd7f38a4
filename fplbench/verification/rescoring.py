"""Score the stacks of a run again, and compare with its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fplbench.scoring.cells import ValidationStacks, score_cell
from fplbench.scoring.collation import KEYS
from fplbench.scoring.comparison import INSERTED, VALIDATION
from fplbench.scoring.registry import image_metrics
from fplbench.verification.differences import TableDifference, table_difference
from fplbench.verification.recorded import IMAGES, RecordedCell, Row

NAMES = (*KEYS, "lesion_id")
"""Columns that say which row it is."""


@dataclass(frozen=True)
class Rescored:
    """What scoring a cell again found.

    Attributes:
        stacks: number of denoised stacks that were scored.
        gone: the methods of those that were not kept, or could not be scored, one for each stack.
        differences: the outcome by table, as its path from the folder of the run.
    """

    stacks: int
    gone: Sequence[str]
    differences: Mapping[Path, TableDifference] = field(default_factory=dict)


def rescore(cell: RecordedCell, threads: int = 1) -> Rescored:
    """Score the denoised stacks that were kept by the function that `fplbench score` calls, and compare with the tables.

    Raises:
        InputError: a stack or an index is missing or malformed.
    """
    stacks = cell.stacks()
    kept = {kind: {method: path for method, path in found.items() if path.exists()} for kind, found in stacks.items()}
    if not kept[IMAGES]:
        return Rescored(0, [method for found in stacks.values() for method in found])
    gone = [method for kind, found in stacks.items() for method in found if method not in kept[kind]]
    number = sum(map(len, kept.values()))
    with TemporaryDirectory() as folder:
        _score(cell, kept, Path(folder), threads)
        made = [table for table in cell.tables if Path(folder, table).exists()]
        return Rescored(number, gone, {table: _compare(cell, table, Path(folder, table), kept) for table in made})


def _score(cell: RecordedCell, kept: Mapping[str, Mapping[str, Path]], folder: Path, threads: int) -> None:
    held_out = None
    if kept[VALIDATION]:
        lesions = folder / cell.validation_lesions if cell.validation_lesions in cell.tables else None
        stacks = [*kept[VALIDATION].values()]
        held_out = ValidationStacks(cell.clean("validation"), stacks, folder / cell.validation, lesions)
    columns = next(iter(cell.tables[cell.scores]), {})
    score_cell(
        cell.clean("test"),
        [*kept[IMAGES].values()],
        folder / cell.scores,
        metrics=[name for name in image_metrics() if name in columns],
        lesion_scores=folder / cell.lesions if cell.lesions in cell.tables else None,
        inserted_clean=cell.clean("inserted_test") if kept[INSERTED] else None,
        inserted=[*kept[INSERTED].values()],
        threads=threads,
        validation=held_out,
    )


def _compare(cell: RecordedCell, table: Path, rebuilt: Path, kept: Mapping[str, Mapping[str, Path]]) -> TableDifference:
    def wanted(row: Row) -> bool:
        return row["method"] in kept[cell.kind_of(table, row)]

    return table_difference(cell.folder / table, rebuilt, NAMES, wanted)
