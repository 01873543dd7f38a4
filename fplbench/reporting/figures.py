"""A test image before and after denoising (the paper's Figures 3 to 5)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Example, Panel, draw, save, scale, scores_title

EXAMPLE_COLUMNS = 4


def example_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    restoration: str | os.PathLike[str] | None = None,
    explanation: Mapping[str, Any] | None = None,
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one test image: clean, noisy, denoised by several methods, and feature maps of the noisy and a denoised image.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        clean: the clean stack, with its index.
        noisy: the noisy stack, named {noise}/{split}.npy.
        denoised: stacks named {method}.npy, first the method whose features are shown.
        restoration: weight file of the restoration network that is explained; without it, no feature maps are drawn.
        explanation: readout, activation and beta of `guided_backprop`, and the device; None takes the defaults.
        image: which image of the stacks, counted from 0; None is the middle one.
        note: text below the panels.
        labels: labels of the noise and the methods.

    Raises:
        InputError: a stack is missing, malformed or does not match the clean one, or there is no such image.
    """
    labels = labels or Labels()
    example = Example(clean, image)
    degraded = example.of(noisy)
    results = {labels.method(Path(path).stem): example.of(path) for path in denoised}
    panels = example_panels(example.clean, degraded, results)
    if restoration is not None:
        first = next(iter(results))
        panels += feature_panels(restoration, {"Noisy": degraded, first: results[first]}, explanation or {})
    title = f"{labels.noise_title(Path(noisy).parent.name)}: image {example.name}"
    save(draw(panels, EXAMPLE_COLUMNS, title, note), output)


def example_panels(clean: np.ndarray, noisy: np.ndarray, denoised: Mapping[str, np.ndarray]) -> list[Panel]:
    """The images of the paper's Figures 3 to 5, in its order, with PSNR and SSIM in the titles.

    Args:
        clean: uint8 (H, W).
        noisy: uint8 (H, W).
        denoised: uint8 (H, W), by label of the method.
    """
    scored = [("Noisy", noisy), *denoised.items()]
    return [Panel("Clean", clean), *(Panel(f"{label}\n{scores_title(clean, image)}", image) for label, image in scored)]


def feature_panels(
    restoration: str | os.PathLike[str], images: Mapping[str, np.ndarray], explanation: Mapping[str, Any]
) -> list[Panel]:
    """Feature maps on one grey scale.

    Args:
        restoration: weight file of the restoration network.
        images: uint8 (H, W), by title.
        explanation: readout, activation and beta of `guided_backprop`, and the device.
    """
    from fplbench.explaining.maps import feature_maps

    maps = feature_maps(restoration, np.stack(list(images.values())), **explanation)
    return [Panel(f"Features: {title}", features, *scale(maps)) for title, features in zip(images, maps, strict=True)]
