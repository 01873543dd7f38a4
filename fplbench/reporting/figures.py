"""A test image before and after denoising, as in the paper's Figures 3 to 5, with what each method changed."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.arrangement import Arrangement, Column, Legend, fill
from fplbench.reporting.detail import MOST_DETAIL, Detail, choose_detail
from fplbench.reporting.example import Example, scores_title
from fplbench.reporting.labels import UNPROCESSED, Labels
from fplbench.reporting.panels import Panel, check_picture, save, scale
from fplbench.reporting.scale_bars import (
    DIVERGING,
    SATURATED,
    Bar,
    difference_bar,
    feature_bar,
    feature_difference_bar,
    grey_bar,
)
from fplbench.reporting.sentences import sentences
from fplbench.scoring.metrics import feature_error

COLUMNS = (4, 5, 3, 6)
SCORES = "Above an image: its PSNR and SSIM. Below it: its difference from the clean image, bright where it is brighter"
FEATURES = (
    "Features F: feature maps of the restoration network for the clean image, the noisy image and the image denoised by {first}; "
    "below the last two, their differences from F of the clean image, with the relative error"
)


def example_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    restoration: str | os.PathLike[str] | None = None,
    explanation: Mapping[str, Any] | None = None,
    image: int | str | None = None,
    note: str = "",
    labels: Labels | None = None,
    dataset: str = "",
    also: str | os.PathLike[str] | None = None,
) -> None:
    """Draw one test image: clean, noisy, denoised by several methods, their differences, and feature maps.

    A part of each panel is magnified: the lesion of the image, if it has one, see `fplbench.reporting.detail.choose_detail`.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        clean: the clean stack, with its index, and its lesion stack if there is one.
        noisy: the noisy stack, named {noise}/{split}.npy.
        denoised: stacks named {method}.npy, first the method whose features are shown. The unprocessed one is left out.
        restoration: weight file of the restoration network that is explained; without it, no feature maps are drawn.
        explanation: readout, activation and beta of `guided_backprop`, and the device; None takes the defaults.
        image: which image of the stacks, see `fplbench.reporting.example.Example`.
        note: text below the panels.
        labels: labels of the data set, the noise and the methods.
        dataset: name of the data set, for the heading.
        also: a second picture of the same figure, such as a .pdf beside a .png.

    Raises:
        InputError: a stack is missing, malformed or does not match the clean one, there is no denoised one or no such image, or
            the name of a picture does not end like one.
    """
    pictures = [path for path in (output, also) if path is not None]
    for path in pictures:
        check_picture(path)
    labels = labels or Labels()
    example = Example(clean, image)
    paths = {Path(path).stem: path for path in denoised if Path(path).stem != UNPROCESSED}
    if not paths:
        raise InputError(f"The figure of {clean} needs the images of at least one method that denoises.")
    images = [(labels.method(name), example.of(path)) for name, path in {UNPROCESSED: noisy, **paths}.items()]
    columns, bars = example_columns(example, images)
    about = ""
    if restoration is not None:
        columns, bars = with_features(columns, bars, restoration, [("Clean", example.clean), *images[:2]], explanation or {})
        about = FEATURES.format(first=images[1][0])
    detail, magnified = magnified_part(example)
    page = Arrangement(fill(len(columns), COLUMNS), example.clean.shape, detail)
    page.heading(example.heading(labels, dataset, labels.noise_title(Path(noisy).parent.name)))
    words = sentences(SCORES, about, magnified, note)
    if restoration is None:
        page.columns_of(columns)
        page.paragraph(words)
    else:
        page.columns_of(columns, Legend(bars, words))
    figure = page.figure()
    for path in pictures:
        save(figure, path, figure.dpi)


def example_columns(example: Example, images: Sequence[tuple[str, np.ndarray]]) -> tuple[list[Column], list[Bar]]:
    """The clean image above the scales, each other image above its difference from it, and the scales.

    Args:
        example: the clean image.
        images: title and uint8 (H, W), the noisy image and then the denoised ones. The colours of all differences end where
            almost all of those of the denoised images do, so that those of the noisy image may exceed them.
    """
    clean = example.clean
    differences = [image.astype(np.int16) - clean for _, image in images]
    bar, bound = difference_bar(np.percentile(np.abs(differences[1:]), SATURATED), example.entry)
    bars = [grey_bar(example.entry), bar]
    columns: list[Column] = [(Panel("Clean", clean, marked=True), Legend(bars))]
    for (title, image), difference in zip(images, differences, strict=True):
        above = Panel(f"{title}\n{scores_title(clean, image)}", image)
        columns.append((above, Panel(f"{title} − clean", difference, -bound, bound, DIVERGING)))
    return columns, bars


def with_features(
    columns: Sequence[Column],
    bars: Sequence[Bar],
    restoration: str | os.PathLike[str],
    images: Sequence[tuple[str, np.ndarray]],
    explanation: Mapping[str, Any],
) -> tuple[list[Column], list[Bar]]:
    """Panels and scales with feature maps: that of the clean image below it, and two columns more.

    Args:
        columns: those of the images, the clean one first.
        bars: their scales.
        restoration: weight file of the restoration network.
        images: title and uint8 (H, W) of the clean, the noisy and a denoised one.
        explanation: readout, activation and beta of `guided_backprop`, and the device.
    """
    from fplbench.explaining.maps import feature_maps

    maps = np.asarray(feature_maps(restoration, np.stack([image for _, image in images]), **explanation))
    black, white = scale(maps)
    differences = maps - maps[0]
    bound = max(map(abs, scale(differences[1:])))
    errors = feature_error(maps, np.broadcast_to(maps[0], maps.shape))
    panels = [Panel(f"Features F: {title}", each, black, white) for (title, _), each in zip(images, maps, strict=True)]
    found: list[Column] = [(columns[0][0], panels[0]), *columns[1:]]
    for (title, _), panel, difference, error in zip(images[1:], panels[1:], differences[1:], errors[1:], strict=True):
        found.append((panel, Panel(f"F: {title} − clean\nerror {error:.3f}", difference, -bound, bound, DIVERGING)))
    return found, [*bars, feature_bar(black, white), feature_difference_bar(bound)]


def magnified_part(example: Example) -> tuple[Detail, str]:
    """The part of the image that is magnified, and a sentence that says which it is."""
    lesion = example.lesion()
    detail = choose_detail(example.clean, None if lesion is None else lesion[0])
    what = MOST_DETAIL
    if lesion is not None:
        mask, row = lesion
        whole = mask.sum() == mask[detail.rows, detail.columns].sum()
        size = f", {float(row['size_mm']):.3g}\xa0mm" if row["size_mm"] else ""
        what = f"{'' if whole else 'the middle of '}the largest lesion ({row['kind'].replace('_', ' ')}{size})"
        what += f", outlined{' by its box' if row['shape'] == 'box' else ''}" if detail.mask is not None else ""
    return detail, f"Magnified, and framed in the clean image: {what}"
