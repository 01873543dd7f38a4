"""Adding a noise to images in memory, or to a stack on disk."""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.noise.draws import Draws
from fplbench.noise.levels import draw_levels, per_image
from fplbench.noise.registry import NOISES, Noise
from fplbench.noise.window import index_window
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.seeds import generator
from fplbench.stacks import creating_stack, iterate, open_stack, read_index

CHUNK = 8
"""Images worked on at a time: few enough to stay in the processor's cache."""


def synthesize(
    name: str, clean: np.ndarray, *, seed: int, image_ids: Sequence[str | int] | None = None, **options: Any
) -> np.ndarray:
    """Add a noise or artefact to clean images.

    Args:
        name: a key of `NOISES`.
        clean: float32 (N, H, W) in [0,1]; left as it is.
        seed: seed of the run.
        image_ids: N names, all different, on which each image's random numbers depend; 0 to N-1 if missing.
        **options: the noise's options; a number, or a range [low, high] from which each image draws its own.

    Returns:
        float32 (N, H, W), clipped to [0,1]. An image's result depends on the name, the seed, its identifier and the
        options, and not on the images around it.

    Raises:
        InputError: an unknown noise or option, or images of another type, shape or range.
    """
    entry = NOISES[name]
    checked = parse_options(entry.options, options, name)
    _check_clean(clean)
    ids = _unique(range(len(clean)) if image_ids is None else image_ids, len(clean))
    noisy = np.empty_like(clean, order="C")
    for part in iterate(clean, CHUNK):
        noisy[part] = _apply(entry, checked, clean[part], seed, ids[part])
    return noisy


def synthesize_stack(
    name: str,
    clean: str | os.PathLike,
    noisy: str | os.PathLike,
    options: Mapping[str, Any],
    *,
    seed: int,
    axes: str = "",
    threads: int = 1,
) -> None:
    """Add a noise to a stack file, and write the noisy stack with its index; streams, whatever the number of images.

    Args:
        name: a key of `NOISES`.
        clean: the .npy file of the clean stack, with its index.
        noisy: the .npy file to write. Its index repeats the clean one, with a column for every option given as a range.
        options: the noise's options; a grey window that is not among them is taken from the index.
        seed: seed of the run.
        axes: what the draws depend on besides seed, noise and image identifier, such as "lidc/test".
        threads: number of processor cores to use; the result does not depend on it.

    Raises:
        InputError: an unknown noise or option, a clean stack or index that cannot be used, or a noisy stack that would
            take the clean one's place.
    """
    entry = NOISES[name]
    if os.path.realpath(clean) == os.path.realpath(noisy):
        raise InputError(f"{noisy} is the clean stack itself and would be lost; give the noisy stack another name.")
    checked = parse_options(entry.options, options, f"noises.{name}")
    images, index = _open_clean(clean)
    checked = with_window(checked, index)
    ids = _unique([f"{axes}/{row['image_id']}" if axes else row["image_id"] for row in index], len(images))
    rows = [row | drawn for row, drawn in zip(index, drawn_levels(entry, checked, seed, ids), strict=True)]

    with creating_stack(noisy, images.shape, rows) as result, ThreadPoolExecutor(threads) as pool:

        def work(part: slice) -> None:
            scaled = images[part].astype(np.float32) / np.float32(255)
            values = _apply(entry, checked, scaled, seed, ids[part])
            result[part] = np.rint(values * np.float32(255)).astype(np.uint8)

        for _ in pool.map(work, iterate(images, CHUNK)):
            pass


def with_window(options: Options, index: Sequence[Mapping[str, Any]]) -> Options:
    """The options with the grey window of the index, where the noise has use for one and none is given."""
    window = index_window(index)
    if window is None or getattr(options, "window", window) is not None:
        return options
    return options.model_copy(update={"window": window})


def drawn_levels(entry: Noise, options: Options, seed: int, ids: Iterable[str]) -> list[dict[str, Any]]:
    """What each image drew for the options given as a range: one dictionary an image, empty without ranges."""
    generators = [_level_generator(entry, seed, each) for each in ids]
    levels = draw_levels(options, generators)
    return [{name: values[i].item() for name, values in levels.items()} for i in range(len(generators))]


def _apply(entry: Noise, options: Options, clean: np.ndarray, seed: int, ids: Sequence[str]) -> np.ndarray:
    """Noisy images, clipped to [0,1]."""
    levels = draw_levels(options, [_level_generator(entry, seed, each) for each in ids])
    draws = Draws([generator(seed, entry.name, each) for each in ids])
    with np.errstate(all="ignore"):  # levels so extreme that float32 cannot hold what follows are named below
        noisy = entry.function(clean, draws, per_image(options, levels, len(clean)))
    if np.isnan(noisy).any():
        raise InputError(f"{entry.name} gives values that are no numbers: its options are too extreme for 32-bit arithmetic.")
    return np.clip(noisy, 0, 1, dtype=np.float32)


def _level_generator(entry: Noise, seed: int, image_id: str) -> np.random.Generator:
    """Levels have a stream of their own, so that giving a range instead of a number leaves the noise's draws alone."""
    return generator(seed, entry.name, image_id, "levels")


def _open_clean(path: str | os.PathLike) -> tuple[np.ndarray, list[dict[str, str]]]:
    images, index = open_stack(path), read_index(path)
    if min(images.shape[1:]) < 2:
        raise InputError(f"{path} has images of {_size(images)} pixels; noise needs at least 2x2.")
    if len(index) != len(images):
        raise InputError(f"The index of {path} has {len(index)} rows for {len(images)} images; write the stack anew.")
    if "image_id" not in index[0]:
        raise InputError(f"The index of {path} has no column image_id, which the random draws depend on.")
    return images, index


def _check_clean(clean: np.ndarray) -> None:
    if not isinstance(clean, np.ndarray) or clean.dtype != np.float32:
        kind = getattr(clean, "dtype", type(clean).__name__)
        raise InputError(f"The clean images are {kind}; float32 in [0,1] is needed (8-bit images: divide by 255).")
    if clean.ndim != 3 or 0 in clean.shape:
        raise InputError(f"The clean images have shape {clean.shape}; (images, height, width) is needed.")
    if min(clean.shape[1:]) < 2:
        raise InputError(f"The clean images have {_size(clean)} pixels; noise needs at least 2x2.")
    low, high = clean.min(), clean.max()
    if not (low >= 0 and high <= 1):
        raise InputError(f"The clean images hold values from {low:g} to {high:g}; values in [0,1] are needed.")


def _size(images: np.ndarray) -> str:
    return "x".join(map(str, images.shape[1:]))


def _unique(ids: Iterable[str | int], images: int) -> list[str]:
    ids = [str(each) for each in ids]
    if len(ids) != images:
        raise InputError(f"There are {len(ids)} image identifiers for {images} images.")
    if len(set(ids)) != images:
        twice = next(each for i, each in enumerate(ids) if each in ids[:i])
        raise InputError(f"The image identifier {twice!r} stands for several images; they would get the same draws.")
    return ids
