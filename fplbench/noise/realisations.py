"""Further realisations of the noise of a stack, for training."""

import os

from fplbench.errors import InputError
from fplbench.noise.records import read_record, record_path
from fplbench.noise.registry import NOISES
from fplbench.noise.synthesis import write_noisy
from fplbench.stacks import check_same_images, open_stack


def draw_again(
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    out: str | os.PathLike[str],
    draw: int,
    threads: int = 1,
) -> None:
    """Draw the noise of a stack anew: the same images, noise and options, with other random numbers.

    Options given as a range are drawn anew for each image. Realisation 0 is the noisy stack itself. A noise without random
    numbers, such as `wrap_around` with numbers as options, is the same in every realisation.

    Args:
        clean: the .npy file of the clean stack from which `noisy` was made, with its index.
        noisy: the .npy file of the noisy stack, with its record.
        out: the .npy file to write, with an index like that of the noisy stack.
        draw: number of the realisation, at least 1. The same number gives the same stack.
        threads: number of processor cores to use; it does not change the result.

    Raises:
        InputError: `draw` is below 1, `noisy` has no record or the noise only one realisation (that of pairs), `clean` holds
            other images, or `out` is one of the two.
    """
    if draw < 1:
        raise InputError(f"draw is {draw}, but must be at least 1: realisation 0 is {noisy} itself.")
    if os.path.realpath(out) == os.path.realpath(noisy):
        raise InputError(f"{out} is the noisy stack, which would be overwritten; choose another name for its realisation {draw}.")
    record = read_record(noisy)
    if record is None:
        raise InputError(
            f"{noisy} cannot be drawn again, because {record_path(noisy)}, which tells how it was made, does not exist; "
            "make the noisy stack again with `fplbench noise`."
        )
    if NOISES[record.noise].needs == "pair":
        raise InputError(f"{noisy} cannot be drawn again: it holds the images as they were acquired.")
    shapes = open_stack(clean).shape, open_stack(noisy).shape
    if shapes[0] != shapes[1]:
        raise InputError(f"{clean} has the shape {shapes[0]} and {noisy} has {shapes[1]}; give the clean stack of the noisy one.")
    check_same_images(clean, noisy)
    write_noisy(record, clean, out, draw, threads)
