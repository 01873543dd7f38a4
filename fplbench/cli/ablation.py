"""The command that evaluates the ablation."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.cli.tables import DataFolder


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("ablation")(ablation)


def ablation(
    scores: Annotated[Path, typer.Argument(help="Long table of scores, .csv, with methods named {variant}-{seed}.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for ablation.csv, ablation.md and ablation_{dataset}.png.")],
    control: Annotated[str, typer.Option(help="Variant that the others are compared with.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Compare variants of a method, each trained with several seeds, with a control variant."""
    from fplbench.reporting.ablation import write_ablation
    from fplbench.reporting.captions import presentation

    shown = presentation(read_run(config))
    write_ablation(scores, out_dir, control, shown.labels, data)
