"""Commands that score denoised stacks and join the scores."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import (
    DeviceName,
    ExplainedNetwork,
    ExplanationJson,
    NumericsJson,
    Threads,
    apply_numerics,
    network_path,
    read_explanation,
    use_threads,
)
from fplbench.errors import InputError

Clean = Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index.")]
Denoised = Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy, of the same images.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("score")(score)
    app.command("feature-scores")(feature_scores)
    app.command("collate")(collate)


def score(
    clean: Clean,
    out: Annotated[Path, typer.Argument(help="Scores to write, .csv: a row for each method and image.")],
    denoised: Denoised,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric of images to score besides PSNR, wrapped PSNR and SSIM; may be repeated. Without it, all but vif.",
            metavar="NAME",
        ),
    ] = None,
    lesion_scores: Annotated[
        Path | None,
        typer.Option(help="Scores of lesions to write, .csv: a row for each method, image and lesion of {clean}_lesions.npy."),
    ] = None,
    inserted_clean: Annotated[
        Path | None, typer.Option(help="Stack of clean images with inserted lesions, with its index and lesions.")
    ] = None,
    inserted: Annotated[
        list[Path] | None, typer.Option(help="The same denoised, named {method}_inserted.npy; may be repeated.")
    ] = None,
    validation_clean: Annotated[
        Path | None, typer.Option(help="Stack of clean validation images, with its index; its lesions lie beside it.")
    ] = None,
    validation: Annotated[
        list[Path] | None, typer.Option(help="The same denoised, named {method}_validation.npy; may be repeated.")
    ] = None,
    validation_scores: Annotated[
        Path | None, typer.Option(help="Scores of validation images to write, .csv, with the same columns.")
    ] = None,
    validation_lesion_scores: Annotated[
        Path | None, typer.Option(help="Scores of the lesions in validation images to write, .csv.")
    ] = None,
    hashes: Annotated[
        Path | None, typer.Option(help="Hashes to write, .json: the SHA-256 of every stack that was scored, by name.")
    ] = None,
    threads: Threads = 1,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="Rule that makes the stacks, or one for each stack; error messages name it.", metavar="NAME"),
    ] = None,
) -> None:
    """Score denoised stacks: PSNR, SSIM and other metrics of each image, and how well each lesion is preserved."""
    from fplbench.scoring.cells import ValidationStacks, score_cell
    from fplbench.scoring.registry import DEFAULT

    held_out = None
    if validation_clean is not None and validation and validation_scores is not None:
        held_out = ValidationStacks(validation_clean, validation, validation_scores, validation_lesion_scores)
    elif validation_clean or validation or validation_scores or validation_lesion_scores:
        raise InputError("To score validation images, give --validation-clean, --validation and --validation-scores together.")
    score_cell(
        clean, denoised, out, rule or (), metric or DEFAULT, lesion_scores, inserted_clean, inserted or (), threads, held_out
    )
    if hashes is not None:
        from fplbench.scoring.hashes import write_hashes

        references = [path for path in (clean, inserted_clean, validation_clean) if path is not None]
        write_hashes(hashes, references, [*denoised, *(inserted or ()), *(validation or ())])


def feature_scores(
    network: ExplainedNetwork,
    clean: Clean,
    out: Annotated[Path, typer.Argument(help="Scores to write, .csv: a row for each method and image.")],
    denoised: Denoised,
    explanation: ExplanationJson = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
    numerics: NumericsJson = "{}",
    maps: Annotated[
        Path | None, typer.Option(help="Feature maps of some images to write, .npz: those of the clean stack and of each other.")
    ] = None,
    map_images: Annotated[
        int, typer.Option(min=1, help="How many images have maps in that file; those with the largest lesions first.")
    ] = 2,
) -> None:
    """Score denoised stacks by the relative squared error of their feature maps, of any explanation and network."""
    apply_numerics(numerics)
    use_threads(threads)
    from fplbench.reporting.shown import shown_images
    from fplbench.scoring.features import KeptMaps, write_feature_errors

    kept = None if maps is None else KeptMaps(maps, shown_images(clean, map_images))
    write_feature_errors(network_path(network), clean, denoised, out, device, kept, **read_explanation(explanation))


def collate(
    output: Annotated[Path, typer.Argument(help="Long table to write, .csv.")],
    scores: Annotated[
        list[Path], typer.Argument(help="Scores of one data set and noise, {dataset}/{noise}.csv, or long tables.")
    ],
    feature_scores: Annotated[
        list[Path] | None, typer.Option(help="Feature scores of one data set and noise, {dataset}/{noise}.csv; may be repeated.")
    ] = None,
) -> None:
    """Join scores into one long table."""
    from fplbench.scoring.collation import collate as write_long_table

    write_long_table(output, scores, feature_scores or ())
