"""Tables as LaTeX, for documents that load the package booktabs; no other is needed."""

from collections.abc import Iterator, Mapping, Sequence

from fplbench.denoising.columns import TUNED_MARK
from fplbench.reporting.cells import Cell
from fplbench.reporting.labels import METRICS
from fplbench.reporting.notes import caption, interval_notes, remarks
from fplbench.reporting.seeds import spread
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import LATEX, Table

MOST_COLUMNS = 11
PAGE_POINTS = 490  # height of a page of the article class, less the head of a table
CAPTION_LINE_POINTS = 12
CAPTION_LETTERS = 75  # in a line of the caption
LINE_POINTS = {False: 8.5, True: 5.0}  # height of a row without and with intervals, which have three to a mean
NEW_LINE = r" \\ "
RESERVED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "−": "$-$",
        "|": "$|$",
    }
)


def latex(table: Table, intervals: bool = False, metrics: Sequence[str] = LATEX) -> str:
    """A table as in the paper, PSNR above SSIM, as wide as the text. What does not fit a page goes into further tables.

    Args:
        table: the table. Up to eleven methods fit a page of the article class at \\scriptsize; more are set at \\tiny.
        intervals: whether the ends of its interval, if it has one, stand below each mean; such tables are set at \\tiny.
        metrics: the metrics, in the order of their blocks; those that were not scored are left out.
    """
    shown = [metric for metric in metrics if metric in table.blocks]
    text = sentences(caption(table, shown), *remarks(table, shown))
    cells = [cell for metric in shown for row in table.blocks[metric].values() for cell in row.values()]
    drawn = intervals and any(_ends(cell) for cell in cells)
    ranges = drawn and any(cell.low is None and cell.least is not None for cell in cells)
    if intervals:
        text = sentences(text, *interval_notes(table, shown), _below(ranges) if drawn else "")
    blocks = {metric: list(_rows(table, metric, drawn)) for metric in shown}
    pages = _pages(blocks, drawn, len(text))
    label = f"tab:{table.dataset}{'-intervals' if intervals else ''}"
    parts = [_table(table, pages[0], drawn, text, label)]
    for number, page in enumerate(pages[1:], start=2):
        continued = f"{table.labels.dataset(table.dataset)}, continued: see the caption of the first part."
        parts.append(_table(table, page, drawn, continued, f"{label}-{number}"))
    return "\n".join(parts)


def _pages(blocks: Mapping[str, list[str]], intervals: bool, letters: int) -> list[list[list[str]]]:
    """The rows of the blocks of each page, as far as their height in points allows beside a caption of so many letters."""
    height = LINE_POINTS[intervals]
    pages: list[list[list[str]]] = [[]]
    left = PAGE_POINTS - CAPTION_LINE_POINTS * letters / CAPTION_LETTERS
    for rows in blocks.values():
        if pages[-1] and left < height * len(rows):
            pages.append([])
            left = PAGE_POINTS - CAPTION_LINE_POINTS
        pages[-1].append(rows)
        left -= height * len(rows)
    return pages


def _table(table: Table, blocks: Sequence[Sequence[str]], intervals: bool, text: str, label: str) -> str:
    size = r"\tiny" if intervals or len(table.methods) > MOST_COLUMNS else r"\scriptsize"
    columns = "ll" + "r" * len(table.methods)
    head = ["", "Noise Type", *(_head(table.labels.method(name)) for name in table.methods)]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escape(text)}}}",
            rf"\label{{{label}}}",
            rf"\smallskip{size}\setlength{{\tabcolsep}}{{1pt}}",
            rf"\renewcommand{{\arraystretch}}{{{0.7 if intervals else 1}}}",
            rf"\begin{{tabular*}}{{\textwidth}}{{@{{\extracolsep{{\fill}}}}{columns}@{{}}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            "\n\\midrule\n".join("\n".join(rows) for rows in blocks),
            r"\bottomrule",
            r"\end{tabular*}",
            r"\end{table}",
            "",
        ]
    )


def escape(text: str) -> str:
    """Text in which the characters that LaTeX reserves are escaped."""
    return text.translate(RESERVED)


def _head(label: str) -> str:
    """The head of a column, with one word on each line and a small mark of tuning, so that columns stay narrow."""
    words = [rf"\tiny {TUNED_MARK}" if word == TUNED_MARK else escape(word) for word in label.split()]
    return rf"\shortstack[r]{{{NEW_LINE.join(words)}}}"


def _rows(table: Table, metric: str, intervals: bool) -> Iterator[str]:
    label = escape(METRICS[metric].label)
    wide = " " in label  # such a label would widen the first column of all blocks
    if wide:
        yield _line([rf"\multicolumn{{{len(table.methods) + 2}}}{{@{{}}l}}{{{label}}}"])
    for i, (noise, cells) in enumerate(table.blocks[metric].items()):
        found = [cells.get(name) for name in table.methods]
        block = label if i == 0 and not wide else ""
        yield _line([block, escape(table.labels.noise(noise)), *(_mean(cell, metric) for cell in found)])
        if intervals and any(_ends(cell) for cell in found):
            yield _line(["", "", *(_bound(cell, 1, metric) for cell in found)])
            yield _line(["", "", *(_bound(cell, 0, metric) for cell in found)]) + "[2pt]"


def _line(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _mean(cell: Cell | None, metric: str) -> str:
    if cell is None:
        return "--"
    number = f"{cell.mean:.{METRICS[metric].digits}f}"
    return rf"\textbf{{{number}}}" if cell.best else number


def _below(ranges: bool) -> str:
    """What stands below the means."""
    return "Below each mean: the ends of its interval" + (
        "; where there is none, the highest and the lowest mean of its trainings" if ranges else ""
    )


def _ends(cell: Cell | None) -> tuple[float, float] | None:
    """The ends of the interval of a mean, or of the range of its trainings."""
    if cell is None:
        return None
    return spread(cell) if cell.low is None or cell.high is None else (cell.low, cell.high)


def _bound(cell: Cell | None, end: int, metric: str) -> str:
    ends = _ends(cell)
    return "" if ends is None else f"{ends[end]:.{METRICS[metric].digits}f}"
