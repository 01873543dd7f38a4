"""The command that computes feature maps."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import DeviceName, ExplanationJson, NumericsJson, Threads, apply_numerics, read_explanation, use_threads


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("features")(features)


def features(
    restoration: Annotated[Path, typer.Argument(help="Weight file of the restoration network, .safetensors.")],
    clean: Annotated[Path, typer.Argument(help="Stack of images, .npy, of any size.")],
    out: Annotated[Path, typer.Argument(help="File of maps to write, .npy, float16.")],
    explanation: ExplanationJson = "{}",
    numerics: NumericsJson = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Write the guided back-propagation maps of a stack."""
    use_threads(threads)
    apply_numerics(numerics)
    from fplbench.explaining.maps import write_features

    write_features(restoration, clean, out, device, **read_explanation(explanation))
