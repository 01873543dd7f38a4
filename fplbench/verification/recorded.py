"""The scores of one data set and noise as a run has them: which files, which methods, which stacks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.scoring.cells import KEYS, LESION_KEYS
from fplbench.scoring.comparison import INSERTED, VALIDATION

Row = Mapping[str, str]
IMAGES = ""
"""The kind of stacks that hold the test images as they are; the others are INSERTED and VALIDATION."""


@dataclass(frozen=True)
class RecordedCell:
    """The tables of scores of one data set and noise.

    Attributes:
        folder: the folder of the run.
        dataset: the data set.
        noise: the noise.
        tables: rows by the path of the file from there: scores of images and of lesions, the same of validation images. Only
            the first one is always there.
    """

    folder: Path
    dataset: str
    noise: str
    tables: Mapping[Path, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def scores(self) -> Path:
        """Scores of the test images."""
        return Path("scores", self.dataset, f"{self.noise}.csv")

    @property
    def lesions(self) -> Path:
        """Scores of the lesions in the test images, and of inserted ones."""
        return Path("lesion_scores", self.dataset, f"{self.noise}.csv")

    @property
    def validation(self) -> Path:
        """Scores of the validation images."""
        return "validation" / self.scores

    @property
    def validation_lesions(self) -> Path:
        """Scores of the lesions in the validation images."""
        return "validation" / self.lesions

    def clean(self, name: str) -> Path:
        """A clean stack of the data set, such as test."""
        return self.folder / "data" / self.dataset / f"{name}.npy"

    def stacks(self) -> dict[str, dict[str, Path]]:
        """The denoised stacks behind the tables, whether they were kept or not, by kind and method."""
        inserted = [row for row in self.tables.get(self.lesions, ()) if row["inserted"] == "1"]
        methods = {
            IMAGES: methods_of(self.tables[self.scores]),
            INSERTED: methods_of(inserted),
            VALIDATION: methods_of(self.tables.get(self.validation, ())),
        }
        folder = self.folder / "denoised" / self.dataset / self.noise
        return {kind: {method: folder / f"{method}{kind}.npy" for method in found} for kind, found in methods.items()}

    def kind_of(self, table: Path, row: Row) -> str:
        """The kind of stack that a row of a table was made from."""
        if table in (self.validation, self.validation_lesions):
            return VALIDATION
        return INSERTED if row.get("inserted") == "1" else IMAGES


def read_cell(folder: Path, dataset: str, noise: str) -> RecordedCell:
    """Read the tables of one data set and noise.

    Raises:
        InputError: the scores of the test images are missing, or a table is malformed.
    """
    cell = RecordedCell(folder, dataset, noise)
    columns = {cell.scores: KEYS, cell.lesions: LESION_KEYS, cell.validation: KEYS, cell.validation_lesions: LESION_KEYS}
    there = {path: needed for path, needed in columns.items() if (folder / path).exists()}
    if cell.scores not in there:
        raise InputError(f"{cell.scores} is missing.")
    return RecordedCell(folder, dataset, noise, {path: read_csv(folder / path, needed) for path, needed in there.items()})


def methods_of(rows: Iterable[Row]) -> list[str]:
    """The methods in a table, in its order."""
    return list(dict.fromkeys(row["method"] for row in rows))
