"""Command that shows the grey maps. Labels and the note come from the resolved config of the run."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile
from fplbench.cli.reporting import Dataset, Picture
from fplbench.cli.tables import read_presentation


def register(app: typer.Typer) -> None:
    """Add the command of this stage."""
    app.command("grey-map-figure")(grey_map_figure)


def grey_map_figure(
    output: Picture,
    folders: Annotated[
        list[Path], typer.Argument(help="Folders with the grey maps of one data set, {noise}/{method}_grey_map.json.")
    ],
    config: ConfigFile = None,
    dataset: Dataset = "",
) -> None:
    """Draw the grey map of each method, a panel for each noise."""
    from fplbench.reporting.grey_map_figure import grey_map_figure as draw_maps

    shown = read_presentation(config, dataset)
    draw_maps(output, folders, dataset, shown.about, shown.labels)
