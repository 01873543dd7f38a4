"""The command that evaluates denoisers on other data sets and noises than those of their training."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.cli.tables import DataFolder


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("generalisation")(generalisation)


def generalisation(
    scores: Annotated[
        Path, typer.Argument(help="Long table of scores, .csv, with methods named by what the model was trained on.")
    ],
    across: Annotated[Literal["dataset", "noise"], typer.Argument(help="Whether methods are named by data set or by noise.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for generalisation_{across}.csv and .png.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Evaluate models on the data sets or noises that they were not trained on."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.generalisation import write_generalisation

    shown = presentation(read_run(config))
    write_generalisation(scores, out_dir, across, shown.seed, shown.labels, data)
