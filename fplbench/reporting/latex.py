"""Tables as LaTeX, for documents that load the package booktabs; no other is needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from fplbench.denoising.columns import TUNED_MARK
from fplbench.reporting.cells import Cell
from fplbench.reporting.labels import METRICS
from fplbench.reporting.notes import caption, interval_notes, remarks
from fplbench.reporting.seeds import spread
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import LATEX, Table

MOST_COLUMNS = 12
"""Columns that fit the width of the article class at \\scriptsize; a table with more is set in parts, one below the other."""
LABELLED_COLUMNS = 11
"""Columns that leave room for the label of a block beside its rows; with more, it stands above them."""
PAGE_POINTS = 540  # height of a page of the article class
HEAD_POINTS = 45  # head and rules of a part
LONG_CAPTION = 900  # letters from which a caption is set at \footnotesize
CAPTION_LETTERS = {False: 65, True: 80}  # in a line of a short and of a long caption
CAPTION_POINTS = {False: 12, True: 9.5}  # height of such a line
LINE_POINTS = {False: 8.5, True: 6.7}  # height of a line without and with intervals, which have three to a mean
TIED_MARK = "°"
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
        "<": "$<$",
        ">": "$>$",
        TUNED_MARK: r"$\dagger$",
        TIED_MARK: r"$^{\circ}$",
    }
)


def latex(table: Table, intervals: bool = False, metrics: Sequence[str] = LATEX) -> str:
    """A table as in the paper, PSNR above SSIM, as wide as the text, at \\scriptsize.

    The best of a row is bold and the second underlined; cells that the test does not tell from the best have a mark. More
    columns than fit are set in parts below each other, and what does not fit a page goes into further tables.

    Args:
        table: the table.
        intervals: whether the ends of its interval, if it has one, stand below each mean, at \\tiny.
        metrics: the metrics, in the order of their blocks; those that were not scored are left out.
    """
    shown = [metric for metric in metrics if metric in table.blocks]
    parts = _parts(table.methods)
    marks = "The columns are in parts, one below the other; the marks are those of whole rows" if len(parts) > 1 else ""
    text = sentences(caption(table, shown, second=True, tied=TIED_MARK), marks, *remarks(table, shown))
    cells = [cell for metric in shown for row in table.blocks[metric].values() for cell in row.values()]
    drawn = intervals and any(_ends(cell) for cell in cells)
    ranges = drawn and any(cell.low is None and cell.least is not None for cell in cells)
    if intervals:
        text = sentences(text, *interval_notes(table, shown), _below(ranges) if drawn else "")
    blocks = [Rows(columns, list(_rows(table, metric, columns, drawn))) for columns in parts for metric in shown]
    label = f"tab:{table.dataset}{'-intervals' if intervals else ''}"
    continued = f"{table.labels.dataset(table.dataset)}, continued: see the caption of the first part."
    return "\n".join(
        _table(table, page, drawn, continued if number else text, f"{label}-{number + 1}" if number else label)
        for number, page in enumerate(_pages(blocks, drawn, len(text)))
    )


@dataclass(frozen=True)
class Rows:
    """The lines of a block, of some columns."""

    columns: Sequence[str]
    lines: Sequence[str]


def _parts(methods: Sequence[str]) -> list[Sequence[str]]:
    """The columns in as few parts as fit the width, of about equal size."""
    count = -(-len(methods) // MOST_COLUMNS)
    size = -(-len(methods) // count)
    return [methods[first : first + size] for first in range(0, len(methods), size)]


def _pages(blocks: Sequence[Rows], intervals: bool, letters: int) -> list[list[Rows]]:
    """The blocks of each page, as far as their height in points allows beside a caption of so many letters."""
    pages: list[list[Rows]] = [[]]
    long = letters > LONG_CAPTION
    left = PAGE_POINTS - CAPTION_POINTS[long] * (letters / CAPTION_LETTERS[long] + 1)
    for block in blocks:
        height = LINE_POINTS[intervals] * len(block.lines)
        head = 0 if pages[-1] and pages[-1][-1].columns == block.columns else HEAD_POINTS
        if pages[-1] and left < height + head:
            pages.append([])
            left, head = PAGE_POINTS - 2 * CAPTION_POINTS[False], HEAD_POINTS
        pages[-1].append(block)
        left -= height + head
    return pages


def _table(table: Table, blocks: Sequence[Rows], intervals: bool, text: str, label: str) -> str:
    parts = [(columns, list(own)) for columns, own in groupby(blocks, lambda block: block.columns)]
    size = r"\footnotesize " if len(text) > LONG_CAPTION else ""
    tabulars = [_tabular(table, columns, [block.lines for block in own]) for columns, own in parts]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{size}{escape(text)}}}",
            rf"\label{{{label}}}",
            r"\smallskip\scriptsize\setlength{\tabcolsep}{1pt}",
            rf"\renewcommand{{\arraystretch}}{{{0.7 if intervals else 1}}}",
            "\\par\\medskip\n".join(tabulars) + r"\end{table}",
            "",
        ]
    )


def _tabular(table: Table, methods: Sequence[str], blocks: Sequence[Sequence[str]]) -> str:
    """Some columns, with their head."""
    first = [] if len(methods) > LABELLED_COLUMNS else [""]
    columns = "l" * (len(first) + 1) + "r" * len(methods)
    head = [*first, "Noise Type", *(_head(table.labels.printed(name)) for name in methods)]
    return "\n".join(
        [
            rf"\begin{{tabular*}}{{\textwidth}}{{@{{\extracolsep{{\fill}}}}{columns}@{{}}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            "\n\\midrule\n".join("\n".join(lines) for lines in blocks),
            r"\bottomrule",
            r"\end{tabular*}",
            "",
        ]
    )


def escape(text: str) -> str:
    """Text in which the characters that LaTeX reserves are escaped."""
    return text.translate(RESERVED)


def _head(label: str) -> str:
    """The head of a column, with one word on each line, so that columns stay narrow.

    All lines are as high as a parenthesis, so that those of all heads are on the same level.
    """
    dagger = r"\smash{$^{\dagger}$}"
    words = [rf"\vphantom{{(}}{escape(word).replace(RESERVED[ord(TUNED_MARK)], dagger)}" for word in label.split()]
    return rf"\shortstack[r]{{{NEW_LINE.join(words)}}}"


def _rows(table: Table, metric: str, methods: Sequence[str], intervals: bool) -> Iterator[str]:
    label = escape(METRICS[metric].label)
    narrow = len(methods) > LABELLED_COLUMNS
    above = narrow or " " in label  # a label of several words would widen the first column of all blocks
    if above:
        yield _line([rf"\multicolumn{{{len(methods) + 2 - narrow}}}{{@{{}}l}}{{{label}}}"])
    for i, (noise, cells) in enumerate(table.blocks[metric].items()):
        found = [cells.get(name) for name in methods]
        first = [] if narrow else ["" if i or above else label]
        bounded = intervals and any(_ends(cell) for cell in found)
        row = _line([*first, escape(table.labels.noise(noise)), *(_mean(cell, metric) for cell in found)])
        yield row + ("[1pt]" if bounded else "")  # so that the line below the second best is not taken for one above its interval
        if bounded:
            blank = [""] * (2 - narrow)
            yield _line([*blank, *(_bound(cell, 1, metric) for cell in found)])
            yield _line([*blank, *(_bound(cell, 0, metric) for cell in found)]) + "[2pt]"


def _line(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _mean(cell: Cell | None, metric: str) -> str:
    if cell is None:
        return "--"
    number = f"{cell.mean:.{METRICS[metric].digits}f}"
    if cell.best:
        return rf"\textbf{{{number}}}"
    # The mark has no width, so that digits stay below each other.
    mark = rf"\rlap{{{escape(TIED_MARK)}}}" if cell.tied else ""
    return (rf"\underline{{{number}}}" if cell.second else number) + mark


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
    return "" if ends is None else rf"\tiny {ends[end]:.{METRICS[metric].digits}f}"
