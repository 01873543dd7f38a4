"""Commands that make the explorer pages."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile, read_run


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("explorer")(explorer)
    app.command("keep-shown")(keep_shown)


def explorer(
    output: Annotated[Path, typer.Argument(help="Page to write, .html.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean test images, .npy, with its index and its lesions.")],
    scores: Annotated[Path, typer.Argument(help="Long table of scores of the data set, .csv.")],
    dataset: Annotated[str, typer.Option(help="Name of the data set, for instance lidc.")],
    noisy: Annotated[Path, typer.Option(help="Folder with the noisy stacks, {noise}/test.npy.")],
    denoised: Annotated[Path, typer.Option(help="Folder with the denoised stacks, {noise}/{method}.npy.")],
    features: Annotated[
        Path | None, typer.Option(help="Folder with the feature maps, {noise}.npz, as feature-scores --maps writes them.")
    ] = None,
    means: Annotated[
        Path | None, typer.Option(help="Table of the data set, tables/{dataset}.csv, for the means of scores of lesions.")
    ] = None,
    lesion_scores: Annotated[Path | None, typer.Option(help="Folder with the scores of each lesion, {noise}.csv.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write a page on which the images, feature maps and scores of two methods can be compared, with all it needs inside."""
    from fplbench.reporting.explorer.page import explorer_data, write_explorer

    data = explorer_data(
        clean, scores, dataset, noisy=noisy, denoised=denoised, features=features, means=means,
        lesion_scores=lesion_scores, config=read_run(config),
    )  # fmt: skip
    write_explorer(output, data)


def keep_shown(
    folder: Annotated[Path, typer.Argument(help="Folder to write into: {method}.npy with the shown images, and its index.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean test images, .npy, with its index and its lesions.")],
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy, of the same images.")],
    images: Annotated[int, typer.Option(help="How many images pages show: explorer.images of the config.", min=1)],
) -> None:
    """Copy the images that pages show, for when the denoised stacks are deleted."""
    from fplbench.reporting import shown

    shown.keep_shown(folder, clean, denoised, images)
