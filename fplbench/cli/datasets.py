"""Commands that look at data sets and draw stacks from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Threads, parse_json, read_options

Name = Annotated[str, typer.Argument(help="Data set: lidc, rsna or lits.", metavar="DATASET")]
Root = Annotated[Path, typer.Option("--root", help="Folder with the data set as its owner ships it.")]

SamplingJson = Annotated[str, typer.Option("--sampling", help="Numbers, size and split as JSON.", metavar="JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("sample")(sample)
    app.command("check-data")(check_data)


def sample(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Folder for the stacks.", metavar="OUT_DIR")],
    root: Root,
    options: OptionsJson = "{}",
    sampling: SamplingJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
) -> None:
    """Draw the stacks train, validation and test from a data set."""
    from fplbench.datasets import SamplingOptions, sample_dataset

    drawn = read_options(SamplingOptions, sampling, "sampling", "--sampling")
    sample_dataset(name, _options(name, root, options), drawn, seed, folder, threads)


def check_data(
    name: Name,
    root: Root,
    options: OptionsJson = "{}",
    sampling: SamplingJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Contact sheet to write (.png).")] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Header scan to reuse and update (.csv).")] = None,
) -> None:
    """Say what a data folder holds and whether the images can be drawn from it (exit code 0: yes, 1: no)."""
    from fplbench.datasets import SamplingOptions
    from fplbench.datasets.check import check_data

    drawn = read_options(SamplingOptions, sampling, "sampling", "--sampling")
    sheet = sheet or Path(f"check-{name}.png")
    lines, possible = check_data(name, _options(name, root, options), drawn, seed, threads, sheet, cache)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if possible else 1)


def _options(name: str, root: Path, text: str) -> Any:
    from fplbench.datasets import DATASETS
    from fplbench.registry import parse_options

    return parse_options(DATASETS[name].options, {**parse_json(text), "root": root}, f"datasets.{name}")
