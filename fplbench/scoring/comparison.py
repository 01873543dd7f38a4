"""A clean stack beside the denoised ones, and the scores of one image of it by all methods."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.stack import lesions_path, open_lesions
from fplbench.lesions.units import per_level
from fplbench.noise.window import index_window
from fplbench.scoring.lesions import LesionRegions
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import check_size
from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import MetricFunction
from fplbench.stacks import index_path, open_stack, read_index

log = logging.getLogger(__name__)

INSERTED = "_inserted"
"""What the name of a denoised stack ends with if lesions were inserted into its images before the noise."""
VALIDATION = "_validation"
"""What the name of a denoised stack ends with if it holds the validation images."""

Scores = dict[str, float]
Row = Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """A clean stack, and what is compared with it.

    Attributes:
        index: a row for each image.
        clean: uint8 (N, H, W), memory-mapped.
        denoised: the same by method.
        windows: for each image, the HU of grey level 0 and of 255; None where it is not CT.
        lesions: uint8 (N, H, W), memory-mapped, the number of the lesion of each pixel; None if lesions are not scored.
        table: the rows of the lesions to score, by image_id.
    """

    index: Sequence[Row]
    clean: np.ndarray
    denoised: Mapping[str, np.ndarray]
    windows: Sequence[tuple[float, float] | None]
    lesions: np.ndarray | None
    table: Mapping[str, Sequence[Row]]

    def score(self, place: int, functions: Mapping[str, MetricFunction]) -> dict[str, tuple[Scores, dict[int, Scores]]]:
        """Score an image: for each method the scores by metric, and those of its lesions by number."""
        window = self.windows[place]
        reference = Reference(np.asarray(self.clean[place]), window)
        scale = per_level(window) if window else 1.0
        regions = None
        if self.lesions is not None and self.table.get(self.index[place]["image_id"]):
            regions = LesionRegions(reference.clean, np.asarray(self.lesions[place]))
        found = {}
        for method, stack in self.denoised.items():
            pair = Pair(reference, np.asarray(stack[place]))
            scores = {name: function(pair) for name, function in functions.items()}
            found[method] = scores, regions.score(pair.denoised, pair.ssim_map, scale) if regions is not None else {}
        return found


def open_comparison(
    clean_path: str | os.PathLike[str],
    paths: Sequence[str | os.PathLike[str]],
    rules: Mapping[str, str],
    lesions: bool = False,
    ending: str = "",
) -> Comparison:
    """Open the stacks.

    Args:
        clean_path: the clean stack, with its index.
        paths: denoised stacks, named {method}{ending}.npy.
        rules: the rule that makes the stack of each method, for messages; may be empty.
        lesions: whether to open the lesion stack, if there is one.
        ending: what the names of the denoised stacks end with. With INSERTED, the lesions to score are the inserted ones, and the
            lesion stack must be there; else they are the real ones.

    Raises:
        InputError: a stack, its index or its lesions are missing, malformed or do not match, images are too small for the
            SSIM, or two denoised stacks are of the same method.
    """
    inserted = ending == INSERTED
    clean = open_stack(clean_path)
    check_size(clean.shape[1:])
    index = read_index(clean_path, len(clean))
    windows = [_window(row, index_path(clean_path)) for row in index]
    denoised: dict[str, np.ndarray] = {}
    for path in map(Path, paths):
        method = _method(path, ending)
        if method in denoised:
            raise InputError(f"{path} is the second stack of {method!r}: each method needs a name of its own.")
        try:
            denoised[method] = open_matching(path, clean, clean_path)
        except InputError as error:
            maker = f" The stack is made by the rule {rules[method]}." if method in rules else ""
            raise InputError(f"{error}{maker}") from None
    if lesions and not inserted and not lesions_path(clean_path).exists():
        log.warning("No lesions are scored: %s does not exist.", lesions_path(clean_path))
    if not lesions or not (inserted or lesions_path(clean_path).exists()):
        return Comparison(index, clean, denoised, windows, None, {})
    numbers, rows = open_lesions(clean_path)
    table: dict[str, list[Row]] = {}
    for row in rows:
        if (row["inserted"] == "1") == inserted:
            table.setdefault(row["image_id"], []).append(row)
    return Comparison(index, clean, denoised, windows, numbers, table)


def _method(path: Path, ending: str) -> str:
    """The method that a denoised stack is named after."""
    if not path.stem.endswith(ending):
        what = "stacks with inserted lesions" if ending == INSERTED else "stacks of validation images"
        raise InputError(f"{path} is not named {{method}}{ending}.npy, as {what} are.")
    return path.stem.removesuffix(ending)


def _window(row: Row, index: Path) -> tuple[float, float] | None:
    """The HU of the grey levels 0 and 255 of an image; None where it is not CT."""
    texts = row.get("window_low"), row.get("window_high")
    try:
        rises = not all(texts) or float(texts[0] or "") < float(texts[1] or "")
    except ValueError:
        rises = False
    if not rises:
        raise InputError(
            f"{index}: the window of {row['image_id']!r} is {texts[0]} to {texts[1]}; it must be two rising numbers."
        )
    return index_window([row])
