"""Every noise on an image of each data set, with a magnified part and the difference from the clean image."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.files import replacing
from fplbench.noise.levels import levels_in_use
from fplbench.noise.registry import NOISES
from fplbench.noise.synthesis import drawn_levels, synthesize, with_window
from fplbench.registry import parse_options
from fplbench.stacks import open_stack, read_index

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
MAGNIFICATION = 3
INSET = 0.43
"""Side of the magnified part, fraction of the panel."""
SCALES = np.array([0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0])
"""Differences at which the colours of a row may saturate, fraction of the grey range."""
LEGEND = """Red: brighter than the clean image, blue: darker; full colour at the ± beside the noise.
Gold: where it differs most, three times as large."""


@dataclass(frozen=True)
class Picture:
    """A noisy image (H, W) in [0,1], its difference from the clean one, and its levels in words."""

    noisy: np.ndarray
    difference: np.ndarray
    levels: str


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

    The clean images are the first row; each noise is a row after it. Each data set has two columns: the noisy image,
    with its levels and the part that differs most magnified, and the difference from the clean image in colours, whose
    scale stands beside the noise.

    Args:
        output: the picture to write: .png, .pdf or .svg.
        clean: data set to the .npy file of its clean test stack, with its index.
        options: options of the noises by data set and noise; a noise that is not there has its defaults.
        seed: seed of the run; the images get the draws they get in the benchmark.
        image: which image of each stack, counted from 0; the middle one if None.
        captions: words above the columns of a data set, in place of its name.

    Raises:
        InputError: a stack is missing or has no such image, an option is wrong, a data set is not on the sheet, or the
            picture is of another kind.
    """
    _check(output, clean, options, captions or {})
    images, pictures = {}, {}
    for dataset, path in clean.items():
        images[dataset], pictures[dataset] = _pictures(dataset, path, options.get(dataset, {}), seed, image)
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    names = sorted(NOISES, key=lambda name: NOISES[name].title)
    figure, axes = plt.subplots(
        len(names) + 1,
        2 * len(clean),
        figsize=(2.7 * len(clean) + 0.4, 1.48 * len(names) + 1.5),
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0.01, hspace=0.01)
    for axis in axes.flat:
        axis.set_axis_off()
    _draw_clean(figure, axes[0], {(captions or {}).get(dataset, dataset): each for dataset, each in images.items()})
    for row, name in zip(axes[1:], names, strict=True):
        _draw_noise(row, NOISES[name].title, [each[name] for each in pictures.values()])
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=200)
    plt.close(figure)


def _check(output: str | os.PathLike, clean: Mapping, options: Mapping, captions: Mapping) -> None:
    if Path(output).suffix not in SUFFIXES:
        raise InputError(f"{output} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    for what, values in (("options", options), ("captions", captions)):
        for dataset in values:
            if dataset not in clean:
                raise InputError(f"The {what} name {dataset!r}, which is not on the sheet: {nearest(dataset, clean)}")
    for dataset, noises in options.items():
        if not isinstance(noises, Mapping):
            raise InputError(f"The options of {dataset} are {noises!r}; an object of noises with their options is needed.")
        for name, values in noises.items():
            NOISES[name]  # a misspelt one is an error
            if not isinstance(values, Mapping):
                raise InputError(f"The options of {dataset}, {name} are {values!r}; an object of options is needed.")


def _pictures(
    dataset: str, path: str | os.PathLike, options: Mapping[str, Mapping[str, Any]], seed: int, image: int | None
) -> tuple[np.ndarray, dict[str, Picture]]:
    """The clean image, float32 (H, W) in [0,1], and its pictures by noise."""
    stack, index = open_stack(path), read_index(path)
    number = len(stack) // 2 if image is None else image
    if not 0 <= number < len(stack):
        raise InputError(f"{path} has {len(stack)} images; there is no image {number}, counted from 0.")
    clean = stack[number : number + 1].astype(np.float32) / np.float32(255)
    ids = [f"{dataset}/test/{index[number]['image_id']}"]
    pictures = {}
    for name, entry in NOISES.items():
        chosen = parse_options(entry.options, options.get(name, {}), f"noises.{name}")
        levels = levels_in_use(chosen) | drawn_levels(entry, chosen, seed, ids)[0]
        words = ", ".join(f"{option.replace('_', ' ')} {value:.3g}" for option, value in levels.items())
        values = with_window(chosen, index).model_dump()
        noisy = synthesize(name, clean, seed=seed, image_ids=ids, **values)[0]
        pictures[name] = Picture(noisy, noisy - clean[0], words)
    return clean[0], pictures


def _draw_clean(figure: "Figure", axes: Sequence["Axes"], images: Mapping[str, np.ndarray]) -> None:
    """The clean images under their captions, and the legend beside the first."""
    for axis, (caption, image) in zip(axes[::2], images.items(), strict=True):
        _show(axis, image)
        axis.set_title(caption, fontsize=9, loc="left")
    axes[0].text(-0.04, 0.5, "Clean", rotation=90, ha="right", va="center", fontsize=9, transform=axes[0].transAxes)
    bar = axes[1].inset_axes((0.05, 0.78, 0.9, 0.08))
    bar.imshow(np.linspace(-1, 1, 256)[None], cmap="RdBu_r", aspect="auto", extent=(-1, 1, 0, 1))
    bar.set(xticks=[-1, 0, 1], yticks=[])
    bar.set_xticklabels(["−", "0", "+"], fontsize=7)
    words = "\n".join(fill(line, 25) for line in LEGEND.splitlines())
    axes[1].text(0.05, 0.58, words, fontsize=6.5, va="top", in_layout=False, transform=axes[1].transAxes)


def _draw_noise(axes: Sequence["Axes"], title: str, pictures: Sequence[Picture]) -> None:
    """One noise on all data sets: pairs of noisy image and difference, with name and scale at the left."""
    size = np.quantile(np.abs([each.difference for each in pictures]), 0.99)
    scale = SCALES[min(np.searchsorted(SCALES, size), len(SCALES) - 1)]
    for noisy, difference, picture in zip(axes[::2], axes[1::2], pictures, strict=True):
        _show(noisy, picture.noisy)
        _magnify(noisy, picture)
        difference.imshow(picture.difference, cmap="RdBu_r", vmin=-scale, vmax=scale, interpolation="nearest")
        noisy.set_title(picture.levels, fontsize=7.5, loc="left", pad=2, in_layout=False)
    words = f"{fill(title, 18)}\n± {scale:g}"
    axes[0].text(-0.04, 0.5, words, rotation=90, ha="right", va="center", fontsize=9, transform=axes[0].transAxes)


def _show(axis: "Axes", image: np.ndarray) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _magnify(axis: "Axes", picture: Picture) -> None:
    """Frame the part of the image that differs most, and show it magnified in a lower corner away from it."""
    import cv2

    height, width = picture.noisy.shape
    rows, columns = int(height * INSET / MAGNIFICATION), int(width * INSET / MAGNIFICATION)
    local = cv2.GaussianBlur(np.abs(picture.difference), (0, 0), rows / 4)
    centre = np.unravel_index(np.argmax(local), local.shape)
    top = np.clip(centre[0] - rows // 2, 0, height - rows)
    left = np.clip(centre[1] - columns // 2, 0, width - columns)
    axis.add_patch(_frame(left, top, columns, rows))
    at_right = top + rows < (1 - INSET) * height or left + columns < (1 - INSET) * width
    inset = axis.inset_axes((1 - INSET if at_right else 0, 0, INSET, INSET))
    _show(inset, picture.noisy[top : top + rows, left : left + columns])
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set_color("gold")


def _frame(left: int, top: int, columns: int, rows: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left - 0.5, top - 0.5), columns, rows, fill=False, edgecolor="gold", linewidth=0.8)
