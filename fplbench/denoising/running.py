"""Run a method over a stack: in memory, or from file to file in chunks."""

import mmap
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.denoising.grey_map import GreyMap
from fplbench.denoising.registry import METHODS, Method
from fplbench.denoising.workers import submit
from fplbench.errors import InputError
from fplbench.numerics import use_threads
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.stacks import INDEX_COLUMNS, check_images, creating_stack, iterate, open_stack, read_index

CHUNK = 16
PathLike = str | os.PathLike


def denoise(name: str, noisy: np.ndarray, *, threads: int = 1, grey_map: GreyMap | None = None, **options: Any) -> np.ndarray:
    """Denoise a stack in memory.

    Args:
        name: a method's name, for instance "median_filter".
        noisy: uint8 (N, H, W), left unchanged. Convert images in [0, 1] by `np.rint(255 * images).astype(np.uint8)`.
        threads: processor cores to use.
        grey_map: a map of grey levels to apply to the result.
        **options: the method's options; see docs/methods.md.

    Returns:
        uint8 (N, H, W).

    Raises:
        InputError: the method or an option is unknown, or the images are not a uint8 (N, H, W) array.
    """
    method = METHODS[name]
    noisy = np.asarray(noisy)
    check_images(noisy, "The noisy array")
    denoised = np.empty_like(noisy, order="C")
    for _ in run_chunks(method, noisy, denoised, parse_options(method.options, options, name), threads, grey_map):
        pass
    return denoised


def denoise_file(
    name: str,
    noisy_path: PathLike,
    denoised_path: PathLike,
    options: Mapping[str, Any],
    threads: int = 1,
    grey_map: GreyMap | None = None,
) -> None:
    """Denoise a stack file in chunks. The index of the result is that of the noisy stack, plus what the method records.

    Args:
        name: a method's name.
        noisy_path: the noisy .npy file, with its index .csv beside it.
        denoised_path: the .npy file to write; it and its index appear complete or not at all.
        options: the method's options as a mapping.
        threads: processor cores to use.
        grey_map: a map of grey levels to apply to the result.

    Raises:
        InputError: the method or an option is unknown, or the stack is not valid.
    """
    method = METHODS[name]
    parsed = parse_options(method.options, options, name)
    if Path(noisy_path).resolve() == Path(denoised_path).resolve():
        raise InputError(f"{noisy_path} would be overwritten by the denoised stack: name another file.")
    noisy = open_stack(noisy_path)
    rows = read_index(noisy_path)
    with creating_stack(denoised_path, noisy.shape, rows) as denoised:
        for chunk, columns in run_chunks(method, noisy, denoised, parsed, threads, grey_map):
            _check_columns(method, columns, len(rows[chunk]))
            for column, values in columns.items():
                for row, value in zip(rows[chunk], values, strict=True):
                    row[column] = value
            _release(noisy, denoised)


def _release(*stacks: np.ndarray) -> None:
    """Release the memory of mapped files that was read or written; the kernel keeps what is not on disk yet."""
    for stack in stacks:
        if isinstance(stack.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            stack.base.madvise(mmap.MADV_DONTNEED)


def run_chunks(
    method: Method, noisy: np.ndarray, denoised: np.ndarray, options: Options, threads: int, grey_map: GreyMap | None = None
) -> Iterator[tuple[slice, Mapping[str, Sequence]]]:
    """Fill `denoised` chunk by chunk; yields each chunk's place and the columns the method recorded for it.

    Classical methods run one chunk in each thread, or one image in each process if they declare `processes`; a network gets
    all threads for one chunk at a time.
    """
    if threads < 1:
        raise InputError(f"threads is {threads}: at least one is needed.")

    if method.gpu:
        with _torch_threads(threads):
            for chunk in iterate(noisy, CHUNK):
                denoised[chunk], columns = _checked(method, noisy[chunk], options, grey_map)
                yield chunk, columns
        return
    processes = method.processes and threads > 1
    with ThreadPoolExecutor(threads) as pool:
        start = partial(submit, threads) if processes else pool.submit
        started = (
            (chunk, start(_checked, method, np.asarray(noisy[chunk]), options, grey_map))
            for chunk in iterate(noisy, 1 if processes else CHUNK)
        )
        for chunk, future in _ahead(started, 2 * threads):
            denoised[chunk], columns = future.result()
            yield chunk, columns


def _ahead(started: Iterator[tuple[slice, Future]], count: int) -> Iterator[tuple[slice, Future]]:
    """The tasks in order, each when `count` further ones have been started."""
    pending: deque[tuple[slice, Future]] = deque()
    for task in started:
        pending.append(task)
        if len(pending) > count:
            yield pending.popleft()
    yield from pending


def _checked(
    method: Method, noisy: np.ndarray, options: Options, grey_map: GreyMap | None
) -> tuple[np.ndarray, Mapping[str, Sequence]]:
    """The method's result for one chunk, after the map; InputError unless it has the chunk's type and shape."""
    result = method.function(noisy, options)
    images, columns = result if isinstance(result, tuple) else (result, {})
    if not isinstance(images, np.ndarray):
        raise InputError(f"The method {method.name!r} returned {type(images).__name__}; it must return an array of images.")
    if images.dtype != np.uint8 or images.shape != noisy.shape:
        raise InputError(
            f"The method {method.name!r} returned {images.dtype} images of shape {images.shape}; "
            f"it must return uint8 images of shape {noisy.shape}."
        )
    return images if grey_map is None else grey_map.apply(images), columns


def _check_columns(method: Method, columns: Mapping[str, Sequence], images: int) -> None:
    """Raise InputError unless the recorded columns are new to the index and have one value for each image."""
    for column, values in columns.items():
        if column in INDEX_COLUMNS:
            raise InputError(f"The method {method.name!r} records {column!r}, which the index already has: use another name.")
        if len(values) != images:
            raise InputError(f"The method {method.name!r} records {len(values)} values of {column!r} for {images} images.")


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """Context in which torch uses `threads` processor cores."""
    import torch

    before = torch.get_num_threads()
    use_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
