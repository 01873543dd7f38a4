"""A test image with every noise (the paper's Figure 2)."""

import os
from collections.abc import Sequence
from pathlib import Path

from fplbench.reporting.arrangement import Arrangement, Column, Legend, fill
from fplbench.reporting.example import Example, scores_title
from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Panel, check_picture, save
from fplbench.reporting.scale_bars import grey_bar
from fplbench.reporting.sentences import sentences

COLUMNS = (5, 4, 3)
SCORES = "Above a noisy image: its PSNR and SSIM"


def noise_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: Sequence[str | os.PathLike[str]],
    image: int | str | None = None,
    note: str = "",
    labels: Labels | None = None,
    dataset: str = "",
    also: str | os.PathLike[str] | None = None,
) -> None:
    """Draw one image with every noise, as in the paper's Figure 2.

    Args:
        output: the picture to write; the ending of its name sets the format.
        clean: the clean stack, with its index.
        noisy: noisy stacks, named {noise}/{split}.npy.
        image: which image of the stacks, see `fplbench.reporting.example.Example`.
        note: text below the panels.
        labels: labels of the data set and the noises.
        dataset: name of the data set, for the heading.
        also: a second picture of the same figure, such as a .pdf beside a .png.

    Raises:
        InputError: a stack is missing, malformed or does not match the clean one, there is no such image, or the name of a
            picture does not end like one.
    """
    pictures = [path for path in (output, also) if path is not None]
    for path in pictures:
        check_picture(path)
    labels = labels or Labels()
    example = Example(clean, image)
    paths = {Path(path).parent.name: path for path in noisy}
    columns: list[Column] = [[Panel("Clean", example.clean)]]
    for noise in labels.noises(paths):
        degraded = example.of(paths[noise])
        columns.append([Panel(f"{labels.noise(noise)}\n{scores_title(example.clean, degraded)}", degraded)])
    page = Arrangement(fill(len(columns), COLUMNS), example.clean.shape)
    page.heading(example.heading(labels, dataset))
    page.columns_of(columns, Legend([grey_bar(example.entry)], sentences(SCORES)))
    page.paragraph(sentences(note))
    figure = page.figure()
    for path in pictures:
        save(figure, path, figure.dpi)
