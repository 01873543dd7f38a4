"""Commands of the data sets: get them, look at them, draw stacks from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import OptionsJson, Seed, Threads, parse_json, read_options

Name = Annotated[str, typer.Argument(help="Data set: lidc, rsna or lits.", metavar="DATASET")]
Root = Annotated[Path, typer.Option("--root", help="Folder with the data set as its owner ships it.")]

SamplingJson = Annotated[str, typer.Option("--sampling", help="Numbers, size and split as JSON.", metavar="JSON")]
Folder = Annotated[Path, typer.Argument(help="Folder for the data.", metavar="DIR")]

fetch = typer.Typer(help="Get a data set, or the real CT sample.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("sample")(sample)
    app.command("check-data")(check_data)
    app.add_typer(fetch, name="fetch")


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


@fetch.command("sample")
def fetch_sample(folder: Folder) -> None:
    """Get one real CT (35 MB) and lay it out as three small data sets."""
    from fplbench.datasets.sample import fetch_sample

    fetch_sample(folder)


@fetch.command("lidc")
def fetch_lidc(
    folder: Folder,
    patients: Annotated[int | None, typer.Option(min=1, help="Take only this many patients, the smallest ones.")] = None,
) -> None:
    """Get the CT series of LIDC-IDRI (128 GB) from the Imaging Data Commons."""
    from fplbench.datasets import fetch

    typer.echo(fetch.announce("lidc", folder))
    fetch.fetch_lidc(folder, patients)


@fetch.command("rsna")
def fetch_rsna(folder: Folder) -> None:
    """Get the RSNA radiographs from Kaggle; needs an account."""
    from fplbench.datasets import fetch

    typer.echo(fetch.announce("rsna", folder))
    fetch.fetch_rsna(folder)


@fetch.command("lits")
def fetch_lits(folder: Folder) -> None:
    """Get the LiTS volumes as Task03_Liver of the Medical Segmentation Decathlon."""
    from fplbench.datasets import archive, fetch

    typer.echo(fetch.announce("lits", folder))
    archive.fetch_lits(folder)


def _options(name: str, root: Path, text: str) -> Any:
    from fplbench.datasets import DATASETS
    from fplbench.registry import parse_options

    return parse_options(DATASETS[name].options, {**parse_json(text), "root": root}, f"datasets.{name}")
