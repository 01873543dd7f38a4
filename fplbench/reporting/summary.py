"""The summary of a report: in how many rows the reference method wins and loses, and those that it loses."""

from collections.abc import Mapping, Sequence

from fplbench.reporting import html
from fplbench.reporting.choices import choice_note
from fplbench.reporting.labels import METRICS
from fplbench.reporting.notes import units_of, why_undecided
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import rivals, verdicts
from fplbench.reporting.wins import count_wins, row_groups, wins_sentence

SUMMARY = "summary"
"""The id of the section."""
LISTED = 6
"""Of up to so many blocks, lost rows are listed at once."""


def summary(tables: Sequence[Table]) -> str:
    """How often the reference method is ahead of its rival, and the rows in which it is not; "" if it was not scored.

    Where there are too few patients for verdicts, there are only the numbers of rows; the caption says why.
    """
    metrics = compared(tables)
    if not any(metrics.values()):
        return ""
    decided = any(verdicts(table, metric) for table in tables for metric in metrics[table.dataset])
    reference = tables[0].labels.method(tables[0].reference)
    rows = [[_summary_row(table, metric, decided) for metric in metrics[table.dataset]] for table in tables]
    over = dict.fromkeys(
        units_of(table, [metric for metric in metrics[table.dataset] if verdicts(table, metric)]) for table in tables
    )
    seeds = (
        " and training seeds" if max(number for table in tables for number in (1, *table.seeds.values())) >= MINIMUM_SEEDS else ""
    )
    judged = (
        f"Better and worse: p below 0.05 in a test over {' or '.join(filter(None, over))}{seeds}, adjusted for the rows of the "
        "data set and metric (Holm)"
    )
    caption = sentences(
        f"{reference} compared with another method, its rival, in each row",
        choice_note(tables, list(dict.fromkeys(metric for shown in metrics.values() for metric in shown))),
        f"Ahead: rows in which {reference} has the better mean than its rival. Best: rows in which it has the best mean of all",
        judged if decided else "",
        f"Below noisy: rows in which the unprocessed image scores better than {reference}",
        *undecided(tables, metrics),
    )
    outcomes = ("Better", "Undecided", "Worse") if decided else ()
    head = [
        html.text("th", name, class_="text" if name in ("Data set", "Score") else "", scope="col")
        for name in ("Data set", "Score", "Rows", "Ahead", "Best", *outcomes, "Below noisy")
    ]
    lost = _lost(reference, [_defeats(table, metric) for table in tables for metric in metrics[table.dataset]])
    count = wins_sentence(tables)
    above = html.text("h2", "Summary", id=SUMMARY) + (html.text("p", count) if count else "")
    return above + html.table(caption, head, rows, "Summary") + lost


def compared(tables: Sequence[Table]) -> dict[str, list[str]]:
    """The metrics by which the reference method is compared with others on each data set."""
    return {table.dataset: [metric for metric in table.shown_blocks if rivals(table, metric)] for table in tables}


def undecided(tables: Sequence[Table], metrics: Mapping[str, Sequence[str]]) -> list[str]:
    """Why there are no verdicts, each reason with the data sets that it holds for."""
    reasons: dict[str, list[str]] = {}
    for table in tables:
        for reason in why_undecided(table, metrics[table.dataset]):
            reasons.setdefault(reason, []).append(table.labels.dataset(table.dataset))
    return [f"{reason.removesuffix('.')} ({', '.join(names)})" for reason, names in reasons.items()]


def _summary_row(table: Table, metric: str, decided: bool) -> str:
    found = count_wins(table, metric)
    outcomes = (found.better, found.undecided, found.worse) if decided else ()
    numbers = [
        "–" if number is None else str(number) for number in (found.rows, found.ahead, found.best, *outcomes, found.below_noisy)
    ]
    names = (table.labels.dataset(table.dataset), METRICS[metric].label)
    return "".join([*(html.text("td", name, class_="text") for name in names), *(html.text("td", n) for n in numbers)])


def _lost(reference: str, defeats: Sequence[str]) -> str:
    """The rows of all blocks in which another method is better; a long list is folded."""
    found = html.notes(defeats)
    title = f"Rows in which {reference} is behind its rival, with the rival"
    if len(list(filter(None, defeats))) > LISTED:
        return html.folded(title, found)
    return html.text("p", f"{title}:") + found if found else ""


def _defeats(table: Table, metric: str) -> str:
    """The rows of a block in which another method is better, with that method and by how much; "" if there are none."""
    unit = METRICS[metric].unit
    lost = {
        rival.noise: f"{table.labels.noise(rival.noise)} ({table.labels.method(rival.method)} by "
        f"{-rival.gap:.{METRICS[metric].digits + 1}f}{f' {unit}' if unit else ''})"
        for rival in rivals(table, metric)
        if rival.gap < 0
    }
    rows = [" and ".join(lost[noise] for noise in group) + (" (one row)" if len(group) > 1 else "") for group in row_groups(lost)]
    return f"{table.labels.dataset(table.dataset)}, {METRICS[metric].label}: {', '.join(rows)}" if rows else ""
