"""The noisy images of a training: the stack on disk, and further realisations of its noise."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from fplbench.errors import InputError
from fplbench.noise import NOISES, draw_again, read_record
from fplbench.stacks import check_same_images, open_stack

log = logging.getLogger(__name__)


def check_pair(clean: Path, noisy: Path) -> None:
    """Raise InputError unless a noisy stack has the images of a clean one, in the same size and order."""
    shapes = [open_stack(path).shape for path in (clean, noisy)]
    if shapes[0] != shapes[1]:
        raise InputError(f"{noisy} has shape {shapes[1]}, and {clean} {shapes[0]}.")
    check_same_images(clean, noisy)


def allowed_flips(noisy: Path) -> tuple[str, ...]:
    """The axes along which the noise of a stack may be flipped; none where the stack does not say which noise it has."""
    record = read_record(noisy)
    if record is None:
        log.info("%s has no record of its noise beside it, so its images are not flipped.", noisy)
        return ()
    return NOISES[record.noise].flips


@contextmanager
def noisy_stacks(clean: Path, noisy: Path, draws: int, out: Path) -> Iterator[list[Path]]:
    """Context that yields the files of all realisations of a noise, the stack on disk first.

    The others are in a hidden folder beside the weights, which is removed at the end. They depend on the record of the noisy
    stack alone, so a training that was killed gets the same ones when it is resumed.

    Args:
        clean: the clean stack.
        noisy: the noisy stack.
        draws: number of realisations; of pairs, which were acquired, there is one whatever this says.
        out: the weight file.

    Raises:
        InputError: there is no record of how the noise was made.
    """
    if draws > 1:
        record = read_record(noisy)
        if record is None:
            raise InputError(
                f"{noisy} has no record of its noise beside it, so the noise cannot be drawn again: set draws: 1, or make the "
                "stack with `fplbench noise`."
            )
        draws = draws if NOISES[record.noise].needs != "pair" else 1
    scratch = out.with_name(f".{out.stem}.draws")
    shutil.rmtree(scratch, ignore_errors=True)  # of a training that was killed
    files = [noisy, *(scratch / f"{draw}.npy" for draw in range(1, draws))]
    try:
        for draw, file in enumerate(files[1:], start=1):
            draw_again(clean, noisy, file, draw, threads=torch.get_num_threads())
        yield files
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def load_draws(files: Sequence[Path], device: torch.device) -> torch.Tensor:
    """Realisations of a noise, one behind the other: uint8 (draws * N, H, W) on the device."""
    stacks = [open_stack(file) for file in files]
    count = len(stacks[0])
    images = torch.empty((len(files) * count, *stacks[0].shape[1:]), dtype=torch.uint8, device=device)
    for number, stack in enumerate(stacks):
        images[number * count : (number + 1) * count] = torch.from_numpy(np.array(stack))
    return images
