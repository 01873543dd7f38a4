"""Score all methods on one data set and noise: one row for each method and image."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import psnr, psnr_uint8, ssim
from fplbench.stacks import open_stack, read_index


def score_cell(
    clean_path: str | os.PathLike[str],
    denoised_paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    rules: Sequence[str] = (),
) -> None:
    """Score denoised stacks and write them as a table: method, image_id, patient, psnr, psnr_uint8, ssim.

    Numbers are written in full precision. The psnr of an image that equals the clean one is written as "inf".

    Args:
        clean_path: the clean stack; its index names the images.
        denoised_paths: stacks of the same shape, from any program, named {method}.npy.
        output: the .csv file to write.
        rules: names of the rules that make the stacks, for error messages: one for each, one for all, or none.

    Raises:
        InputError: a stack or the index of the clean one is missing or malformed, or a denoised stack has another shape or
            lists other images than the clean one.
    """
    clean = open_stack(clean_path)
    index = read_index(clean_path, len(clean))
    rows: list[dict[str, str]] = []
    paths = [Path(path) for path in denoised_paths]
    makers = dict(zip(paths, [*rules] * len(paths), strict=False))
    for path in paths:
        try:
            denoised = open_matching(path, clean, clean_path)
        except InputError as error:
            maker = f" The stack is made by the rule {makers[path]}." if makers else ""
            raise InputError(f"{error}{maker}") from None
        rows += _rows(path.stem, clean, denoised, index)
    write_csv(output, rows)


def _rows(method: str, clean: np.ndarray, denoised: np.ndarray, index: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    for entry, *images in zip(index, clean, denoised, strict=True):
        scores = {"psnr": psnr(*images), "psnr_uint8": psnr_uint8(*images), "ssim": ssim(*images)}
        yield {
            "method": method,
            "image_id": entry["image_id"],
            "patient": entry["patient"],
            **{name: repr(float(value)) for name, value in scores.items()},
        }
