"""Commands that make the tables and the summary of the fair comparison."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.cli.tables import DataFolder, LesionScoresFolder, Reference, Sampling, Scores, Validation, read_lesions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fplbench.config import Config
    from fplbench.reporting.facts import Facts
    from fplbench.reporting.scores import NoiseScores
    from fplbench.reporting.tables import Table

Budget = Literal["steps", "seconds"]


class Budgets(StrEnum):
    """Budgets of an option that may be repeated."""

    steps = "steps"
    seconds = "seconds"


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
    """Write the table of a data set that compares FPL with learned methods, its controls and the best filter."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.facts import read_facts
    from fplbench.reporting.repeats import read_dataset
    from fplbench.reporting.writing import write_table

    run = read_run(config)
    found = _table(
        dataset, read_dataset(scores, dataset), run, budget, reference, read_facts(sampling), lesion_scores, validation
    )
    latex = dict.fromkeys([*presentation(run, dataset).latex, *FURTHER])
    write_table(found, out_dir, list(latex), f"{dataset}_{budget}")


def fair_summary(
    output: Annotated[Path, typer.Argument(help="Text to write, .md.")],
    scores: Scores,
    budget: Annotated[
        list[Budgets] | None, typer.Option(help="Budget to tell about; repeat it.", show_default="those of the config, or steps")
    ] = None,
    config: ConfigFile = None,
    reference: Reference = None,
    lesion_scores: Annotated[Path | None, typer.Option(help="Folder with the scores of lesions, {dataset}/{noise}.csv.")] = None,
    validation: Validation = None,
    data: DataFolder = None,
) -> None:
    """Write what FPL wins and loses in the fair comparison, for each data set and noise."""
    from fplbench.reporting.facts import read_all_facts
    from fplbench.reporting.fair_summary import write_fair_summary
    from fplbench.reporting.repeats import read_columns

    run = read_run(config)
    found = read_columns(scores)
    facts = read_all_facts(data, found)
    budgets: list[Budget] = [each.value for each in budget or ()] or (["steps"] if run is None else list(run.fair.budgets))
    tables = [
        _table(dataset, noises, run, each, reference, facts[dataset], lesion_scores and lesion_scores / dataset, validation)
        for dataset, noises in found.items()
        for each in budgets
    ]
    write_fair_summary(output, tables)


def _table(
    dataset: str,
    scores: "Mapping[str, NoiseScores]",
    run: "Config | None",
    budget: Budget,
    reference: str | None,
    facts: "Facts",
    lesion_scores: Path | None,
    validation: Path | None,
) -> "Table":
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.fair import fair_table as build
    from fplbench.reporting.validation import read_validation

    real, inserted = read_lesions(lesion_scores, scores)
    means = read_validation(validation, dataset, scores)
    return build(
        dataset, scores, presentation(run, dataset), budget, reference=reference, facts=facts, lesions=real, inserted=inserted,
        validation=means, config=run,
    )  # fmt: skip
