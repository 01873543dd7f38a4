"""The paper beside a run: a page, a table and a figure for each data set."""

import os
from collections.abc import Iterator
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import write_csv, write_text
from fplbench.published import COUNTERPARTS
from fplbench.reporting.panels import save, sentence_figure
from fplbench.reporting.paper_agreement import agreement
from fplbench.reporting.paper_cells import Comparison, compare
from fplbench.reporting.paper_figure import draw_comparison
from fplbench.reporting.paper_page import html_page, markdown
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.repeats import read_dataset

COLUMNS = ("dataset", "metric", "noise", "method", "published", "ours", "difference", "true_psnr", "flag")


def write_comparison(
    output: str | os.PathLike[str],
    scores: str | os.PathLike[str],
    dataset: str,
    figure: str | os.PathLike[str],
    shown: Presentation | None = None,
) -> None:
    """Write the published values of a data set beside those of a run, as .md, .csv and .html, and draw them.

    Where the paper does not have the data set, or nothing can be compared, the pages and the figure say so.

    Args:
        output: the Markdown file; the .csv and the .html file get the same name.
        scores: the long table of scores of the data set.
        dataset: name of the data set.
        figure: the picture to write.
        shown: labels, protocol and note of the run.

    Raises:
        InputError: the scores are missing or malformed or of other data sets, or a name does not end as it should.
    """
    output, shown = Path(output), shown or Presentation()
    if output.suffix != ".md":
        raise InputError(f"{output} does not end in .md; the .csv and the .html file are written beside it.")
    found = compare(dataset, read_dataset(scores, dataset), shown.labels)
    agreements = [agreement(found, metric) for metric in COUNTERPARTS]
    nothing = why_nothing(found)
    save(sentence_figure(nothing) if nothing else draw_comparison(found, shown.note), figure)
    write_csv(output.with_suffix(".csv"), csv_rows(found), COLUMNS)
    write_text(output, markdown(found, agreements, nothing, shown))
    write_text(output.with_suffix(".html"), html_page(found, agreements, nothing, shown, figure))


def why_nothing(comparison: Comparison) -> str:
    """Why nothing can be compared, in a sentence; "" if something can."""
    name = comparison.labels.dataset(comparison.dataset)
    if not comparison.rows:
        return f"The paper has no table of {name}, so there is nothing to compare."
    if not any(comparison.pairs(metric, noise) for metric in COUNTERPARTS for noise in comparison.noises):
        return f"The paper has a table of {name}, but no noise and method of it was run here."
    return ""


def csv_rows(comparison: Comparison) -> Iterator[dict[str, str | float]]:
    """One row for each published value, unrounded, and the published values without a counterpart too.

    The difference is ours minus published; the true PSNR stands beside every published PSNR. The flag has the kinds of errata,
    with a space between them. What there is not is empty.
    """
    for metric in COUNTERPARTS:
        for row in comparison.rows:
            value = row.values.get(metric)
            if value is not None:
                yield {
                    "dataset": comparison.dataset,
                    "metric": metric,
                    "noise": row.noise,
                    "method": row.method,
                    "published": _number(value.printed),
                    "ours": _number(value.ours),
                    "difference": _number(value.difference),
                    "true_psnr": _number(row.true if metric == "psnr" else None),
                    "flag": " ".join(dict.fromkeys(erratum.kind for erratum in value.errata)),
                }


def _number(value: float | None) -> float | str:
    return "" if value is None else value
