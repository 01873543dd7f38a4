"""What the HTML pages show for one data set: means with intervals, and verdicts."""

from collections.abc import Iterator, Sequence

from fplbench.datasets.annotations import count
from fplbench.reporting import html
from fplbench.reporting.cells import Cell
from fplbench.reporting.choices import choice_note
from fplbench.reporting.labels import METRICS, heading
from fplbench.reporting.latex import TIED_MARK
from fplbench.reporting.notes import caption, interval_notes, remarks, units_of
from fplbench.reporting.seeds import spread, spread_note
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import verdicts

OPEN = 2
"""The first so many blocks of means are always open; a report folds the others."""


def table_section(table: Table) -> str:
    """Everything about one data set, as HTML."""
    return "".join(html.text("h2", title) + part for title, part in table_parts(table).items())


def table_parts(table: Table, fold: bool = False) -> dict[str, str]:
    """Means and verdicts, as HTML by title; those that there are.

    Args:
        table: the table.
        fold: fold long tables of numbers.
    """
    parts = {
        "Means": means_tables(table, fold),
        "Compared with rivals": verdict_table(table, fold),
    }
    return {title: part for title, part in parts.items() if part}


def means_tables(table: Table, fold: bool = False) -> str:
    """Means with their intervals, in one block for each metric; with `fold`, all but the first blocks are folded."""
    note = spread_note(table, table.shown)
    text = sentences(
        caption(table, table.shown, second=True, tied=TIED_MARK),
        f"In square brackets, below the mean of several trainings: {note}" if note else "",
    )
    metrics = table.shown_blocks
    opened = metrics[:OPEN] if fold else metrics
    below = [*remarks(table, table.shown), *interval_notes(table, table.shown)]
    further = (html.folded(_rows(table, metric), _means(table, [metric])) for metric in metrics[len(opened) :])
    return "".join([_means(table, opened, text), *further, html.notes(below)])


def verdict_table(table: Table, fold: bool = False) -> str:
    """The reference method compared with its rival in each row; "" if it was not scored, or on too few patients."""
    judged = [metric for metric in table.shown_blocks if verdicts(table, metric)]
    if not judged:
        return ""
    bodies = [list(_verdict_rows(table, metric)) for metric in judged]
    outcomes = [verdict.outcome for metric in judged for verdict in verdicts(table, metric)]
    reference = table.labels.method(table.reference)
    seeds = max(table.seeds.values(), default=1) >= MINIMUM_SEEDS
    both = f", or Student's over {units_of(table, judged)} and seeds where a network has several" if seeds else ""
    text = sentences(
        f"{reference} compared with its rival in each row; the unprocessed image may be it. {choice_note([table], judged)}",
        f"Lead: by how much {reference} is better on the test images, with its 95 % interval from the same paired draws",
        f"p: paired permutation test over {units_of(table, judged)}{both}; adjusted for the rows of a block (Holm)",
    )
    names = ("Noise Type", "Rival", "Lead", "p", "Verdict")
    head = [
        html.text("td", ""),
        *(html.text("th", name, class_="" if name in ("Lead", "p") else "text", scope="col") for name in names),
    ]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in ("better", "undecided", "worse"))
    found = html.table(text, head, bodies, f"{table.labels.dataset(table.dataset)}: verdicts")
    return html.folded(f"{reference} in {count(len(outcomes), 'row')}: {counts}", found) if fold else found


def _means(table: Table, metrics: Sequence[str], text: str = "") -> str:
    label = f"{table.labels.dataset(table.dataset)}: {', '.join(heading(metric) for metric in metrics)}"
    return html.table(text, _head(table, table.methods), [_block(table, metric) for metric in metrics], label)


def _rows(table: Table, metric: str) -> str:
    return f"{heading(metric)}, {count(len(table.blocks[metric]), 'row')}"


def _head(table: Table, methods: Sequence[str]) -> list[str]:
    first = [html.text("td", ""), html.text("th", "Noise Type", class_="text", scope="col")]
    return first + [html.text("th", table.labels.method(method), scope="col") for method in methods]


def _block(table: Table, metric: str) -> Iterator[str]:
    for i, (noise, cells) in enumerate(table.blocks[metric].items()):
        yield _row_start(table, metric, noise, 0 if i else len(table.blocks[metric])) + "".join(
            _mean(cells.get(name), metric) for name in table.methods
        )


def _row_start(table: Table, metric: str, noise: str, rows: int) -> str:
    """The cell that names the noise, in the first row after the one that names the block, which spans all its rows.

    Args:
        table: the table.
        metric: the block.
        noise: the row.
        rows: number of rows of the block in the first one, 0 in the others.
    """
    block = html.text("th", heading(metric), class_="block", rowspan=str(rows), scope="rowgroup") if rows else ""
    return block + html.text("th", table.labels.noise(noise), scope="row")


def _mean(cell: Cell | None, metric: str) -> str:
    if cell is None:
        return html.text("td", "–")
    digits = METRICS[metric].digits
    trained = spread(cell)
    bounds = []
    if cell.low is not None and cell.over == "units":
        bounds.append(html.text("small", f"{cell.low:.{digits}f} – {cell.high:.{digits}f}"))
    if trained:
        bounds.append(html.text("small", f"[{trained[0]:.{digits}f} – {trained[1]:.{digits}f}]"))
    number = f"{cell.mean:.{digits}f}"
    number = html.text("u", number) if cell.second else number
    tied = TIED_MARK if cell.tied else ""
    return html.element("td", number + tied, *bounds, class_="best" if cell.best else "")


def _verdict_rows(table: Table, metric: str) -> Iterator[str]:
    digits = METRICS[metric].digits + 1
    found = verdicts(table, metric)
    for i, verdict in enumerate(found):
        lead = verdict.lead
        bounds = html.text("small", f"{lead.low:+.{digits}f} to {lead.high:+.{digits}f}")
        yield "".join(
            [
                _row_start(table, metric, verdict.noise, 0 if i else len(found)),
                html.text("td", table.labels.method(verdict.rival), class_="text"),
                html.element("td", f"{lead.value:+.{digits}f}", bounds),
                html.text("td", f"{verdict.p:.4f}"),
                html.text("td", verdict.outcome, class_=f"text {verdict.outcome}"),
            ]
        )
