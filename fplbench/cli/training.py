"""Commands that train and explain networks."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import DeviceName, OptionsJson, Seed, Threads, read_explanation, read_options

Explanation = Annotated[
    str, typer.Option("--explanation", help="Readout, activation and beta, as a JSON object.", metavar="JSON")
]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("train-restoration")(train_restoration)
    app.command("train-denoiser")(train_denoiser)
    app.command("train-drunet")(train_drunet)
    app.command("features")(features)
    app.command("feature-scores")(feature_scores)


def train_restoration(
    clean: Path,
    out: Path,
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Train the restoration network on a stack of clean images."""
    _use_threads(threads)
    from fplbench.training import stages
    from fplbench.training.options import TrainingOptions

    stages.train_restoration(clean, out, read_options(TrainingOptions, options, "restoration"), seed, device)


def train_denoiser(
    clean: Path,
    noisy: Path,
    out: Path,
    restoration: Annotated[Path | None, typer.Option(help="Weights of the restoration network.")] = None,
    features: Annotated[Path | None, typer.Option(help="F_clean of the clean stack.")] = None,
    options: OptionsJson = "{}",
    explanation: Explanation = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Train a denoiser with the residual and the feature preserving loss."""
    _use_threads(threads)
    from fplbench.training import stages
    from fplbench.training.options import DenoiserOptions, ExplanationOptions

    stages.train_denoiser(
        clean,
        noisy,
        out,
        read_options(DenoiserOptions, options, "denoiser"),
        read_options(ExplanationOptions, explanation, "explanation", "--explanation"),
        seed,
        restoration,
        features,
        device,
    )


def train_drunet(
    clean: Path,
    out: Path,
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Train DPIR's denoiser on a stack of clean images."""
    _use_threads(threads)
    from fplbench.training import stages
    from fplbench.training.options import DrunetOptions

    stages.train_drunet(clean, out, read_options(DrunetOptions, options, "drunet"), seed, device)


def features(
    restoration: Path,
    clean: Path,
    out: Path,
    explanation: Explanation = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Write the guided back-propagation maps of a stack."""
    _use_threads(threads)
    from fplbench.features import write_features

    write_features(restoration, clean, out, device, **read_explanation(explanation))


def feature_scores(
    restoration: Path,
    clean: Path,
    out: Path,
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy.")],
    explanation: Explanation = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Score the relative squared error of the feature maps of denoised stacks."""
    _use_threads(threads)
    from fplbench.features import write_feature_errors

    write_feature_errors(restoration, clean, denoised, out, device, **read_explanation(explanation))


def _use_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
