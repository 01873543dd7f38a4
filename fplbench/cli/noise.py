"""Commands that make noisy images, show them, and fit noise levels."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Threads, parse_json
from fplbench.errors import InputError

Stacks = Annotated[
    list[str], typer.Argument(help="Clean stacks of data sets, such as lidc=clean.npy.", metavar="DATASET=CLEAN...")
]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("noise")(noise)
    app.command("noise-sheet")(noise_sheet)
    app.command("calibrate")(calibrate)
    app.command("published-psnr")(published_psnr)


def noise(
    name: Annotated[str, typer.Argument(help="Kind of noise, such as gaussian or motion.")],
    clean: Annotated[Path, typer.Argument(help="Clean stack (.npy, with its index .csv).")],
    noisy: Annotated[Path, typer.Argument(help="Noisy stack to write (.npy, with its index .csv).")],
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    axes: Annotated[
        str, typer.Option("--axes", help="What the draws depend on besides seed, noise and image, such as lidc/test.")
    ] = "",
    threads: Threads = 1,
) -> None:
    """Add a noise or artefact to a stack."""
    from fplbench.noise import synthesize_stack

    synthesize_stack(name, clean, noisy, parse_json(options), seed=seed, axes=axes, threads=threads)


def noise_sheet(
    output: Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")],
    clean: Stacks,
    options: Annotated[
        str, typer.Option("--options", help="Options by data set and noise, as a JSON object.", metavar="JSON")
    ] = "{}",
    seed: Seed = DEFAULT_SEED,
    image: Annotated[int | None, typer.Option(help="Which image, counted from 0.", show_default="the middle one")] = None,
    captions: Annotated[
        str, typer.Option("--captions", help="Words above a data set's columns, as a JSON object.", metavar="JSON")
    ] = "{}",
) -> None:
    """Draw every noise on an image of each data set, with a magnified part and the difference."""
    from fplbench.contact_sheet import contact_sheet

    words = parse_json(captions, "--captions")
    contact_sheet(output, _stacks(clean), parse_json(options), seed=seed, image=image, captions=words)


def calibrate(
    folder: Annotated[Path, typer.Argument(help="Folder for the fit.", metavar="OUT_DIR")],
    clean: Stacks,
    images: Annotated[int, typer.Option(min=1, help="Images of each data set to use, spread evenly.")] = 8,
    evaluations: Annotated[int, typer.Option(min=1, help="Evaluations for each option that is fitted.")] = 18,
    repeats: Annotated[int, typer.Option(min=1, help="Fits with other seeds of the noise, for their spread.")] = 3,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
) -> None:
    """Fit the noises' levels and the filters' options to the published scores of the cheap baselines.

    Writes levels.yaml (a part of a configuration), report.md and comparisons.csv.
    """
    from fplbench.calibration import calibrate, read_scene
    from fplbench.calibration.reports import write

    scenes = [read_scene(dataset, path, images) for dataset, path in _stacks(clean).items()]
    write(calibrate(scenes, seed=seed, evaluations=evaluations, repeats=repeats, threads=threads), folder)


def published_psnr(
    page: Annotated[Path, typer.Argument(help="Page to write, .md.")],
    comparisons: Annotated[Path, typer.Argument(help="comparisons.csv of a calibration.")],
    note: Annotated[str, typer.Option(help="A sentence about the images that were used.")] = "",
) -> None:
    """Write what true and wrapped PSNR give beside the published values."""
    from fplbench.calibration.page import write_page

    write_page(comparisons, page, note)


def _stacks(arguments: list[str]) -> dict[str, Path]:
    """Read arguments such as lidc=clean.npy."""
    stacks = {}
    for argument in arguments:
        dataset, separator, path = argument.partition("=")
        if not separator or not dataset or not path:
            raise InputError(f"{argument!r} does not name a data set and its stack; write it as lidc=clean.npy.")
        stacks[dataset] = Path(path)
    return stacks
