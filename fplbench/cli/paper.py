"""Command that puts the published tables beside those of a run."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile
from fplbench.cli.tables import Scores, read_presentation


def register(app: typer.Typer) -> None:
    """Add the command of this stage."""
    app.command("paper-comparison")(paper_comparison)


def paper_comparison(
    output: Annotated[Path, typer.Argument(help="Page to write, .md; the .csv and .html files are written beside it.")],
    scores: Scores,
    dataset: Annotated[str, typer.Argument(help="Name of the data set, for instance lidc.")],
    figure: Annotated[Path, typer.Option(help="Picture to write.")],
    config: ConfigFile = None,
) -> None:
    """Write the published values of a data set beside those of a run, with rank correlations, and draw them."""
    from fplbench.reporting.paper import write_comparison

    write_comparison(output, scores, dataset, figure, read_presentation(config, dataset))
