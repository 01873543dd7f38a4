"""The files of a table: LaTeX, Markdown, HTML and csv."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench import published
from fplbench.files import write_csv, write_text
from fplbench.reporting.html import page
from fplbench.reporting.latex import latex
from fplbench.reporting.markdown import markdown
from fplbench.reporting.sections import table_section
from fplbench.reporting.tables import LATEX, Table

PUBLISHED_AS = {"psnr_uint8": "psnr", "ssim": "ssim"}
LEADS = {"": "value", "_low": "low", "_high": "high", "_p": "p"}
"""Attributes of a lead by the ending of their column."""


def write_table(table: Table, folder: str | os.PathLike[str], metrics: Sequence[str] = LATEX, name: str | None = None) -> None:
    """Write {name}.tex, {name}_intervals.tex, {name}.md, {name}.html and {name}.csv into a folder.

    Args:
        table: the table, which says what the .md and .html files show. The .csv file holds all metrics.
        folder: the folder.
        metrics: the metrics of the .tex files.
        name: the name of the files; None is the data set.
    """
    folder = Path(folder)
    name = name or table.dataset
    write_text(folder / f"{name}.tex", latex(table, metrics=metrics))
    write_text(folder / f"{name}_intervals.tex", latex(table, intervals=True, metrics=metrics))
    write_text(folder / f"{name}.md", markdown(table))
    write_text(folder / f"{name}.html", page(table.title or table.labels.dataset(name), table_section(table)))
    write_csv(folder / f"{name}.csv", csv_rows(table))


def csv_rows(table: Table) -> Iterator[dict[str, str | int | float]]:
    """One row for each cell of every metric, unrounded.

    Columns: the mean and its interval (low, high); what it is over (unit, and units, their number); whether it is the best of
    its row, the second best, and not told from the best by the test (tied); the published value, for the metrics that can be
    compared with it; by how much the reference method is better (lead, its interval, its unadjusted p); the number of trainings
    with different seeds, the lowest and the highest mean of one, and whether the interval is over units, seeds or both. What
    there are too few units or seeds for is empty, and so is the mean of a cell that was not scored.
    """
    for metric, block in table.blocks.items():
        printed = published.values(table.dataset, PUBLISHED_AS[metric]) if metric in PUBLISHED_AS else {}
        for noise, cells in block.items():
            for method in table.methods:
                found = vars(cells[method]) if method in cells else {}
                lead = vars(found["lead"]) if found.get("lead") else {}
                yield {
                    "dataset": table.dataset,
                    "metric": metric,
                    "noise": noise,
                    "method": method,
                    **_written(found, ("mean", "low", "high")),
                    "unit": table.units[metric].name,
                    "units": table.units[metric].count,
                    **_written(found, ("best", "second", "tied")),
                    "published": printed.get((noise, method), ""),
                    **{f"lead{key}": lead.get(name, "") for key, name in LEADS.items()},
                    **_written(found, ("seeds", "least", "most")),
                    "over": "" if found.get("low") is None else found["over"],
                }


def _written(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, str | int | float]:
    """Values of a cell as they are written: empty where there are none, 1 for true."""
    values = {name: found.get(name) for name in names}
    return {name: "" if value is None else int(value) if isinstance(value, bool) else value for name, value in values.items()}
