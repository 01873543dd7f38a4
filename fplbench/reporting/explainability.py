"""Figure of the restoration network's feature maps for clean, noisy and denoised images."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
) -> None:
    """Draw one test image, clean, noisy and denoised by each method, with its feature maps and their differences.

    The arguments and errors are those of `fplbench.reporting.figures.example_figure`; the restoration network is required.
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
    maps = np.asarray(feature_maps(restoration, images, **explanation or {}))
    first, columns, bars = explainability_columns(titles, images, maps)
    page = Arrangement(fill(len(columns), COLUMNS), example.clean.shape)
    page.heading(example.heading(labels, dataset, labels.noise_title(Path(noisy).parent.name)))
    page.beside(first, Legend([grey_bar(example.entry), *bars], sentences(ROWS, note)))
    page.columns_of(columns)
    figure = page.figure()
    for path in pictures:
        save(figure, path, figure.dpi)


def explainability_columns(
    titles: Sequence[str], images: np.ndarray, maps: np.ndarray
) -> tuple[list[Panel], list[Column], list[Bar]]:
    """Panels of the clean image, columns of the others (image, feature map, difference), and the scales of the last two.

    Args:
        titles: K titles, that of the clean image first.
        images: uint8 (K, H, W).
        maps: float (K, H, W), their feature maps.
    """
    black, white = scale(maps)
    differences = maps - maps[0]
    bound = max(map(abs, scale(differences[1:])))
    errors = feature_error(maps, np.broadcast_to(maps[0], maps.shape))
    first = [Panel(titles[0], images[0]), Panel(f"F: {titles[0]}", maps[0], black, white)]
    columns: list[Column] = []
    for title, image, each, difference, error in zip(titles, images, maps, differences, errors, strict=True):
        last = Panel(f"error {error:.3f}", difference, -bound, bound, DIVERGING)
        columns.append((Panel(title, image), Panel("", each, black, white), last))
    return first, columns[1:], [feature_bar(black, white), feature_difference_bar(bound)]
