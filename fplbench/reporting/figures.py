"""A test image before and after denoising (the paper's Figures 3 to 5), and with every noise (Figure 2)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench import scoring
from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Panel, choose_image, draw, open_image, save, scale
from fplbench.stacks import open_stack, read_index

EXAMPLE_COLUMNS = 4
NOISE_COLUMNS = range(4, 8)


def example_figure(
    output: str | os.PathLike,
    clean: str | os.PathLike,
    noisy: str | os.PathLike,
    denoised: Sequence[str | os.PathLike],
    restoration: str | os.PathLike | None = None,
    explanation: Mapping[str, Any] | None = None,
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one test image: clean, noisy, denoised by several methods, and the features of noisy and denoised.

    Args:
        output: the picture to write; the ending names the format (.png, .pdf, .svg).
        clean: the clean stack, with its index.
        noisy: the noisy stack, a file named {noise}/{split}.npy.
        denoised: stacks named {method}.npy, the method whose features are shown first.
        restoration: weights of the restoration network that is explained; None leaves the features out.
        explanation: readout, activation and beta of the guided back-propagation; None takes its defaults.
        image: which image of the stacks, counted from 0; None is the middle one.
        note: text below the panels.
        labels: labels of noise and methods.

    Raises:
        InputError: a stack is missing or of another shape than the clean one, or has no such image.
    """
    labels = labels or Labels()
    stack = open_stack(clean)
    image = choose_image(stack, clean, image)
    degraded = open_image(noisy, image, stack, clean)
    results = {Path(path).stem: open_image(path, image, stack, clean) for path in denoised}
    panels = example_panels(stack[image], degraded, results, labels)
    if restoration is not None:
        panels += feature_panels(restoration, np.stack([degraded, next(iter(results.values()))]), explanation or {})
    title = f"{labels.noise(Path(noisy).parent.name)}: image {read_index(clean)[image]['image_id']}"
    save(draw(panels, EXAMPLE_COLUMNS, title, note), output)


def example_panels(clean: np.ndarray, noisy: np.ndarray, denoised: Mapping[str, np.ndarray], labels: Labels) -> list[Panel]:
    """The images of the paper's Figures 3 to 5, in its order, with their PSNR and SSIM in the title.

    Args:
        clean: uint8 (H, W).
        noisy: the same shape.
        denoised: uint8 (H, W) by method.
        labels: labels of the methods.
    """
    return [
        Panel("Clean", clean),
        Panel(f"Noisy\n{_scores(clean, noisy)}", noisy),
        *(Panel(f"{labels.method(name)}\n{_scores(clean, image)}", image) for name, image in denoised.items()),
    ]


def feature_panels(restoration: str | os.PathLike, images: np.ndarray, explanation: Mapping[str, Any]) -> list[Panel]:
    """Feature maps of the noisy image and of a denoised one, uint8 (2, H, W), on one scale."""
    from fplbench.explaining.maps import feature_maps

    maps = feature_maps(restoration, images, **explanation)
    titles = "Features of noisy", "Features of denoised"
    return [Panel(title, features, *scale(maps)) for title, features in zip(titles, maps, strict=True)]


def noise_figure(
    output: str | os.PathLike,
    clean: str | os.PathLike,
    noisy: Sequence[str | os.PathLike],
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one image with every noise, as the paper's Figure 2.

    Args:
        output: the picture to write; the ending names the format.
        clean: the clean stack.
        noisy: noisy stacks, files named {noise}/{split}.npy.
        image: which image of the stacks, counted from 0; None is the middle one.
        note: text below the panels.
        labels: labels of the noises.

    Raises:
        InputError: a stack is missing or of another shape than the clean one, or has no such image.
    """
    labels = labels or Labels()
    stack = open_stack(clean)
    image = choose_image(stack, clean, image)
    paths = {Path(path).parent.name: path for path in noisy}
    panels = [Panel("Clean", stack[image])]
    for noise in labels.noises(paths):
        degraded = open_image(paths[noise], image, stack, clean)
        panels.append(Panel(f"{labels.noise(noise)}\n{_scores(stack[image], degraded)}", degraded))
    columns = min(NOISE_COLUMNS, key=lambda count: (-len(panels) % count, -count))
    save(draw(panels, columns, note=note), output)


def _scores(clean: np.ndarray, image: np.ndarray) -> str:
    return f"{scoring.psnr(clean, image):.2f} dB / {scoring.ssim(clean, image):.3f}"
