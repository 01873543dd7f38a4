"""Choose a method's options on training images, from the values that the method declares."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from fplbench import scoring
from fplbench.denoising.registry import METHODS, Method
from fplbench.denoising.running import PathLike, denoise
from fplbench.errors import InputError
from fplbench.files import write_csv, write_text
from fplbench.registry import parse_options
from fplbench.stacks import check_same_images, open_stack

CRITERIA = ("psnr", "ssim")


def tune_files(
    name: str,
    clean_path: PathLike,
    noisy_path: PathLike,
    chosen_path: PathLike,
    search_path: PathLike | None,
    kept: Mapping[str, Any],
    **settings: Any,
) -> dict[str, Any]:
    """Tune on a pair of training stacks; write the chosen options as JSON and the whole search as csv.

    Args:
        name: the method's name.
        clean_path: the clean training stack, .npy.
        noisy_path: the same images with noise.
        chosen_path: the .json file to write: the options to call `denoise` with.
        search_path: the .csv file to write: a row for each combination, with its mean scores; None writes none.
        kept: options that are not searched, with their values; they are part of the chosen ones.
        **settings: `place`, `images`, `criterion` and `threads` of `tune`.

    Returns:
        The chosen options.

    Raises:
        InputError: the method or an option is unknown, a stack is not valid, or the stacks differ in shape or images.
    """
    clean, noisy = open_stack(clean_path), open_stack(noisy_path)
    if clean.shape != noisy.shape:
        raise InputError(f"{clean_path} has shape {clean.shape}, but {noisy_path} has {noisy.shape}: the shapes must match.")
    check_same_images(clean_path, noisy_path)
    chosen, search = tune(name, clean, noisy, kept, **settings)
    if search_path is not None:
        write_csv(search_path, search)
    write_text(chosen_path, json.dumps(chosen, indent=2) + "\n")
    return chosen


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
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Try every combination of the values in the method's grid and choose the best by its mean score.

    Args:
        name: the method's name.
        clean: uint8 (N, H, W), training images.
        noisy: the same images with noise.
        kept: options that are not searched, with their values; they are part of the chosen ones.
        place: options that belong to this run, not to the chosen ones: weights and device of a network.
        images: number of images to use, evenly spread over the stack.
        criterion: "psnr" (true PSNR) or "ssim".
        threads: processor cores to use.

    Returns:
        The chosen options, and the search: for each combination a mapping with the options, mean psnr and ssim, and
        `chosen` (1 or 0). Of equally good combinations the first is chosen; the method's defaults are tried first.
    """
    if criterion not in CRITERIA:
        raise InputError(f"The criterion is {criterion!r}: it must be one of {', '.join(CRITERIA)}.")
    spread = np.unique(np.linspace(0, len(clean) - 1, min(images, len(clean))).round().astype(int))
    clean, noisy = clean[spread], noisy[spread]
    search = []
    for candidate in candidates(METHODS[name], kept):
        denoised = denoise(name, noisy, threads=threads, **kept, **candidate, **(place or {}))
        # A perfectly restored image would make the mean infinite; it counts as 100 dB, as in the tables.
        decibels = np.minimum(scoring.psnr(clean, denoised), 100)
        scores = {"psnr": float(np.mean(decibels)), "ssim": float(np.mean(scoring.ssim(clean, denoised)))}
        search.append((candidate, scores))
    best = max(range(len(search)), key=lambda trial: search[trial][1][criterion])
    rows = [
        {"method": name, **_printable(candidate), "images": len(clean), **scores, "chosen": int(trial == best)}
        for trial, (candidate, scores) in enumerate(search)
    ]
    return {**kept, **search[best][0]}, rows


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
