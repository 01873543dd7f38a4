"""The command that trains networks."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import DeviceName, NumericsJson, OptionsJson, Seed, Threads, apply_numerics, parse_json, use_threads


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("train")(train)
    app.command("trainings")(trainings)


def train(
    name: Annotated[str, typer.Argument(help="Name of the training, for instance fpl; `fplbench trainings` lists them.")],
    out: Annotated[Path, typer.Argument(help="Weight file to write, .safetensors; its log is the .csv beside it.")],
    clean: Annotated[Path | None, typer.Option(help="Stack of clean training images, .npy.")] = None,
    noisy: Annotated[Path | None, typer.Option(help="The same images with noise, .npy.")] = None,
    validation_clean: Annotated[
        Path | None,
        typer.Option(help="Clean validation images, .npy; with them the training is scored."),
    ] = None,
    validation_noisy: Annotated[Path | None, typer.Option(help="The same images with noise, .npy.")] = None,
    explained: Annotated[
        Path | None,
        typer.Option(
            "--explained",
            "--restoration",
            help="Weights of the network that the features are of, .safetensors; not needed for features of no network.",
        ),
    ] = None,
    features: Annotated[Path | None, typer.Option(help="Feature maps of the clean stack, .npy.")] = None,
    lesions: Annotated[Path | None, typer.Option(help="Lesion stack of the clean training images, .npy.")] = None,
    validation_lesions: Annotated[Path | None, typer.Option(help="Lesion stack of the clean validation images, .npy.")] = None,
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    device: DeviceName = "auto",
    numerics: NumericsJson = "{}",
) -> None:
    """Train a network; the same command resumes a training that was interrupted."""
    apply_numerics(numerics)
    use_threads(threads)
    from fplbench.training import train as run
    from fplbench.training.registry import Input

    given: dict[Input, Path | None] = {
        "clean": clean,
        "noisy": noisy,
        "validation_clean": validation_clean,
        "validation_noisy": validation_noisy,
        "explained": explained,
        "features": features,
        "lesions": lesions,
        "validation_lesions": validation_lesions,
    }
    run(name, {key: path for key, path in given.items() if path is not None}, out, parse_json(options), seed=seed, device=device)


def trainings() -> None:
    """Print the trainings with their inputs, options and defaults."""
    from fplbench.training.documentation import describe_trainings

    typer.echo(describe_trainings())
