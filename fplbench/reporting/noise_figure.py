"""A test image with every noise (the paper's Figure 2)."""

import os
from collections.abc import Sequence
from pathlib import Path

from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import Example, Panel, draw, save, scores_title

NOISE_COLUMNS = range(4, 8)


def noise_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: Sequence[str | os.PathLike[str]],
    image: int | None = None,
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw one image with every noise, as in the paper's Figure 2.

    Args:
        output: the picture to write; the ending of its name sets the format.
        clean: the clean stack, with its index.
        noisy: noisy stacks, named {noise}/{split}.npy.
        image: which image of the stacks, counted from 0; None is the middle one.
        note: text below the panels.
        labels: labels of the noises.

    Raises:
        InputError: a stack is missing, malformed or does not match the clean one, or there is no such image.
    """
    labels = labels or Labels()
    example = Example(clean, image)
    paths = {Path(path).parent.name: path for path in noisy}
    panels = [Panel("Clean", example.clean)]
    for noise in labels.noises(paths):
        degraded = example.of(paths[noise])
        panels.append(Panel(f"{labels.noise(noise)}\n{scores_title(example.clean, degraded)}", degraded))
    columns = min(NOISE_COLUMNS, key=lambda count: (-len(panels) % count, -count))
    save(draw(panels, columns, note=note), output)
