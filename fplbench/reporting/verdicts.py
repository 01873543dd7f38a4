"""How the reference method of a table compares with its rival, another method, in each row."""

from dataclasses import dataclass
from typing import Literal

from fplbench.reporting.cells import Lead
from fplbench.reporting.labels import sign
from fplbench.reporting.statistics import SIGNIFICANCE, holm
from fplbench.reporting.tables import Table

SAME_MODEL = ("gaussian", "thermal")
"""Noises that are the same model with another level: they count as one row in the number of wins."""


@dataclass(frozen=True)
class Rival:
    """Another method than the reference that it is compared with in one row; the unprocessed image may be it.

    It is the best one on validation images, by the metric of the row or, where that is not scored there, by PSNR. Without
    scores of validation images it is the best one on the test images.

    Attributes:
        noise: the row.
        method: the rival.
        gap: by how much the reference method is better on the test images, positive if it is.
        chosen_on: whether the rival was chosen on validation or on test images.
        chosen_by: the metric by which it was chosen.
    """

    noise: str
    method: str
    gap: float
    chosen_on: Literal["validation", "test"] = "test"
    chosen_by: str = ""


@dataclass(frozen=True)
class Verdict:
    """How the reference method compares with its rival in one row.

    Attributes:
        noise: the row.
        rival: the rival.
        lead: by how much the reference method is better.
        p: p-value, adjusted for the number of rows in the block.
    """

    noise: str
    rival: str
    lead: Lead
    p: float

    @property
    def outcome(self) -> str:
        """Either `better` or `worse` if the adjusted p-value is below 0.05, else `undecided`."""
        if self.p >= SIGNIFICANCE:
            return "undecided"
        return "better" if self.lead.value > 0 else "worse"


def rivals(table: Table, metric: str) -> list[Rival]:
    """The rival of the reference in every row of a block; empty for metrics of which neither end is better."""
    found = []
    for noise, cells in table.blocks.get(metric, {}).items() if sign(metric) else ():
        others = {method: cell.mean for method, cell in cells.items() if method != table.reference}
        if table.reference in cells and others:
            validation = table.validation.get(noise, {})
            by = metric if metric in validation else "psnr"
            means = {method: mean for method, mean in validation.get(by, {}).items() if method in others}
            on: Literal["validation", "test"] = "validation" if means else "test"
            means, by = (means, by) if means else (others, metric)
            method = max(means, key=lambda name: sign(by) * means[name])
            gap = sign(metric) * (cells[table.reference].mean - others[method])
            found.append(Rival(noise, method, gap, on, by))
    return found


def verdicts(table: Table, metric: str) -> list[Verdict]:
    """Compare the reference method with its rival in every row of a block.

    Rows with too few units for an interval have no verdict; it is empty if the reference method was not scored.
    """
    found: list[tuple[str, str, Lead]] = []
    for rival in rivals(table, metric):
        lead = table.blocks[metric][rival.noise][rival.method].lead
        if lead is not None:
            found.append((rival.noise, rival.method, lead))
    adjusted = holm([lead.p for _, _, lead in found])
    return [Verdict(*row, p) for row, p in zip(found, adjusted, strict=True)]
