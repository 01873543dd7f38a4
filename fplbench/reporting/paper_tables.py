"""The tables of a comparison with the paper, independent of the file format."""

from collections.abc import Sequence
from dataclasses import dataclass

from fplbench.denoising.columns import TUNED_MARK
from fplbench.published import COUNTERPARTS
from fplbench.reporting.labels import METRICS, Labels, in_unit
from fplbench.reporting.paper_agreement import FEWEST_METHODS, Agreement
from fplbench.reporting.paper_cells import Comparison, Row
from fplbench.reporting.paper_marks import Marks
from fplbench.reporting.paper_verdict import BEST, CRITERIA, ORDER, VALUES, aspects, metric_name, signed

NONE = "–"
HIGHEST = (
    "The best method of each noise in the paper and in this run, in bold where it is the same, and Spearman's rank correlation "
    "of all methods between the two, with the number of methods. The values of this run are not rounded; those of the paper are, "
    "so that several methods may be the best. Means of the noises: of the methods with both values on every "
    "noise. All values together: here the differences between noises count too. "
    f"{NONE}: fewer than {FEWEST_METHODS} methods, or the same value for all of them."
)
EVERY = (
    "Published values beside the means of this run. Difference: this run minus the paper; for PSNR, of the wrapped one. The true "
    "PSNR has no published counterpart. In bold: published values as the paper prints them, and the highest values of this run "
    "before rounding. Letters refer to the notes below."
)


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the letters of the notes on it, and whether it is in bold."""

    text: str
    letters: str = ""
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table with a title and a caption.

    Attributes:
        title: its title.
        caption: what stands above it.
        head: the cells of the head.
        groups: groups of rows. A first cell without text belongs to the one above it.
        text_columns: so many first columns are words and not numbers.
    """

    title: str
    caption: str
    head: Sequence[Cell]
    groups: Sequence[Sequence[Sequence[Cell]]]
    text_columns: int


def reproduced_table(found: Sequence[Agreement], labels: Labels) -> Grid:
    """The numbers behind what is reproduced: a row for each aspect, a column for each metric."""
    judged = [aspects(each, labels) for each in found]
    rows = [
        [
            Cell(aspect[:1].upper() + aspect[1:]),
            *(Cell(each[aspect][1], bold=each[aspect][0]) if aspect in each else Cell(NONE) for each in judged),
        ]
        for aspect in (BEST, ORDER, VALUES)
    ]
    head = [Cell("Compared"), *(Cell(f"By {metric_name(each.metric)}") for each in found)]
    return Grid("What is reproduced", CRITERIA, head, [rows], len(head))


def order_table(comparison: Comparison, found: Sequence[Agreement]) -> Grid:
    """The best methods and the rank correlations: a row for each noise that was compared, and two for all of them."""
    labels = comparison.labels
    compared = [noise for noise in comparison.noises if any(noise in each.correlations for each in found)]
    rows = [
        [
            Cell(labels.noise(noise)),
            *(cell for each in found for cell in _best(each, noise, labels)),
            *(_correlation(each.correlations.get(noise)) for each in found),
        ]
        for noise in compared
    ]
    blank = [Cell("")] * 2 * len(found)
    over = [
        [Cell("Means of the noises"), *blank, *(_correlation(each.means) for each in found)],
        [Cell("All values together"), *blank, *(_correlation(each.everything) for each in found)],
    ]
    names = [(METRICS[each.metric].label, METRICS[COUNTERPARTS[each.metric]].label) for each in found]
    head = [
        Cell("Noise Type"),
        *(Cell(head) for theirs, ours in names for head in (f"{theirs}: best in the paper", f"{ours}: best in this run")),
        *(Cell(f"{ours}: rank correlation") for _, ours in names),
    ]
    return Grid("Best methods and their order", HIGHEST, head, [rows, over], 1 + len(blank))


def value_table(comparison: Comparison, found: Sequence[Agreement], marks: Marks) -> Grid:
    """Every published value with its counterpart: a row for each method, in groups by noise."""
    head = [Cell("Noise Type"), Cell("Method")]
    for metric, counterpart in COUNTERPARTS.items():
        unit = in_unit(metric)
        head.append(Cell(f"Published {METRICS[metric].label}{unit}", marks.on_metric(comparison, metric)))
        head += [Cell(f"{METRICS[counterpart].label}{unit}"), Cell(f"Difference{unit}")]
        head += [Cell(f"True PSNR{unit}")] if metric == "psnr" else []
    groups = []
    for noise in comparison.noises:
        start = Cell(comparison.labels.noise(noise), marks.on_noise(comparison, noise))
        rows = [_values(row, found, comparison.labels, marks) for row in comparison.of(noise)]
        groups.append([[Cell("") if i else start, *row] for i, row in enumerate(rows)])
    return Grid("Every value", EVERY, head, groups, 2)


def _best(found: Agreement, noise: str, labels: Labels) -> list[Cell]:
    """The best methods in the paper, whose options are never tuned, and those in this run."""
    theirs, ours = ([labels.method(name) for name in labels.methods(names)] for names in found.best.get(noise, (set(), set())))
    same = bool(set(theirs) & set(ours))
    fixed = [label.removesuffix(TUNED_MARK).strip() for label in theirs]
    return [Cell(", ".join(names) or NONE, bold=same) for names in (fixed, ours)]


def _correlation(found: tuple[float | None, int] | None) -> Cell:
    return Cell(f"{_signed(found[0], 2)} ({found[1]})" if found else NONE)


def _values(row: Row, found: Sequence[Agreement], labels: Labels, marks: Marks) -> list[Cell]:
    cells = [Cell(labels.method(row.method))]
    for each in found:
        value, digits = row.values.get(each.metric), METRICS[each.metric].digits
        if value is None:
            cells += [Cell(NONE)] * 3
        else:
            best = row.method in each.best.get(row.noise, (set(), set()))[1]
            cells.append(Cell(_number(value.printed, digits), marks.on_value(value), value.bold))
            cells += [Cell(_number(value.ours, digits), bold=best), Cell(_signed(value.difference, digits))]
        cells += [Cell(_number(row.true, digits))] if each.metric == "psnr" else []
    return cells


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "−")


def _signed(value: float | None, digits: int) -> str:
    return NONE if value is None else signed(value, digits)
