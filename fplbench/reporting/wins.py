"""In how many rows the reference method of a table wins, with noises that are the same model counted as one row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fplbench.reporting.labels import METRICS, sign
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import SAME_MODEL, rivals, verdicts


@dataclass(frozen=True)
class Wins:
    """What came out in the rows of some tables; noises that are the same model are one row.

    Attributes:
        rows: number of rows.
        ahead: in how many the reference method has the better mean than its rival, in all parts of a row.
        best: in how many its mean is the best of all methods, in all parts of a row.
        below_noisy: in how many the unprocessed image has the better mean, in any part of a row; None if it was not scored, or
            is the reference itself.
        better: in how many the verdict is `better`, in all parts of a row; None where there are no verdicts.
        worse: in how many it is `worse`, in any part of a row.
        undecided: in how many it is neither.
    """

    rows: int
    ahead: int
    best: int
    below_noisy: int | None = None
    better: int | None = None
    worse: int | None = None
    undecided: int | None = None


def row_groups(noises: Iterable[str]) -> list[tuple[str, ...]]:
    """The noises in rows as they are counted: those that are the same model together."""
    groups: dict[str, list[str]] = {}
    for noise in noises:
        groups.setdefault("" if noise in SAME_MODEL else noise, []).append(noise)
    return [tuple(group) for group in groups.values()]


def count_wins(table: Table, metric: str) -> Wins:
    """Count the rows of a block."""
    gaps = {rival.noise: rival.gap for rival in rivals(table, metric)}
    rows = {noise: table.blocks[metric][noise] for noise in gaps}
    noisy = {
        noise: sign(metric) * (cells[table.reference].mean - cells["noisy"].mean)
        for noise, cells in rows.items()
        if "noisy" in cells and table.reference != "noisy"
    }
    outcomes = {verdict.noise: verdict.outcome for verdict in verdicts(table, metric)}
    groups = row_groups(gaps)
    judged = row_groups(outcomes)
    better = _count(judged, lambda noise: outcomes[noise] == "better")
    worse = _count(judged, lambda noise: outcomes[noise] == "worse", any)
    return Wins(
        rows=len(groups),
        ahead=_count(groups, lambda noise: gaps[noise] > 0),
        best=_count(groups, lambda noise: rows[noise][table.reference].best),
        below_noisy=_count(row_groups(noisy), lambda noise: noisy[noise] < 0, any) if noisy else None,
        better=better if outcomes else None,
        worse=worse if outcomes else None,
        undecided=len(judged) - better - worse if outcomes else None,
    )


def wins_sentence(tables: Sequence[Table], metric: str = "psnr") -> str:
    """How often the reference method is ahead of its rival, and how rows are counted; "" if it was not scored."""
    counts = [count_wins(table, metric) for table in tables if rivals(table, metric)]
    if not counts:
        return ""
    ahead, rows = sum(count.ahead for count in counts), sum(count.rows for count in counts)
    name = tables[0].labels.method(tables[0].reference)
    return sentences(f"{METRICS[metric].label}: {name} is ahead of its rival in {ahead} of {rows} rows", same_model(tables))


def same_model(tables: Iterable[Table]) -> str:
    """Which noises count as one row, as they are the same model; "" where there are none."""
    for table in tables:
        if any(set(SAME_MODEL) <= set(block) for block in table.blocks.values()):
            names = " and ".join(table.labels.noise_title(noise) for noise in SAME_MODEL)
            return f"{names} are the same model at two levels and count as one row, which is won only if both are."
    return ""


def _count(groups: Iterable[tuple[str, ...]], holds: Callable[[str], bool], over: Callable[[Iterable[bool]], bool] = all) -> int:
    return sum(over(holds(noise) for noise in group) for group in groups)
