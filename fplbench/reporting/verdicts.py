"""How the reference method of a table compares with the best other one in each row."""

from dataclasses import dataclass

from fplbench.reporting.labels import sign
from fplbench.reporting.statistics import Lead, holm
from fplbench.reporting.tables import Table

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Rival:
    """The best other method than the reference in one row, the unprocessed image included.

    Attributes:
        noise: the row.
        method: the best other method.
        gap: by how much the reference method is better, positive if it is.
    """

    noise: str
    method: str
    gap: float


@dataclass(frozen=True)
class Verdict:
    """How the reference method compares with the best other one, or the unprocessed image, in one row.

    Attributes:
        noise: the row.
        rival: the best other method.
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
    """The best other method than the reference in every row of a block; empty for metrics of which neither end is better."""
    found = []
    for noise, cells in table.blocks.get(metric, {}).items() if sign(metric) else ():
        others = [(sign(metric) * cell.mean, method) for method, cell in cells.items() if method != table.reference]
        if table.reference in cells and others:
            best, method = max(others, key=lambda row: row[0])
            found.append(Rival(noise, method, sign(metric) * cells[table.reference].mean - best))
    return found


def verdicts(table: Table, metric: str) -> list[Verdict]:
    """Compare the reference method with the best other one in every row of a block.

    Rows with too few units for an interval have no verdict; it is empty if the reference method was not scored.
    """
    found: list[tuple[str, str, Lead]] = []
    for rival in rivals(table, metric):
        lead = table.blocks[metric][rival.noise][rival.method].lead
        if lead is not None:
            found.append((rival.noise, rival.method, lead))
    adjusted = holm([lead.p for _, _, lead in found])
    return [Verdict(*row, p) for row, p in zip(found, adjusted, strict=True)]
