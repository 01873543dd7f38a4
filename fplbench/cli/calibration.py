"""Commands that fit noise levels to the published scores."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import Seed, Stacks, Threads, read_stacks


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("calibrate")(calibrate)
    app.command("published-psnr")(published_psnr)


def calibrate(
    folder: Annotated[Path, typer.Argument(help="Folder to write to.", metavar="OUT_DIR")],
    clean: Stacks,
    images: Annotated[int, typer.Option(min=1, help="Number of images of each data set, spread evenly over the stack.")] = 8,
    evaluations: Annotated[int, typer.Option(min=1, help="Number of evaluations for each fitted option.")] = 18,
    repeats: Annotated[int, typer.Option(min=1, help="Number of fits with different seeds, which give the spread.")] = 3,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
) -> None:
    """Fit the levels of the noises and the options of the filters to the published scores of the cheap baselines.

    Writes levels.yaml (part of a config), report.md and comparisons.csv.
    """
    from fplbench.calibration import calibrate, read_scene
    from fplbench.calibration.reports import write

    scenes = [read_scene(dataset, path, images) for dataset, path in read_stacks(clean).items()]
    write(calibrate(scenes, seed=seed, evaluations=evaluations, repeats=repeats, threads=threads), folder)


def published_psnr(
    page: Annotated[Path, typer.Argument(help="Page to write, .md.")],
    comparisons: Annotated[Path, typer.Argument(help="The comparisons.csv of a calibration.")],
    note: Annotated[str, typer.Option(help="A sentence about the images.")] = "",
) -> None:
    """Write a page that compares the published PSNR with true and wrapped PSNR."""
    from fplbench.calibration.page import write_page

    write_page(comparisons, page, note)
