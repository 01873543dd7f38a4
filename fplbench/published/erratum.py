"""What is wrong or doubtful in the published tables, as data."""

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

ANY = "*"
TEXT = "text"
"""Kind of the errata of the paper's text: it says something that the numbers do not show, and the numbers are not in doubt."""


class Erratum(NamedTuple):
    """What is known about some cells of the published tables.

    Attributes:
        dataset: name of the data set; "*" is every one, as in the next three.
        metric: psnr or ssim.
        noise: name of the noise.
        method: name of the method.
        kind: overflow (the signs of 8-bit overflow), bold (bold face on a value that is not the best of its row), repeated (the
            value of another row), extra_row (a row that the other tables lack), missing (no value), name (the paper names the
            noise in two ways) or text (the paper's text differs from the numbers).
        note: the same in a sentence or two.
    """

    dataset: str
    metric: str
    noise: str
    method: str
    kind: str
    note: str

    def covers(self, dataset: str, metric: str, noise: str, method: str) -> bool:
        """Whether it is about a cell."""
        cell = (dataset, metric, noise, method)
        return all(own in (ANY, name) for own, name in zip(self[:4], cell, strict=True))


@cache
def errata() -> tuple[Erratum, ...]:
    """All errata of Tables 2 to 4, those of whole blocks first. The numbers in the notes are checked in this package's tests."""
    _, *rows = csv.reader((files("fplbench.published") / "errata.csv").read_text(encoding="utf-8").splitlines())
    return tuple(Erratum(*row) for row in rows)
