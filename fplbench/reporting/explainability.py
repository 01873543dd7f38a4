"""Figure of the feature maps of one or two networks for clean, noisy and denoised images."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.explaining.options import LESION_EXPLANATION
from fplbench.reporting.arrangement import Arrangement, Column, Legend, fill
from fplbench.reporting.example import Example
from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Panel, check_picture, save, scale
from fplbench.reporting.scale_bars import DIVERGING, Bar, feature_bar, feature_difference_bar, grey_bar
from fplbench.reporting.sentences import sentences
from fplbench.scoring.metrics import feature_error

COLUMNS = (6, 5, 7, 4)
ROWS = (
    "F: feature maps of the restoration network. In the columns below: the image, its F, and the difference of this F from F of "
    "the clean image, with the relative error"
)
LESION_ROWS = (
    "F, lesions: the same of the network that finds lesions (the sigmoid of its output, explained with ReLU), and its differences"
)


def explainability_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    restoration: str | os.PathLike[str],
    explanation: Mapping[str, Any] | None = None,
    image: int | str | None = None,
    note: str = "",
    labels: Labels | None = None,
    dataset: str = "",
    also: str | os.PathLike[str] | None = None,
    lesion: str | os.PathLike[str] | None = None,
) -> None:
    """Draw one test image, clean, noisy and denoised by each method, with its feature maps and their differences.

    The arguments and errors are those of `fplbench.reporting.figures.example_figure`; the restoration network is required. With
    `lesion`, the weight file of a network that finds lesions, its maps are below those of the restoration network.
    """
    from fplbench.explaining.maps import feature_maps

    pictures = [path for path in (output, also) if path is not None]
    for path in pictures:
        check_picture(path)
    labels = labels or Labels()
    example = Example(clean, image)
    paths = {Path(path).stem: path for path in denoised if Path(path).stem != "noisy"}
    titles = ["Clean", "Noisy", *(labels.method(method) for method in labels.methods(paths))]
    images = np.stack([example.clean, *(example.of(path) for path in (noisy, *(paths[name] for name in labels.methods(paths))))])
    explanation = explanation or {}
    maps = {"": np.asarray(feature_maps(restoration, images, **explanation))}
    if lesion is not None:
        maps[", lesions"] = feature_maps(lesion, images, device=explanation.get("device", "auto"), **LESION_EXPLANATION)
    first, columns, bars = explainability_columns(titles, images, maps)
    page = Arrangement(fill(len(columns), COLUMNS), example.clean.shape)
    page.heading(example.heading(labels, dataset, labels.noise_title(Path(noisy).parent.name)))
    words = [ROWS] if lesion is None else [ROWS, LESION_ROWS]
    page.beside(first, Legend([grey_bar(example.entry), *bars], sentences(*words, note)))
    page.columns_of(columns)
    figure = page.figure()
    for path in pictures:
        save(figure, path, figure.dpi)


def explainability_columns(
    titles: Sequence[str], images: np.ndarray, maps: Mapping[str, np.ndarray]
) -> tuple[list[Panel], Sequence[Column], list[Bar]]:
    """Panels of the clean image, columns of the others (image, and each feature map above its difference), and the scales.

    Args:
        titles: K titles, that of the clean image first.
        images: uint8 (K, H, W).
        maps: feature maps, float (K, H, W), by what comes after the F of their titles.
    """
    first = [Panel(titles[0], images[0])]
    columns: list[list[Panel]] = [[Panel(title, image)] for title, image in zip(titles, images, strict=True)][1:]
    bars: list[Bar] = []
    for which, found in maps.items():
        black, white = scale(found)
        differences = found - found[0]
        bound = max(map(abs, scale(differences[1:])))
        errors = feature_error(found, np.broadcast_to(found[0], found.shape))
        first.append(Panel(f"F{which}: {titles[0]}", found[0], black, white))
        for column, each, difference, error in zip(columns, found[1:], differences[1:], errors[1:], strict=True):
            column.append(Panel("" if len(maps) == 1 else f"F{which}", each, black, white))
            column.append(Panel(f"error {error:.3f}", difference, -bound, bound, DIVERGING))
        bars += [feature_bar(black, white, which), feature_difference_bar(bound, which)]
    return first, columns, bars
