"""Commands that add noise to stacks."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Threads, parse_json
from fplbench.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("noise")(noise)
    app.command("draw-again")(draw_again)


def noise(
    name: Annotated[str, typer.Argument(help="Name of the noise, such as gaussian or motion.")],
    clean: Annotated[list[Path], typer.Argument(help="Clean stacks (.npy, each with its index .csv).")],
    out_dir: Annotated[Path, typer.Option("--out-dir", help="Folder for the noisy stacks, which keep their file names.")],
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    axes: Annotated[
        str,
        typer.Option(
            "--axes", help="Name of the data set, such as lidc, if the random numbers are to depend on it and on the file names."
        ),
    ] = "",
    threads: Threads = 1,
) -> None:
    """Add a noise or artefact to one or more stacks."""
    from fplbench.noise import synthesize_stack

    values = parse_json(options)
    stacks = {path.stem: path for path in clean}
    if len(stacks) < len(clean):
        raise InputError("Two of the clean stacks have the same file name; their noisy stacks would overwrite each other.")
    for stem, path in stacks.items():
        place = f"{axes}/{stem}" if axes else ""
        synthesize_stack(name, path, out_dir / f"{stem}.npy", values, seed=seed, axes=place, threads=threads)


def draw_again(
    clean: Annotated[Path, typer.Argument(help="Clean stack, .npy, with its index.")],
    noisy: Annotated[Path, typer.Argument(help="Noisy stack that was made of it, with its record.")],
    out: Annotated[list[Path], typer.Argument(help="Stacks to write, .npy: the first, second and further draws.")],
    threads: Threads = 1,
) -> None:
    """Draw the noise of a stack anew: the same images, noise and options, with other random numbers."""
    from fplbench.noise import draw_again as draw

    for number, path in enumerate(out, start=1):
        draw(clean, noisy, path, number, threads)
