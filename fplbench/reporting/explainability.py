"""Figure of the restoration network's feature maps for clean, noisy and denoised images."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Example, Panel, draw, save, scale
from fplbench.reporting.sentences import sentences
from fplbench.scoring.metrics import feature_error

PANEL_INCHES = 1.5
SCALES = (
    "Top: images, from 0 (black) to 255 (white). Middle: feature maps F, from {black:.3g} (black) to {white:.3g} (white). "
    "Bottom: difference from F of the clean image, from {negative:.3g} (black) through 0 (grey) to {positive:.3g} (white)."
)


def explainability_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    restoration: str | os.PathLike[str],
    explanation: Mapping[str, Any] | None = None,
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one test image, clean, noisy and denoised by each method, with its feature maps and their differences.

    The arguments and errors are those of `fplbench.reporting.figures.example_figure`; the restoration network is required.
    """
    from fplbench.explaining.maps import feature_maps

    labels = labels or Labels()
    example = Example(clean, image)
    images = {"Clean": example.clean, "Noisy": example.of(noisy)}
    paths = {Path(path).stem: path for path in denoised}
    for method in labels.methods(paths):
        images.setdefault(labels.method(method), example.of(paths[method]))
    maps = np.asarray(feature_maps(restoration, np.stack(list(images.values())), **explanation or {}))
    panels, scales = explainability_panels(images, maps)
    title = f"{labels.noise_title(Path(noisy).parent.name)}: image {example.name}"
    save(draw(panels, len(images), title, sentences(note, scales), PANEL_INCHES), output)


def explainability_panels(images: Mapping[str, np.ndarray], maps: np.ndarray) -> tuple[list[Panel], str]:
    """Three rows of panels, each row on one grey scale, and the sentences that state the scales.

    Args:
        images: uint8 (H, W) by title, K of them, the clean image first.
        maps: float (K, H, W), their feature maps.
    """
    black, white = scale(maps)
    differences = maps - maps[0]
    bound = max(map(abs, scale(differences)))
    errors = feature_error(maps, np.broadcast_to(maps[0], maps.shape))
    panels = [Panel(title, image) for title, image in images.items()]
    panels += [Panel("", feature_map, black, white) for feature_map in maps]
    panels += [Panel(f"error {error:.3f}", each, -bound, bound) for error, each in zip(errors, differences, strict=True)]
    return panels, SCALES.format(black=black, white=white, negative=-bound, positive=bound)
