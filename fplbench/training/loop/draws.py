"""The noisy images of a training: the stack on disk, and further realisations of its noise."""

import logging
import shutil
from pathlib import Path

import numpy as np
import torch

from fplbench.errors import InputError
from fplbench.files import file_hash
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


def load_draws(clean: Path, noisy: Path, draws: int, out: Path, device: torch.device) -> tuple[torch.Tensor, list[str]]:
    """Realisations of a noise, one behind the other: the stack on disk, and further ones that are drawn here.

    Each is written to a hidden folder beside the weights, read and removed, so that the disk holds one at a time. They depend on
    the record of the noisy stack alone, so a training that was killed gets the same ones when it is resumed.

    Args:
        clean: the clean stack.
        noisy: the noisy stack.
        draws: number of realisations; of pairs, which were acquired, there is one whatever this says.
        out: the weight file.
        device: where the images are to be.

    Returns:
        The images, uint8 (draws * N, H, W), on the device, and the SHA-256 of the file of each.

    Raises:
        InputError: there is no record of how the noise was made.
    """
    draws = draws if draws == 1 or _can_be_drawn(noisy) else 1
    first = open_stack(noisy)
    images = torch.empty((draws * len(first), *first.shape[1:]), dtype=torch.uint8, device=device)
    hashes = []
    scratch = out.with_name(f".{out.stem}.draws")
    try:
        for draw in range(draws):
            shutil.rmtree(scratch, ignore_errors=True)  # the draw before, or what a training that was killed has left
            file = scratch / f"{draw}.npy" if draw else noisy
            if draw:
                draw_again(clean, noisy, file, draw, threads=torch.get_num_threads())
            images[draw * len(first) : (draw + 1) * len(first)] = torch.from_numpy(np.array(open_stack(file)))
            hashes.append(file_hash(file))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return images, hashes


def _can_be_drawn(noisy: Path) -> bool:
    """Whether the noise of a stack has further realisations, which that of pairs has not."""
    record = read_record(noisy)
    if record is None:
        raise InputError(
            f"{noisy} has no record of its noise beside it, so the noise cannot be drawn again: set draws: 1, or make the "
            "stack with `fplbench noise`."
        )
    return NOISES[record.noise].needs != "pair"
