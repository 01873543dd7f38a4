"""The command that computes feature maps."""

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


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("features")(features)


def features(
    network: ExplainedNetwork,
    clean: Annotated[Path, typer.Argument(help="Stack of images, .npy, of any size.")],
    out: Annotated[Path, typer.Argument(help="File of maps to write, .npy, float16.")],
    explanation: ExplanationJson = "{}",
    numerics: NumericsJson = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Write the feature maps of a stack: by default, those of guided back-propagation, as in the paper."""
    apply_numerics(numerics)
    use_threads(threads)
    from fplbench.explaining.maps import write_features

    write_features(network_path(network), clean, out, device, **read_explanation(explanation))
