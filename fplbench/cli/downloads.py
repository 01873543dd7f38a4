"""Commands that download data sets, the sample and published weights."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="Folder for the data.", metavar="DIR")]

fetch = typer.Typer(help="Download a data set, the sample (one real CT), or published weights.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.add_typer(fetch, name="fetch")


@fetch.command("sample")
def fetch_sample(folder: Folder) -> None:
    """Download one real CT (35 MB) and arrange it as three small data sets."""
    from fplbench.downloads.sample import fetch_sample

    fetch_sample(folder)


@fetch.command("lidc")
def fetch_lidc(
    folder: Folder,
    patients: Annotated[int | None, typer.Option(min=1, help="Download only the N patients with the least data.")] = None,
    series: Annotated[int | None, typer.Option(min=1, help="Download only the N smallest CT series.")] = None,
) -> None:
    """Download the CT series of LIDC-IDRI (128 GB), or a part of them, from the Imaging Data Commons."""
    from fplbench.downloads.lidc import REQUIREMENTS, fetch_lidc
    from fplbench.downloads.notice import announce

    typer.echo(announce("lidc", folder, REQUIREMENTS))
    fetch_lidc(folder, patients, series)


@fetch.command("lidc-annotations")
def fetch_lidc_annotations(folder: Folder) -> None:
    """Download the radiologists' outlines of LIDC-IDRI (6 MB), for CT series without XML files."""
    from fplbench.downloads.lidc_annotations import fetch_lidc_annotations

    typer.echo(f"The annotations are at {fetch_lidc_annotations(folder)}; their licence and citation are beside them.")


@fetch.command("rsna")
def fetch_rsna(folder: Folder) -> None:
    """Download the RSNA radiographs from Kaggle; needs an account."""
    from fplbench.downloads.notice import announce
    from fplbench.downloads.rsna import REQUIREMENTS, fetch_rsna

    typer.echo(announce("rsna", folder, REQUIREMENTS))
    fetch_rsna(folder)


@fetch.command("lits")
def fetch_lits(folder: Folder) -> None:
    """Download the LiTS volumes as Task03_Liver of the Medical Segmentation Decathlon."""
    from fplbench.downloads.lits import REQUIREMENTS, fetch_lits
    from fplbench.downloads.notice import announce

    typer.echo(announce("lits", folder, REQUIREMENTS))
    fetch_lits(folder)


@fetch.command("drunet")
def fetch_drunet(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("weights/drunet_gray.pth"),
    sha256: Annotated[str | None, typer.Option(help="SHA-256 that the file must have.")] = None,
) -> None:
    """Download DRUNet's published weights (130 MB), for the method dpir."""
    from fplbench.downloads.drunet import fetch_drunet

    typer.echo(f"DRUNet's weights are at {fetch_drunet(path, sha256)}.")
