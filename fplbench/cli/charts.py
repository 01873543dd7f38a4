"""Commands that make charts of a whole run, and of its workflow."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fplbench.cli.options import ConfigFile
from fplbench.cli.reporting import Picture
from fplbench.cli.tables import Scores, read_presentation


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("heat-map")(heat_map)
    app.command("rank-figure")(rank_figure)
    app.command("workflow-figure")(workflow_figure)


def heat_map(
    output: Picture,
    scores: Scores,
    config: ConfigFile = None,
    metric: Annotated[Literal["psnr", "ssim"], typer.Option(help="Score that is shown.")] = "psnr",
) -> None:
    """Draw the mean gain of each method over the unprocessed image, for every noise and data set."""
    from fplbench.reporting.heat_map import heat_map as draw_means

    shown = read_presentation(config)
    draw_means(output, scores, metric, shown.about, shown.labels)


def rank_figure(output: Picture, scores: Scores, config: ConfigFile = None) -> None:
    """Draw how often each method has which rank, and how many rows it wins, over all data sets and noises."""
    from fplbench.reporting.ranks import rank_figure as draw_ranks

    shown = read_presentation(config)
    draw_ranks(output, scores, shown.about, shown.labels)


def workflow_figure(
    output: Picture,
    rule_graph: Annotated[Path, typer.Argument(help="Rule graph of the run, as snakemake --rulegraph prints it.", metavar="DOT")],
) -> None:
    """Draw the stages of a run with their rules, and the data flow of the loss."""
    from fplbench.reporting.workflow_figure import workflow_figure as draw_stages

    draw_stages(output, rule_graph)
