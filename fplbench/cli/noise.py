"""Commands that add noise to stacks."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Stacks, Threads, parse_json, read_stacks


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("noise")(noise)
    app.command("noise-sheet")(noise_sheet)


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
    from fplbench.reporting.noise_sheet import contact_sheet

    words = parse_json(captions, "--captions")
    contact_sheet(output, read_stacks(clean), parse_json(options), seed=seed, image=image, captions=words)
