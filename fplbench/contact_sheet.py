"""Every noise on an image of each data set, with a magnified part and the difference from the clean image."""

import os
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.noise.entry import NOISES
from fplbench.noise.synthesis import synthesize, with_window
from fplbench.registry import parse_options
from fplbench.stacks import open_stack, read_index, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLOCKS = 2
"""Blocks of rows side by side."""
CLEAN = "clean"
SHOWN_DIFFERENCE = 0.5
"""Difference at which its colour saturates, fraction of the grey range."""


def contact_sheet(
    output: str | os.PathLike,
    clean: Mapping[str, str | os.PathLike],
    options: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    seed: int,
    image: int | None = None,
    captions: Mapping[str, str] | None = None,
) -> None:
    """Draw every noise on one image of each data set.

    Each noise is a row; each data set has two columns: the noisy image with a magnified part, and the difference from
    the clean image in colours (red brighter, blue darker).

    Args:
        output: the picture to write: .png, .pdf or .svg.
        clean: data set to the .npy file of its clean test stack, with its index.
        options: options of the noises by data set and noise; a noise that is not there has its defaults.
        seed: seed of the run; the images get the draws they get in the benchmark.
        image: which image of each stack, counted from 0; the middle one if None.
        captions: words above the columns of a data set, in place of its name.

    Raises:
        InputError: a stack is missing or has no such image, or an option is wrong.
    """
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    pictures = {dataset: _pictures(dataset, path, options.get(dataset, {}), seed, image) for dataset, path in clean.items()}
    names = sorted(NOISES, key=lambda name: NOISES[name].title)
    rows, columns = -(-len(names) // BLOCKS), 2 * len(clean)
    size = 1.3 * BLOCKS * columns, 1.36 * rows
    figure, axes = plt.subplots(rows, BLOCKS * columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set_axis_off()
    for number, name in enumerate(names):
        block, row = divmod(number, rows)
        _draw_row(axes[row, block * columns : (block + 1) * columns], name, list(pictures.values()))
        if row == 0:
            for axis, dataset in zip(axes[0, block * columns :: 2], clean, strict=False):
                axis.set_title(fill((captions or {}).get(dataset, dataset), 20), fontsize=8, loc="left")
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)


def _draw_row(axes: Sequence["Axes"], name: str, pictures: Sequence[Mapping[str, np.ndarray]]) -> None:
    """One noise on all data sets: pairs of noisy image and difference, with the name at the left."""
    for noisy, difference, images in zip(axes[::2], axes[1::2], pictures, strict=True):
        _show_noisy(noisy, images[name])
        span = {"vmin": -SHOWN_DIFFERENCE, "vmax": SHOWN_DIFFERENCE}
        difference.imshow(images[name] - images[CLEAN], cmap="RdBu_r", interpolation="nearest", **span)
    place = {"rotation": 90, "ha": "right", "va": "center", "transform": axes[0].transAxes}
    axes[0].text(-0.04, 0.5, fill(NOISES[name].title, 20), fontsize=7, **place)


def _pictures(
    dataset: str, path: str | os.PathLike, options: Mapping[str, Mapping[str, Any]], seed: int, image: int | None
) -> dict[str, np.ndarray]:
    """The clean image and each noisy one, float32 in [0,1], under CLEAN and the noises' names."""
    for name in options:
        NOISES[name]  # a misspelt one is an error
    stack, index = open_stack(path), read_index(path)
    number = len(stack) // 2 if image is None else image
    if not 0 <= number < len(stack):
        raise InputError(f"{path} has {len(stack)} images; there is no image {number}, counted from 0.")
    clean = stack[number : number + 1].astype(np.float32) / np.float32(255)
    ids = [f"{dataset}/test/{index[number]['image_id']}"]
    pictures = {CLEAN: clean[0]}
    for name, entry in NOISES.items():
        chosen = parse_options(entry.options, options.get(name, {}), f"noises.{name}")
        values = with_window(chosen, index).model_dump()
        pictures[name] = synthesize(name, clean, seed=seed, image_ids=ids, **values)[0]
    return pictures


def _show_noisy(axis: "Axes", image: np.ndarray) -> None:
    """The image, with its middle left part three times as large in the lower right corner."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    height, width = image.shape
    part = image[height * 3 // 8 : height * 3 // 8 + height // 5, width // 4 : width // 4 + width // 5]
    inset = axis.inset_axes((0.57, 0.0, 0.43, 0.43))
    inset.imshow(part, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set_color("gold")
