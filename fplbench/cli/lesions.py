"""Commands that insert lesions, and join stacks with their lesions."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, read_options


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("insert-lesions")(insert_lesions)
    app.command("join-stacks")(join_stacks)


def insert_lesions(
    clean: Annotated[
        list[Path],
        typer.Argument(help="Clean stacks of CT, named train.npy, validation.npy or test.npy, each with its index and lesions."),
    ],
    out_dir: Annotated[Path, typer.Option("--out-dir", help="Folder for the stacks inserted_{name}.npy and their lesions.")],
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    axes: Annotated[str, typer.Option("--axes", help="Name of the data set, on which the random numbers depend.")] = "",
) -> None:
    """Insert lesions into copies of CT slices, to see whether they survive denoising."""
    from fplbench.lesions.inserting import insert_lesions as insert
    from fplbench.lesions.options import InsertionOptions

    values = read_options(InsertionOptions, options, "inserted")
    for path in clean:
        insert(path, out_dir / f"inserted_{path.name}", values, seed, axes)


def join_stacks(
    out: Annotated[Path, typer.Argument(help="Stack to write, .npy; its index and its lesions appear beside it.")],
    stacks: Annotated[
        list[Path],
        typer.Argument(help="Stacks to join, in this order, each with its index; all or none with a lesion stack."),
    ],
    draws: Annotated[
        bool, typer.Option("--draws", help="The stacks show the same images; the draw becomes part of their image_id.")
    ] = False,
) -> None:
    """Join stacks to one, such as training images and their copies with inserted lesions."""
    from fplbench.lesions.joining import join_stacks as join

    join(out, stacks, draws)
