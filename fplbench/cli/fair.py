"""Commands that make the tables and the summary of the fair comparison."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.cli.tables import DataFolder, LesionScoresFolder, Reference, Sampling, Scores, Validation, with_further_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from fplbench.config import Config
    from fplbench.reporting.tables import Table

Budget = Literal["steps", "seconds"]
FURTHER = ("contrast_recovery", "inserted_contrast_recovery")
"""Metrics of the LaTeX table beside those of the config."""


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("fair-table")(fair_table)
    app.command("fair-summary")(fair_summary)


def fair_table(
    scores: Scores,
    dataset: Annotated[str, typer.Argument(help="Name of the data set, for instance lidc.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for {dataset}_{budget}.tex, .md, .html and .csv.")],
    budget: Annotated[Budget, typer.Option(help="Networks with FPL's steps, or those with FPL's seconds.")] = "steps",
    config: ConfigFile = None,
    reference: Reference = None,
    lesion_scores: LesionScoresFolder = None,
    validation: Validation = None,
    sampling: Sampling = None,
) -> None:
    """Write the table of a data set that has FPL, learned methods of the same budget, FPL's controls and the best filter."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.facts import read_facts
    from fplbench.reporting.repeats import read_dataset
    from fplbench.reporting.writing import write_table

    run = read_run(config)
    build = _builder(run, dataset, budget, reference)
    found = with_further_scores(build, dataset, read_dataset(scores, dataset), read_facts(sampling), lesion_scores, validation)
    latex = dict.fromkeys([*presentation(run, dataset).latex, *FURTHER])
    write_table(found, out_dir, list(latex), f"{dataset}_{budget}")


def fair_summary(
    output: Annotated[Path, typer.Argument(help="Text to write, .md.")],
    scores: Scores,
    config: ConfigFile = None,
    reference: Reference = None,
    lesion_scores: Annotated[Path | None, typer.Option(help="Folder with the scores of lesions, {dataset}/{noise}.csv.")] = None,
    validation: Validation = None,
    data: DataFolder = None,
) -> None:
    """Write what the reference method wins and loses in the fair comparison, for each data set and noise."""
    from fplbench.reporting.facts import read_all_facts
    from fplbench.reporting.fair_summary import write_fair_summary
    from fplbench.reporting.repeats import read_columns

    run = read_run(config)
    found = read_columns(scores)
    facts = read_all_facts(data, found)
    budgets: list[Budget] = ["steps"] if run is None else run.fair.budgets
    tables = []
    for dataset, noises in found.items():
        folder = None if lesion_scores is None else lesion_scores / dataset
        builders = [_builder(run, dataset, budget, reference) for budget in budgets]
        tables += [with_further_scores(build, dataset, noises, facts[dataset], folder, validation) for build in builders]
    write_fair_summary(output, tables)


def _builder(run: "Config | None", dataset: str, budget: Budget, reference: str | None) -> "Callable[..., Table]":
    """What makes the table of a budget as the config presents it."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.fair import fair_table as build

    return partial(build, shown=presentation(run, dataset), budget=budget, reference=reference, config=run)
