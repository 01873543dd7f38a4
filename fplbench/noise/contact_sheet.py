"""A picture of every noise on an image of each data set, with a magnified part and the difference from the clean image."""

import os
from collections.abc import Mapping
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
SHOWN_DIFFERENCE = 0.5
"""Difference at which its colour saturates, fraction of the grey range."""


def contact_sheet(
    output: str | os.PathLike,
    clean: Mapping[str, str | os.PathLike],
    options: Mapping[str, Mapping[str, Any]],
    *,
    seed: int,
    image: int | None = None,
    captions: Mapping[str, str] | None = None,
) -> None:
    """Draw every noise on one image of each data set.

    Each noise is a row; each data set has two columns: the noisy image with a magnified part, and the difference from the
    clean image in colours (red brighter, blue darker).

    Args:
        output: the picture to write: .png, .pdf or .svg.
        clean: data set to the .npy file of its clean test stack, with its index.
        options: options of the noises, by name; a noise that is not there has its defaults.
        seed: seed of the run; the images get the draws they get in the benchmark.
        image: which image of each stack, counted from 0; the middle one if None.
        captions: words above the columns of a data set, in place of its name.

    Raises:
        InputError: a stack is missing or has no such image, or an option is wrong.
    """
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    titles = sorted(NOISES, key=lambda name: NOISES[name].title)
    names = {dataset: (captions or {}).get(dataset, dataset) for dataset in clean}
    pictures = {dataset: _pictures(dataset, path, options, seed, image) for dataset, path in clean.items()}
    rows = -(-len(titles) // BLOCKS)
    columns = 2 * len(clean)
    figure, axes = plt.subplots(
        rows, BLOCKS * columns, figsize=(1.3 * BLOCKS * columns, 1.36 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for number, name in enumerate(titles):
        row, left = number % rows, number // rows * columns
        for column, (dataset, images) in enumerate(pictures.items()):
            noisy, difference = axes[row, left + 2 * column : left + 2 * column + 2]
            _show_noisy(noisy, images[name])
            span = {"vmin": -SHOWN_DIFFERENCE, "vmax": SHOWN_DIFFERENCE}
            difference.imshow(images[name] - images[""], cmap="RdBu_r", interpolation="nearest", **span)
            if row == 0:
                noisy.set_title(names[dataset], fontsize=8, loc="left")
                difference.set_title("difference", fontsize=8, loc="left")
        axes[row, left].text(
            -0.04, 0.5, NOISES[name].title, rotation=90, ha="right", va="center", fontsize=7,
            transform=axes[row, left].transAxes,
        )  # fmt: skip
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)


def _pictures(
    dataset: str, path: str | os.PathLike, options: Mapping[str, Mapping[str, Any]], seed: int, image: int | None
) -> dict[str, np.ndarray]:
    """The clean image under "" and each noisy one under the noise's name, float32 in [0,1]."""
    stack, index = open_stack(path), read_index(path)
    number = len(stack) // 2 if image is None else image
    if not 0 <= number < len(stack):
        raise InputError(f"{path} has {len(stack)} images; there is no image {number}, counted from 0.")
    clean = stack[number : number + 1].astype(np.float32) / np.float32(255)
    ids = [f"{dataset}/test/{index[number]['image_id']}"]
    pictures = {"": clean[0]}
    for name, entry in NOISES.items():
        chosen = parse_options(entry.options, options.get(name, {}), f"noises.{name}")
        values = with_window(chosen, index).model_dump()
        pictures[name] = synthesize(name, clean, seed=seed, image_ids=ids, **values)[0]
    return pictures


def _show_noisy(axis: "Axes", image: np.ndarray) -> None:
    """The image, with its middle left part three times as large in the lower right corner."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    height, width = image.shape
    part = image[height * 3 // 8 : height * 3 // 8 + height // 7, width // 4 : width // 4 + width // 7]
    inset = axis.inset_axes((0.57, 0.0, 0.43, 0.43))
    inset.imshow(part, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set_color("gold")
