"""Open a stack that must hold the same images as the clean one."""

import os

import numpy as np

from fplbench.errors import InputError
from fplbench.stacks import check_same_images, describe_size, open_stack


def open_matching(
    path: str | os.PathLike[str], clean: np.ndarray, clean_path: str | os.PathLike[str], check: bool = True
) -> np.ndarray:
    """Open a noisy or denoised stack, memory-mapped and read-only.

    Args:
        path: the stack to open, from any program; it need not have an index.
        clean: the clean stack (N, H, W).
        clean_path: its file, for the index and for messages.
        check: as for `fplbench.open_stack`.

    Returns:
        uint8 (N, H, W).

    Raises:
        InputError: the stack is missing or malformed, its shape differs from that of the clean stack, or its index lists
            other images or another order.
    """
    stack = open_stack(path, check)
    if stack.shape != clean.shape:
        raise InputError(
            f"{path} holds {describe_size(stack)}; {clean_path} holds {describe_size(clean)}. Both must have the same images, "
            "in the same order."
        )
    check_same_images(clean_path, path)
    return stack
