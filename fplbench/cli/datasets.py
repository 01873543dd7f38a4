"""Commands that check data sets and draw stacks from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Threads, parse_json, read_options

Name = Annotated[
    str, typer.Argument(help="Name of the data set: lidc, lits, rsna, or any other with --loader.", metavar="DATASET")
]
Root = Annotated[Path, typer.Option("--root", help="Folder with the data set as its owner distributes it.")]
Loader = Annotated[
    str | None, typer.Option("--loader", help="How it is read: ct, mr, radiograph, paired, ...; by default as its name says.")
]

SamplingJson = Annotated[
    str,
    typer.Option("--sampling", help="Numbers of images, size, split and share of lesions, as a JSON object.", metavar="JSON"),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("sample")(sample)
    app.command("check-data")(check_data)


def sample(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Folder for the stacks.", metavar="OUT_DIR")],
    root: Root,
    loader: Loader = None,
    options: OptionsJson = "{}",
    sampling: SamplingJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    hu: Annotated[bool, typer.Option("--hu", help="Write the images in Hounsfield units too, {split}_hu.npy (CT only).")] = False,
) -> None:
    """Draw the training, validation and test stacks of a data set, with their lesions."""
    from fplbench.datasets import SamplingOptions, sample_dataset

    plan = read_options(SamplingOptions, sampling, "sampling", "--sampling")
    sample_dataset(name, _options(name, loader, root, options), plan, seed, folder, threads, hu, loader=loader)


def check_data(
    name: Name,
    root: Root,
    loader: Loader = None,
    options: OptionsJson = "{}",
    sampling: SamplingJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Contact sheet to write, with outlined lesions (.png).")] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Earlier header scan to reuse and update (.csv).")] = None,
) -> None:
    """Report what a data folder contains and whether the images can be drawn from it (exit code 0: yes, 1: no)."""
    from fplbench.datasets import SamplingOptions
    from fplbench.datasets.sampling.check import check_data

    plan = read_options(SamplingOptions, sampling, "sampling", "--sampling")
    sheet = sheet or Path(f"check-{name}.png")
    lines, possible = check_data(name, _options(name, loader, root, options), plan, seed, threads, sheet, cache, loader=loader)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if possible else 1)


def _options(name: str, loader: str | None, root: Path, text: str) -> Any:
    from fplbench.datasets import find_dataset
    from fplbench.registry import parse_options

    values = parse_json(text)
    dataset = find_dataset(name, loader, of=values.get("of"))
    return parse_options(dataset.options, {**values, "root": root}, f"datasets.{name}")
