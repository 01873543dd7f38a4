"""Score the methods of a cell, a data set and a noise: a row for each method and image."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.scoring.metrics import psnr, psnr_uint8, ssim
from fplbench.stacks import check_same_images, describe_size, open_stack, read_index


def score_cell(
    clean_path: str | os.PathLike, denoised_paths: Sequence[str | os.PathLike], output: str | os.PathLike, rule: str = ""
) -> None:
    """Score denoised stacks and write one row for each method and image: method, image_id, patient, psnr, psnr_uint8, ssim.

    Numbers are written in full precision. An image equal to the clean one has the psnr "inf".

    Args:
        clean_path: the clean stack; its index names the images.
        denoised_paths: stacks of the same shape, from any program, named {method}.npy.
        output: the .csv file to write.
        rule: the rule that makes the stacks, for error messages; `{method}` stands for the name of the stack.

    Raises:
        InputError: a stack or the index is missing or malformed, two stacks differ in shape, or a denoised one has an
            index that names other images.
    """
    rows: list[dict[str, str]] = []
    for path in map(Path, denoised_paths):
        try:
            rows += _rows(clean_path, path)
        except InputError as error:
            maker = f" It is made by the rule {rule.replace('{method}', path.stem)}." if rule else ""
            raise InputError(f"{error}{maker}") from None
    write_csv(output, rows)


def _rows(clean_path: str | os.PathLike, denoised_path: Path) -> Iterator[dict[str, str]]:
    clean, denoised = open_stack(clean_path), open_stack(denoised_path)
    index = read_index(clean_path)
    if len(index) != len(clean):
        raise InputError(f"The index of {clean_path} has {len(index)} rows for {len(clean)} images.")
    if denoised.shape != clean.shape:
        raise InputError(
            f"{denoised_path} holds {describe_size(denoised)}; {clean_path}, which it is scored against, holds "
            f"{describe_size(clean)}. A method must return every image, in order and in its size."
        )
    check_same_images(clean_path, denoised_path)
    for entry, *images in zip(index, clean, denoised, strict=True):
        scores = {"psnr": psnr(*images), "psnr_uint8": psnr_uint8(*images), "ssim": ssim(*images)}
        yield {
            "method": denoised_path.stem,
            "image_id": entry["image_id"],
            "patient": entry["patient"],
            **{name: repr(float(value)) for name, value in scores.items()},
        }
