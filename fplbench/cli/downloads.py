"""Commands that get data sets, weights and the sample from the internet."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="Folder for the data.", metavar="DIR")]

fetch = typer.Typer(help="Get a data set, the real CT sample, or published weights.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.add_typer(fetch, name="fetch")


@fetch.command("sample")
def fetch_sample(folder: Folder) -> None:
    """Get one real CT (35 MB) and lay it out as three small data sets."""
    from fplbench.downloads.sample import fetch_sample

    fetch_sample(folder)


@fetch.command("lidc")
def fetch_lidc(
    folder: Folder,
    patients: Annotated[int | None, typer.Option(min=1, help="Take only this many patients, the smallest ones.")] = None,
) -> None:
    """Get the CT series of LIDC-IDRI (128 GB) from the Imaging Data Commons."""
    from fplbench.downloads import fetch

    typer.echo(fetch.announce("lidc", folder))
    fetch.fetch_lidc(folder, patients)


@fetch.command("rsna")
def fetch_rsna(folder: Folder) -> None:
    """Get the RSNA radiographs from Kaggle; needs an account."""
    from fplbench.downloads import fetch

    typer.echo(fetch.announce("rsna", folder))
    fetch.fetch_rsna(folder)


@fetch.command("lits")
def fetch_lits(folder: Folder) -> None:
    """Get the LiTS volumes as Task03_Liver of the Medical Segmentation Decathlon."""
    from fplbench.downloads import archive, fetch

    typer.echo(fetch.announce("lits", folder))
    archive.fetch_lits(folder)


@fetch.command("drunet")
def fetch_drunet(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("weights/drunet_gray.pth"),
    sha256: Annotated[str | None, typer.Option(help="Hash that the file must have.")] = None,
) -> None:
    """Get DRUNet's published weights (130 MB), for the method dpir."""
    from fplbench.downloads.drunet import fetch_drunet

    typer.echo(f"DRUNet's weights are at {fetch_drunet(path, sha256)}.")
