"""Figure of what the restoration network's features make of clean, noisy and denoised images."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Panel, choose_image, draw, open_image, save, scale
from fplbench.scoring import feature_error
from fplbench.stacks import open_stack, read_index

SCALES = (
    "Top: images, 0 to 255. Middle: feature maps F, all from {black:.3g} (black) to {white:.3g} (white). "
    "Bottom: F minus F of the clean image, all from {negative:.3g} (black) over 0 (grey) to {positive:.3g} (white)."
)


def explainability_figure(
    output: str | os.PathLike,
    clean: str | os.PathLike,
    noisy: str | os.PathLike,
    denoised: Sequence[str | os.PathLike],
    restoration: str | os.PathLike,
    explanation: Mapping[str, Any] | None = None,
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one test image as clean, noisy and denoised by each method, with its feature maps and their differences.

    Args:
        output: the picture to write.
        clean: the clean stack.
        noisy: the noisy stack, a file named {noise}/{split}.npy.
        denoised: stacks named {method}.npy.
        restoration: weights of the restoration network that is explained.
        explanation: readout, activation and beta of the guided back-propagation; None takes its defaults.
        image: which image of the stacks, counted from 0; None is the middle one.
        note: text below the panels, before the scales.
        labels: labels of noise and methods.

    Raises:
        InputError: a stack is missing or of another shape than the clean one, or has no such image.
    """
    from fplbench.explaining.maps import feature_maps

    labels = labels or Labels()
    stack = open_stack(clean)
    image = choose_image(stack, clean, image)
    paths = {Path(path).stem: path for path in denoised}
    images = {"Clean": np.asarray(stack[image]), "Noisy": open_image(noisy, image, stack, clean)}
    for method in labels.methods(paths):
        images.setdefault(labels.method(method), open_image(paths[method], image, stack, clean))
    maps = np.asarray(feature_maps(restoration, np.stack(list(images.values())), **explanation or {}))
    panels, scales = explainability_panels(images, maps)
    title = f"{labels.noise(Path(noisy).parent.name)}: image {read_index(clean)[image]['image_id']}"
    save(draw(panels, len(images), title, f"{note} {scales}".strip(), inches=1.5), output)


def explainability_panels(images: Mapping[str, np.ndarray], maps: np.ndarray) -> tuple[list[Panel], str]:
    """Three rows of panels, each on one grey scale, and a sentence that states the scales.

    Args:
        images: uint8 (H, W) by title, K of them, the clean image first.
        maps: float (K, H, W), their feature maps.
    """
    black, white = scale(maps)
    differences = maps - maps[0]
    bound = max(map(abs, scale(differences)))
    rows = [Panel(title, image) for title, image in images.items()]
    rows += [Panel("", feature_map, black, white) for feature_map in maps]
    errors = feature_error(maps, np.broadcast_to(maps[0], maps.shape))
    rows += [
        Panel(f"error {error:.3f}", difference, -bound, bound) for error, difference in zip(errors, differences, strict=True)
    ]
    return rows, SCALES.format(black=black, white=white, negative=-bound, positive=bound)
