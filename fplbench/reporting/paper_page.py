"""The paper beside a run as Markdown and as an HTML page."""

import os
from collections.abc import Iterator, Sequence

from fplbench.denoising.columns import TUNED_MARK
from fplbench.reporting import html
from fplbench.reporting.markdown import aligned, plain
from fplbench.reporting.paper_agreement import Agreement
from fplbench.reporting.paper_cells import Comparison
from fplbench.reporting.paper_marks import marks
from fplbench.reporting.paper_tables import Cell, Grid, order_table, reproduced_table, value_table
from fplbench.reporting.paper_verdict import DIFFERENT, coverage, verdict
from fplbench.reporting.pictures import pictures
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.sentences import sentences

NOTES = "Notes on the published tables"
PICTURE = (
    "For each noise, the published values (diamonds, above) and those of this run (circles, below). The large marker is the "
    "paper's method, a tick is another method, and the line spans them."
)
TUNED = (
    f"Methods marked {TUNED_MARK} have options that were chosen for each noise, while those of the paper are fixed: they are not "
    "the paper's"
)


def markdown(comparison: Comparison, found: Sequence[Agreement], nothing: str, shown: Presentation) -> str:
    """The comparison as Markdown.

    Args:
        comparison: the values.
        found: the agreement of each metric.
        nothing: why nothing can be compared, in a sentence; "" if something can.
        shown: protocol and note of the run.
    """
    parts = [plain(f"# {_title(comparison)}"), *map(plain, _paragraphs(comparison, found, nothing, shown))]
    for grid in _grids(comparison, found, nothing):
        rows = [grid.head, *(row for group in grid.groups for row in group)]
        written = [[_markdown_cell(cell) for cell in row] for row in rows]
        parts += [f"## {grid.title}", grid.caption, aligned(written, grid.text_columns)]
    if comparison.rows:
        parts += [f"## {NOTES}", "\n".join(f"- {note}" for note in marks(comparison).notes)]
    return "\n\n".join(parts) + "\n"


def html_page(
    comparison: Comparison, found: Sequence[Agreement], nothing: str, shown: Presentation, figure: str | os.PathLike[str]
) -> str:
    """The comparison as an HTML page that holds its figure.

    Args:
        comparison: the values.
        found: the agreement of each metric.
        nothing: why nothing can be compared, in a sentence; "" if something can.
        shown: protocol and note of the run.
        figure: the picture.
    """
    parts = [html.text("p", paragraph) for paragraph in _paragraphs(comparison, found, nothing, shown)]
    parts += [] if nothing else pictures({os.fspath(figure): PICTURE}, [comparison.dataset])
    contents = {}
    for grid in _grids(comparison, found, nothing):
        place = html.anchor(grid.title)
        contents[place] = grid.title
        parts += [html.text("h2", grid.title, id=place), _html_table(grid)]
    if comparison.rows:
        place = html.anchor(NOTES)
        contents[place] = NOTES
        parts += [html.text("h2", NOTES, id=place), html.notes(marks(comparison).notes)]
    return html.page(_title(comparison), "".join(parts), contents)


def _title(comparison: Comparison) -> str:
    return f"{comparison.labels.dataset(comparison.dataset)}: the paper beside this run"


def _paragraphs(comparison: Comparison, found: Sequence[Agreement], nothing: str, shown: Presentation) -> list[str]:
    """The note of the run, what is reproduced, and what the two have in common at all."""
    note, reproduced = sentences(shown.note), nothing or verdict(found, comparison.labels)
    if not comparison.rows:
        return list(filter(None, [reproduced, note]))
    tuned = any(comparison.labels.method(row.method).endswith(TUNED_MARK) for row in comparison.rows)
    context = sentences(DIFFERENT, shown.protocol, TUNED if tuned else "")
    return list(filter(None, [note, reproduced, context, coverage(comparison)]))


def _grids(comparison: Comparison, found: Sequence[Agreement], nothing: str) -> Iterator[Grid]:
    if not nothing:
        yield reproduced_table(found, comparison.labels)
        yield order_table(comparison, found)
    if comparison.rows:
        yield value_table(comparison, found, marks(comparison))


def _markdown_cell(cell: Cell) -> str:
    """A cell in Markdown. The letters stand before a number, so that digits stay in line."""
    content = f"**{cell.text}**" if cell.bold else cell.text
    return f"({cell.letters}) {content}" if cell.letters else content


def _html_table(grid: Grid) -> str:
    head = [
        html.element("th", _content(cell), class_="text" if i < grid.text_columns else "", scope="col")
        for i, cell in enumerate(grid.head)
    ]
    bodies = [[_html_row(group, i, grid.text_columns) for i in range(len(group))] for group in grid.groups]
    return html.table(grid.caption, head, bodies, grid.title)


def _html_row(group: Sequence[Sequence[Cell]], position: int, text_columns: int) -> str:
    """A row of a group, without its first cell where that belongs to the one above."""
    first, *others = group[position]
    spanned = len(group) if not any(row[0].text for row in group[1:]) else 1
    start = ""
    if first.text:
        scope = "rowgroup" if spanned > 1 else "row"
        rows = str(spanned) if spanned > 1 else ""
        start = html.element("th", _content(first), class_="block" if spanned > 1 else "", rowspan=rows, scope=scope)
    cells = (
        html.element("td", _content(cell), class_=f"{'text ' if i < text_columns else ''}{'best' if cell.bold else ''}".strip())
        for i, cell in enumerate(others, start=1)
    )
    return start + "".join(cells)


def _content(cell: Cell) -> str:
    # Without a height of their own, the letters leave the rows as high as others.
    letters = html.text("sup", cell.letters, style="line-height: 0") if cell.letters else ""
    return letters + html.text("span", cell.text)
