"""Tables as Markdown with aligned columns, readable in a terminal too."""

import re

from fplbench.reporting.cells import Cell
from fplbench.reporting.labels import METRICS
from fplbench.reporting.notes import caption, remarks
from fplbench.reporting.seeds import spread, spread_note
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table

TEXT_COLUMNS = 2


def markdown(table: Table) -> str:
    """A table as in the paper, PSNR above SSIM, and the other metrics below; remarks on them stand last."""
    rows = [["", "Noise Type", *(table.labels.method(name) for name in table.methods)]]
    for metric in table.shown_blocks:
        for i, (noise, cells) in enumerate(table.blocks[metric].items()):
            numbers = [_number(cells.get(name), metric) for name in table.methods]
            rows.append([METRICS[metric].label if i == 0 else "", table.labels.noise(noise), *numbers])
    below = "".join(f"\n- {remark}" for remark in remarks(table, table.shown))
    note = spread_note(table, table.shown)
    above = sentences(caption(table, table.shown), f"In square brackets, for several trainings: {note}" if note else "")
    return f"{plain(above)}\n\n{aligned(rows, TEXT_COLUMNS)}\n{plain(below)}" + ("\n" if below else "")


def plain(text: str) -> str:
    """Text in which nothing is taken for an HTML element or for a link."""
    return re.sub(r"(\\*)<", r"\1\1\\<", text).replace("](", r"]\(")  # a backslash before it must not escape the escape


def aligned(rows: list[list[str]], text_columns: int) -> str:
    """A Markdown table. The first row is the head; the first columns are aligned to the left, the others to the right."""
    rows = [[plain(re.sub(r"\s*[\r\n]\s*", " ", cell)).replace("|", r"\|") for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    ruler = ["-" * width if i < text_columns else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(_line(row, widths, text_columns) for row in (rows[0], ruler, *rows[1:]))


def _line(row: list[str], widths: list[int], text_columns: int) -> str:
    texts = [text.ljust(width) for text, width in zip(row[:text_columns], widths, strict=False)]
    numbers = [text.rjust(width) for text, width in zip(row[text_columns:], widths[text_columns:], strict=True)]
    return f"| {' | '.join(texts + numbers)} |"


def _number(cell: Cell | None, metric: str) -> str:
    if cell is None:
        return "–"
    mark, digits, trained = "**" if cell.best else "", METRICS[metric].digits, spread(cell)
    bounds = f" [{trained[0]:.{digits}f} – {trained[1]:.{digits}f}]" if trained else ""
    return f"{mark}{cell.mean:.{digits}f}{mark}{bounds}"
