"""Commands that pack a trained denoiser into a bundle, and check one."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import Threads, use_threads


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("export-model")(export_model)
    app.command("check-model")(check_model)


def export_model(
    weights: Annotated[Path, typer.Argument(help="Weight file of a denoiser, .safetensors, that `fplbench train` wrote.")],
    bundle: Annotated[Path, typer.Argument(help="Bundle to write, .zip.")],
    results: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run that trained it, with config.json; by default the nearest one above the weight file."
        ),
    ] = None,
    onnx: Annotated[bool, typer.Option("--onnx/--no-onnx", help="Whether the bundle gets an ONNX model.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle that exists.")] = False,
    threads: Threads = 1,
) -> None:
    """Pack a trained denoiser, with all that is needed to apply it and to check it, into one file."""
    use_threads(threads)
    from fplbench.applying.models.export import export_model as export
    from fplbench.networks.card_text import NOT_CLINICAL, describe_training

    card = export(weights, bundle, results, onnx=onnx, overwrite=overwrite)
    typer.echo(f"{bundle}: {card.label}. {describe_training(card)} {NOT_CLINICAL}")


def check_model(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `fplbench export-model` wrote.")],
    threads: Threads = 1,
) -> None:
    """Denoise the phantom of a bundle, and say whether the result is the expected one."""
    use_threads(threads)
    from fplbench.applying.models.check_model import check_model as check

    for sentence in check(bundle, threads):
        typer.echo(sentence)
