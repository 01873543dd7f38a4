"""Whether a model bundle does here what it did where it was made."""

import os

import numpy as np

from fplbench import packages
from fplbench.applying.models.bundle import open_bundle
from fplbench.applying.models.denoisers import Runtime, open_denoiser
from fplbench.applying.units import to_eight_bit
from fplbench.errors import InputError
from fplbench.networks.card import Card

RUNTIMES: tuple[Runtime, ...] = ("torch", "onnx")


def check_model(path: str | os.PathLike[str], threads: int = 1) -> list[str]:
    """Denoise the phantom of a bundle, and compare the result with the expected one.

    Processors and libraries round differently, so that pixels may differ by one grey level.

    Args:
        path: the bundle.
        threads: processor cores that the network uses.

    Returns:
        A sentence for torch, one for onnxruntime if the bundle has an ONNX model, and one if it is for CT but has no window.

    Raises:
        InputError: it is not a bundle, or a pixel differs by more than one grey level.
    """
    bundle = open_bundle(path)
    found = []
    for runtime in RUNTIMES:
        if runtime == "onnx":
            if bundle.onnx is None:
                continue
            if reason := packages.unusable("onnx", ("onnxruntime",), "onnx"):
                found.append(f"The ONNX model was not checked: {reason}")
                continue
        denoiser = open_denoiser(str(path), {}, device="cpu", threads=threads, runtime=runtime)
        found.append(_compare(to_eight_bit(denoiser(bundle.phantom)), bundle.expected, runtime, path))
    return [*found, *_window_warning(bundle.card)]


def _window_warning(card: Card) -> list[str]:
    """A sentence on a model for CT that does not say in which window."""
    if card.window or card.percentiles or not (card.hounsfield or "CT" in card.modalities):
        return []
    return ["The model is for CT, but its card has no window: `fplbench apply` needs --window LOW HIGH, in HU."]


def _compare(image: np.ndarray, expected: np.ndarray, runtime: Runtime, path: str | os.PathLike[str]) -> str:
    """A sentence on how the denoised phantom differs from the expected one."""
    name = {"torch": "torch", "onnx": "onnxruntime"}[runtime]
    difference = np.abs(image.astype(np.int16) - expected)
    count, largest = int(np.count_nonzero(difference)), int(difference.max())
    if not count:
        return f"With {name}, the phantom comes out as expected, in all {image.size:,} pixels."
    pixels = f"{count:,} of {image.size:,} pixels of the phantom {'differs' if count == 1 else 'differ'}"
    if largest > 1:
        raise InputError(
            f"With {name}, {path} does not do what it did where it was made: {pixels}, by up to {largest} "
            "grey levels. Do not use it here; check the versions of torch and onnxruntime, or get the bundle again."
        )
    return f"With {name}, {pixels} by one grey level, which is rounding; the others are equal."
