"""Every noise on an image of each data set, with a magnified detail and the difference from the clean image."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.noise.levels import levels_in_use
from fplbench.noise.registry import NOISES, Noise
from fplbench.noise.synthesis import drawn_levels, synthesize, with_window
from fplbench.registry import parse_options
from fplbench.reporting.example import Example
from fplbench.reporting.page import MARK_COLOUR
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.scale_bars import DIVERGING, grey_bar
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_INCHES = 2.7  # of a data set: two panels
DOTS_PER_INCH = 200
CAPTION_LETTERS, LEVEL_LETTERS, NOTE_LETTERS = 46, 51, 50  # that fit the width of a data set, at their font sizes
MAGNIFICATION = 3
INSET = 0.43
"""Side of the magnified detail, as a fraction of the panel."""
SCALES = np.array([0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0])
"""Differences at which the colours of a row may saturate, as fractions of the grey range."""
LEGEND = (
    "Differences: yellow is brighter than the clean image, blue is darker; colours end at the ± beside the noise. "
    "Framed: the detail that differs most, magnified three times."
)


@dataclass(frozen=True)
class Picture:
    """A noisy image (H, W) in [0,1], its difference from the clean one, and its levels in words."""

    noisy: np.ndarray
    difference: np.ndarray
    levels: str


def contact_sheet(
    output: str | os.PathLike[str],
    clean: Mapping[str, str | os.PathLike[str]],
    options: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    seed: int,
    images: Mapping[str, int | str | None] | None = None,
    captions: Mapping[str, str] | None = None,
    note: str = "",
) -> None:
    """Draw every noise that is made from the image alone on one image of each data set.

    The first row shows the clean images, and each further row one noise. Each data set has two columns: the noisy image with
    its levels and a magnified detail, and the difference from the clean image in colours, with the scale beside the noise.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        clean: the clean test stack of each data set, with its index.
        options: options of the noises by data set and noise; noises that are not named have their defaults.
        seed: seed of the run; the images get the same draws as in the benchmark.
        images: which image of each stack, see `fplbench.reporting.example.Example`.
        captions: text above the columns of a data set, in place of its name.
        note: text below the sheet.

    Raises:
        InputError: a stack, image, noise or option does not exist, options, images or captions name a data set that is not on the
            sheet, or the name does not end like that of a picture.
    """
    captions, chosen = captions or {}, images or {}
    check_picture(output)
    _check_named("options", options, clean)
    _check_named("images", chosen, clean)
    _check_named("captions", captions, clean)
    shown: list[np.ndarray] = []
    about: list[str] = []
    rows: dict[str, list[Picture]] = {}
    for dataset, path in clean.items():
        example = Example(path, chosen.get(dataset))
        shown.append(example.clean)
        about.append(_about(example))
        for name, picture in _pictures(dataset, example, options.get(dataset, {}), seed).items():
            rows.setdefault(name, []).append(picture)
    figure = _sheet(shown, [captions.get(dataset, dataset) for dataset in clean], rows, note, about)
    save(figure, output, DOTS_PER_INCH)


def _check_named(what: str, named: Mapping[str, Any], clean: Mapping[str, Any]) -> None:
    for dataset in named:
        if dataset not in clean:
            raise InputError(f"The {what} name {dataset!r}, which is not on the sheet: {nearest(dataset, clean)}")


def _pictures(dataset: str, example: Example, options: Mapping[str, Mapping[str, Any]], seed: int) -> dict[str, Picture]:
    """The image of a data set with every noise that is made from the image alone."""
    for name in options:
        NOISES[name]  # raises InputError if it is unknown
    return {
        name: _picture(entry, dataset, example, options.get(name, {}), seed)
        for name, entry in NOISES.items()
        if entry.needs is None
    }


def _picture(noise: Noise, dataset: str, example: Example, options: Mapping[str, Any], seed: int) -> Picture:
    chosen = parse_options(noise.options, options, f"noises.{noise.name}")
    ids = [f"{dataset}/test/{example.name}"]
    levels = levels_in_use(chosen) | drawn_levels(noise, chosen, seed, ids)[0]
    words = ", ".join(f"{option.replace('_', ' ')} {value:.3g}" for option, value in levels.items())
    clean = example.clean[None].astype(np.float32) / np.float32(255)
    values = with_window(chosen, example.index).model_dump()
    noisy = synthesize(noise.name, clean, seed=seed, image_ids=ids, **values)
    return Picture(noisy[0], noisy[0] - clean[0], words)


def _about(example: Example) -> str:
    """The image of a data set, and the values that are shown as black and white."""
    bar = grey_bar(example.entry, "white")
    unit = bar.title.removeprefix("white, ")
    return f"Image {example.name}, from {bar.ticks[0]} (black) to {bar.ticks[2]} {unit} (white)."


def _sheet(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    rows: Mapping[str, Sequence[Picture]],
    note: str,
    about: Sequence[str] = (),
) -> "Figure":
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    names = sorted(rows, key=lambda name: NOISES[name].title)
    headings = [fill(caption, CAPTION_LETTERS) for caption in captions]
    footer = fill(sentences(LEGEND, note), NOTE_LETTERS * len(images))
    lines = max(len(heading.splitlines()) for heading in headings) + len(footer.splitlines())
    size = (COLUMN_INCHES * len(images) + 0.4, 1.48 * len(names) + 1.37 + 0.13 * lines)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.03, wspace=0.01, hspace=0.01))
    axes = figure.subplots(len(names) + 1, 2 * len(images), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    _draw_clean(axes[0], headings, images, about)
    for row, name in zip(axes[1:], names, strict=True):
        _draw_noise(row, NOISES[name].title, rows[name])
    figure.supxlabel(footer, fontsize=7.5)
    return figure


def _draw_clean(axes: Sequence["Axes"], captions: Sequence[str], images: Sequence[np.ndarray], about: Sequence[str]) -> None:
    """The clean images below their captions, beside each what it is, and beside the first also the colours of differences."""
    for axis, caption, image in zip(axes[::2], captions, images, strict=True):
        _show(axis, image / 255)
        axis.set_title(caption, fontsize=8, loc="left")
    _name_row(axes[0], "Clean")
    bar = axes[1].inset_axes((0.05, 0.2, 0.9, 0.08))
    bar.imshow(np.linspace(-1, 1, 256)[None], cmap=DIVERGING, aspect="auto", extent=(-1, 1, 0, 1))
    bar.set(xticks=[-1, 0, 1], yticks=[])
    bar.set_xticklabels(["−", "0", "+"], fontsize=7)
    for axis, words in zip(axes[1::2], about, strict=False):
        axis.text(0.05, 0.97, fill(words, 25), fontsize=6.5, va="top", in_layout=False, transform=axis.transAxes)


def _draw_noise(axes: Sequence["Axes"], title: str, pictures: Sequence[Picture]) -> None:
    """One noise on all data sets: pairs of noisy image and difference, with the name and the scale at the left."""
    size = np.quantile(np.abs([each.difference for each in pictures]), 0.99)
    scale = SCALES[min(int(np.searchsorted(SCALES, size)), len(SCALES) - 1)]
    for noisy, difference, picture in zip(axes[::2], axes[1::2], pictures, strict=True):
        _show(noisy, picture.noisy)
        _magnify(noisy, picture)
        difference.imshow(picture.difference, cmap=DIVERGING, vmin=-scale, vmax=scale, interpolation="nearest")
        levels = fill(picture.levels, LEVEL_LETTERS)
        noisy.set_title(levels, fontsize=7.5, loc="left", pad=2, in_layout="\n" in levels)
    _name_row(axes[0], f"{fill(title, 18)}\n± {scale:g}")


def _name_row(axis: "Axes", words: str) -> None:
    axis.text(-0.04, 0.5, words, rotation=90, ha="right", va="center", fontsize=9, transform=axis.transAxes)


def _show(axis: "Axes", image: np.ndarray) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _magnify(axis: "Axes", picture: Picture) -> None:
    """Frame the detail of the image that differs most, and show it magnified in a lower corner away from it."""
    import cv2
    from matplotlib.patches import Rectangle

    height, width = picture.noisy.shape
    rows, columns = int(height * INSET / MAGNIFICATION), int(width * INSET / MAGNIFICATION)
    local = cv2.GaussianBlur(np.abs(picture.difference), (0, 0), rows / 4)
    row, column = np.unravel_index(int(np.argmax(local)), local.shape)
    top = min(max(int(row) - rows // 2, 0), height - rows)
    left = min(max(int(column) - columns // 2, 0), width - columns)
    frame = Rectangle((left - 0.5, top - 0.5), columns, rows, fill=False, edgecolor=MARK_COLOUR, linewidth=0.8)
    axis.add_patch(frame)
    at_right = top + rows < (1 - INSET) * height or left + columns < (1 - INSET) * width
    inset = axis.inset_axes((1 - INSET if at_right else 0, 0, INSET, INSET))
    _show(inset, picture.noisy[top : top + rows, left : left + columns])
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set_color(MARK_COLOUR)
