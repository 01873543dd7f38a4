"""Trainings that are set up on made-up images, so that their steps can be counted or timed without any data."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.planning.images import explained_width
from fplbench.registry import parse_options

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.config.fits import Fit
    from fplbench.explaining.options import ExplanationOptions
    from fplbench.training.loop.stopwatch import Stopwatch
    from fplbench.training.registry import Input

SEED = 1


@contextmanager
def folder_of_images(
    config: "Config", count: int, side: int, explanation: "ExplanationOptions | None" = None
) -> "Iterator[Mapping[Input, Path]]":
    """Context that yields what trainings read, made up: stacks of random images, with Gaussian noise and with one lesion each.

    Args:
        config: the widths of the networks that are explained, and what is found in an image.
        count: number of images.
        side: of the images, pixels.
        explanation: what is found instead.
    """
    with tempfile.TemporaryDirectory(prefix="fplbench-") as folder:
        yield _write(Path(folder), config, count, side, explanation or config.explanation)


def untrained(fit: "Fit", files: "Mapping[Input, Path]", **changes: Any) -> "Path":
    """Write the network of a training, as it is before its first step, and return its weight file."""
    from fplbench.networks import weights

    path = files["clean"].with_name(f"{fit.name}_untrained.safetensors")
    weights.save(set_up(fit, files, "cpu", **changes).network, path)
    return path


def set_up(fit: "Fit", files: "Mapping[Input, Path]", device: str, **changes: Any) -> "Stopwatch":
    """Set up a training without running it.

    Args:
        fit: the training.
        files: from `folder_of_images`.
        device: auto, cpu or cuda.
        **changes: options that differ from those of the training.

    Raises:
        InputError: a package that its network needs cannot be used, or it does not use the training loop of fplbench.
    """
    from fplbench.training.loop.stopwatch import instead_of_training

    options = {**fit.options, **changes}
    parsed = parse_options(fit.training.options, options, f"training.{fit.name}")
    needed = {key: path for key, path in files.items() if key in fit.training.needs(options)}
    with instead_of_training() as found:
        fit.training.function(needed, files["clean"].with_name(f"{fit.name}.safetensors"), parsed, SEED, device)
    if len(found) != 1:
        raise InputError(f"The training {fit.name!r} does not use the training loop of fplbench, so its steps cannot be counted.")
    return found[0]


def _write(folder: Path, config: "Config", count: int, side: int, options: "ExplanationOptions") -> "dict[Input, Path]":
    from fplbench.device import choose_device
    from fplbench.explaining.maps import OUTPUTS, write_features
    from fplbench.lesions.stack import COLUMNS, lesions_path, write_lesions
    from fplbench.networks import UNet, weights
    from fplbench.noise import synthesize_stack
    from fplbench.stacks import write_stack
    from fplbench.training.loop.tensors import seeded

    pixels = np.random.default_rng(SEED).integers(0, 256, (count, side, side), dtype=np.uint8)
    index = [{"image_id": number, "patient": number, "source": "random", "slice": 0} for number in range(count)]
    clean, noisy = folder / "clean.npy", folder / "noisy.npy"
    write_stack(clean, pixels, index)
    synthesize_stack("gaussian", clean, noisy, {}, seed=SEED)
    masks = np.zeros_like(pixels)
    masks[:, : side // 4, : side // 4] = 1
    described = {"kind": "lesion", "pixels": (side // 4) ** 2, "inserted": 0}
    rows = [{**dict.fromkeys(COLUMNS, ""), **described, "image_id": n, "lesion": 1, "lesion_id": n} for n in range(count)]
    write_lesions(clean, masks, rows)
    network = folder / "explained.safetensors"
    built = seeded(lambda: UNet(explained_width(config, options.network)), SEED, choose_device("cpu"))
    weights.save(built, network, {"output": OUTPUTS[options.network]})
    features = folder / "features.npy"
    write_features(network, clean, features, "cpu", **options.model_dump())
    of_images: dict[Input, Path] = {"clean": clean, "noisy": noisy, "lesions": lesions_path(clean)}
    return of_images | {"explained": network, "features": features}
