"""The training log: one csv row for each group of steps."""

import csv
from collections.abc import Mapping
from pathlib import Path

from fplbench.files import replacing

OPTIONAL = "validation_"
"""The columns that begin so are empty in rows without a score of the validation images."""


class TrainingLog:
    """Rows of a training, kept in a csv file as they come.

    Args:
        path: the csv file.
        columns: names of the columns; the first is `step`.
        done: steps that a resumed training has behind it: rows beyond them are dropped.
    """

    def __init__(self, path: Path, columns: list[str], done: int):
        self.path = path
        self.columns = columns
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = _read(path, columns) if done else []
        with replacing(path) as temporary, open(temporary, "w", newline="") as stream:
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in rows if int(row["step"]) <= done)

    def append(self, row: Mapping[str, object]) -> None:
        """Add one row."""
        with open(self.path, "a", newline="") as stream:
            csv.DictWriter(stream, self.columns, lineterminator="\n").writerow(row)


def _read(path: Path, columns: list[str]) -> list[dict[str, str]]:
    """Whole rows of a log; a kill can leave the last one cut short."""
    required = [name for name in columns if not name.startswith(OPTIONAL)]
    if not path.exists():
        return []
    with open(path, newline="") as stream:
        return [row for row in csv.DictReader(stream) if list(row) == columns and all(row[name] for name in required)]
