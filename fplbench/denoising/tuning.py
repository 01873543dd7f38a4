"""Choose a method's options and fit its grey map on training images; the options are chosen from values that it declares."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from fplbench import scoring
from fplbench.denoising.grey_map import GreyMap, Kind, fit_grey_map, identity, write_grey_map
from fplbench.denoising.registry import METHODS, Method
from fplbench.denoising.running import PathLike, denoise
from fplbench.errors import InputError
from fplbench.files import write_csv, write_text
from fplbench.registry import parse_options
from fplbench.stacks import check_same_images, open_stack, spread

CRITERIA = ("psnr", "ssim")


@dataclass(frozen=True)
class Choice:
    """What was chosen on training images.

    Attributes:
        options: the options to call `denoise` with.
        grey_map: the map of grey levels that goes with them, if one was asked for.
        search: for each combination a mapping with the method, the options, the number of images, mean psnr and ssim after the
            map, and `chosen` (1 or 0).
    """

    options: dict[str, Any]
    grey_map: GreyMap | None
    search: list[dict[str, Any]]


def tune_files(
    name: str,
    clean_path: PathLike,
    noisy_path: PathLike,
    chosen_path: PathLike | None,
    search_path: PathLike | None,
    kept: Mapping[str, Any],
    map_path: PathLike | None = None,
    **settings: Any,
) -> Choice:
    """Tune on a pair of training stacks; write the chosen options and the map as JSON and the whole search as csv.

    Args:
        name: the method's name.
        clean_path: the clean training stack, .npy.
        noisy_path: the same images with noise.
        chosen_path: the .json file to write: the options to call `denoise` with; None writes none.
        search_path: the .csv file to write: a row for each combination, with its mean scores; None writes none.
        kept: options that are not searched, with their values; they are part of the chosen ones.
        map_path: the .json file to write the grey map to, if there is one; None writes none.
        **settings: `place`, `images`, `criterion`, `threads`, `grey_map` and `search` of `tune`.

    Returns:
        The options, the map and the search.

    Raises:
        InputError: the method or an option is unknown, a stack is not valid, or the stacks differ in shape or images.
    """
    clean, noisy = open_stack(clean_path), open_stack(noisy_path)
    if clean.shape != noisy.shape:
        raise InputError(f"{clean_path} has shape {clean.shape}, but {noisy_path} has {noisy.shape}: the shapes must match.")
    check_same_images(clean_path, noisy_path)
    choice = tune(name, clean, noisy, kept, **settings)
    if search_path is not None:
        write_csv(search_path, choice.search)
    if chosen_path is not None:
        write_text(chosen_path, json.dumps(choice.options, indent=2) + "\n")
    if map_path is not None and choice.grey_map is not None:
        write_grey_map(map_path, choice.grey_map)
    return choice


def tune(
    name: str,
    clean: np.ndarray,
    noisy: np.ndarray,
    kept: Mapping[str, Any],
    *,
    place: Mapping[str, Any] | None = None,
    images: int = 50,
    criterion: str = "psnr",
    threads: int = 1,
    grey_map: Kind | None = None,
    search: bool = True,
) -> Choice:
    """Try every combination of the values in the method's grid and choose the best by its mean score.

    With a grey map, each combination is scored after its own map, and the two are chosen together; where images are better
    without, the map changes nothing. Of equally good combinations the first is chosen; the method's defaults are tried first.

    Args:
        name: the method's name.
        clean: uint8 (N, H, W), training images.
        noisy: the same images with noise.
        kept: options that are not searched, with their values; they are part of the chosen ones.
        place: options that belong to this run, not to the chosen ones: weights and device of a network.
        images: number of images to use, evenly spread over the stack.
        criterion: "psnr" (true PSNR) or "ssim".
        threads: processor cores to use.
        grey_map: "monotone" or "affine": also fit such a map.
        search: whether to search the grid; if not, the map of the options in `kept` is all that is fitted.

    Returns:
        The options, the map and the search.

    Raises:
        InputError: the method, an option, the criterion or the kind of map is unknown.
    """
    if criterion not in CRITERIA:
        raise InputError(f"The criterion is {criterion!r}: it must be one of {', '.join(CRITERIA)}.")
    chosen = spread(len(clean), images)
    clean, noisy = clean[chosen], noisy[chosen]
    trials = []
    for candidate in candidates(METHODS[name], kept) if search else [{}]:
        denoised = denoise(name, noisy, threads=threads, **kept, **candidate, **(place or {}))
        fitted = None if grey_map is None else _fit(denoised, clean, grey_map, criterion)
        result = denoised if fitted is None else fitted.apply(denoised)
        trials.append((candidate, fitted, {score: _mean(score, clean, result) for score in CRITERIA}))
    best = max(range(len(trials)), key=lambda trial: trials[trial][2][criterion])
    rows = [
        {"method": name, **_printable(candidate), "images": len(clean), **scores, "chosen": int(trial == best)}
        for trial, (candidate, _, scores) in enumerate(trials)
    ]
    return Choice({**kept, **trials[best][0]}, trials[best][1], rows)


def _fit(denoised: np.ndarray, clean: np.ndarray, kind: Kind, criterion: str) -> GreyMap:
    """The map of the least squared error, or none at all if it lowers the mean score, which is another mean over images."""
    maps = [fit_grey_map(denoised, clean, kind), identity(kind, len(clean))]
    return max(maps, key=lambda found: _mean(criterion, clean, found.apply(denoised)))


def _mean(score: str, clean: np.ndarray, denoised: np.ndarray) -> float:
    """Mean score over images. A perfectly restored image would make the mean infinite; it counts as 100 dB, as in the tables."""
    if score == "psnr":
        return float(np.mean(np.minimum(scoring.psnr(clean, denoised), 100)))
    return float(np.mean(scoring.ssim(clean, denoised)))


def candidates(method: Method, fixed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the grid's values, the defaults first; options in `fixed` are left out.

    Raises:
        InputError: `fixed` does not fit the method's options.
    """
    defaults = parse_options(method.options, fixed, method.name)
    searched = {key: _with_default(getattr(defaults, key), grid) for key, grid in method.grid.items() if key not in fixed}
    for values in product(*searched.values()):
        yield dict(zip(searched, values, strict=True))


def _with_default(default: Any, values: Sequence[Any]) -> list[Any]:
    return [default, *(value for value in values if value != default)]


def _printable(candidate: Mapping[str, Any]) -> dict[str, str]:
    """Options as in a config file, so that null differs from an empty cell."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in candidate.items()}
