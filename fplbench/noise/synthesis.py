"""Adding noise to images in memory, or to a stack on disk."""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.noise.draws import Draws
from fplbench.noise.further import Further, given_in_memory, open_beside
from fplbench.noise.levels import draw_levels, per_image
from fplbench.noise.records import Record, write_record
from fplbench.noise.registry import NOISES, Noise
from fplbench.noise.window import index_window
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.seeds import generator
from fplbench.stacks import creating_stack, iterate, open_stack, read_index

CHUNK = 8
"""Images processed at a time: few enough to stay in the processor's cache."""


def synthesize(
    name: str,
    clean: np.ndarray,
    *,
    seed: int,
    image_ids: Sequence[str | int] | None = None,
    hu: np.ndarray | None = None,
    pair: np.ndarray | None = None,
    **options: Any,
) -> np.ndarray:
    """Add a noise or artefact to clean images.

    Args:
        name: name of the noise, a key of `NOISES`.
        clean: float32 (N, H, W) in [0,1]; not modified.
        seed: seed of the run.
        image_ids: N different names on which the random numbers of the images depend; 0 to N-1 if not given.
        hu: the images in Hounsfield units, (N, H, W), for a noise that needs them (`low_dose_ct`).
        pair: the noisy images that were acquired with the clean ones, float32 (N, H, W) in [0,1], for `as_acquired`.
        **options: options of the noise; most take a number, or a range [low, high] from which each image draws its own.

    Returns:
        float32 (N, H, W), clipped to [0,1]. The result for an image depends on the name of the noise, the seed, the image's
        name and the options, but not on the other images.

    Raises:
        InputError: the noise or an option is unknown, the images have the wrong type, shape or range, or Hounsfield units or
            the noisy images of pairs are missing, given in vain, or those of other images.

    Examples:
        Convert 8-bit images, as stacks hold them, and convert the result back:

        >>> import numpy as np
        >>> from fplbench.noise import synthesize
        >>> images = np.full((2, 64, 64), 128, np.uint8)
        >>> noisy = synthesize("gaussian", images.astype(np.float32) / 255, seed=1, sigma=0.05)
        >>> np.rint(noisy * 255).astype(np.uint8).shape
        (2, 64, 64)
    """
    if not isinstance(name, str):
        raise InputError(
            f"The first argument is of type {type(name).__name__}, but must be the name of a noise, such as 'gaussian'; the "
            "images are the second argument."
        )
    entry = NOISES[name]
    checked = parse_options(entry.options, options, name)
    _check_clean(clean)
    ids = _unique(range(len(clean)) if image_ids is None else image_ids, len(clean))
    further = given_in_memory(entry, checked, clean.shape, hu, pair)
    noisy = np.empty_like(clean, order="C")
    for part in iterate(clean, CHUNK):
        noisy[part] = _apply(entry, checked, clean[part], seed, ids[part], 0, _of(further, part))
    return noisy


def synthesize_stack(
    name: str,
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    options: Mapping[str, Any],
    *,
    seed: int,
    axes: str = "",
    threads: int = 1,
) -> None:
    """Add a noise to a stack file, and write the noisy stack with its index and its record. It is processed in chunks.

    Args:
        name: name of the noise, a key of `NOISES`.
        clean: the .npy file of the clean stack, with its index.
        noisy: the .npy file to write. Its index repeats the clean one, with a column for each option given as a range.
        options: options of the noise; if they lack a grey window, the one in the index is used.
        seed: seed of the run.
        axes: what the random numbers depend on besides seed, noise and image, such as "lidc/test".
        threads: number of processor cores to use; it does not change the result.

    Raises:
        InputError: the noise or an option is unknown, the clean stack, its index or what the noise needs beside them cannot be
            used, `noisy` is the file of the clean stack, or `threads` is below 1.
    """
    checked = parse_options(NOISES[name].options, options, f"noises.{name}")
    record = write_noisy(
        Record(noise=name, options=checked.model_dump(mode="json"), seed=seed, axes=axes), clean, noisy, 0, threads
    )
    write_record(noisy, record)


def write_noisy(record: Record, clean: str | os.PathLike[str], noisy: str | os.PathLike[str], draw: int, threads: int) -> Record:
    """Write a realisation of a noise on a stack, with its index; see `synthesize_stack` and `draw_again`.

    Returns:
        The record with all options, those from the index of the clean stack included.
    """
    entry = NOISES[record.noise]
    if threads < 1:
        raise InputError(f"threads is {threads}; it must be at least 1.")
    if os.path.realpath(clean) == os.path.realpath(noisy):
        raise InputError(f"{noisy} is the clean stack, which would be overwritten; choose another name for the noisy stack.")
    images, index = _open_clean(clean)
    checked = with_window(parse_options(entry.options, record.options, f"noises.{entry.name}"), index)
    names = [f"{record.axes}/{row['image_id']}" if record.axes else row["image_id"] for row in index]
    ids = _unique(names, len(images))
    further = open_beside(entry, checked, clean, index, images.shape)
    drawn = drawn_levels(entry, checked, record.seed, ids, draw)
    rows = [row | levels for row, levels in zip(index, drawn, strict=True)]

    with creating_stack(noisy, images.shape, rows) as result, ThreadPoolExecutor(threads) as pool:

        def work(part: slice) -> None:
            scaled = images[part].astype(np.float32) / np.float32(255)
            values = _apply(entry, checked, scaled, record.seed, ids[part], draw, _of(further, part))
            result[part] = np.rint(values * np.float32(255)).astype(np.uint8)

        for _ in pool.map(work, iterate(images, CHUNK)):
            pass
    return record.model_copy(update={"options": checked.model_dump(mode="json")})


def with_window(options: Options, index: Sequence[Mapping[str, Any]]) -> Options:
    """The options with the grey window of the index, if the noise uses one and none is given."""
    window = index_window(index)
    if window is None or getattr(options, "window", window) is not None:
        return options
    return options.model_copy(update={"window": window})


def drawn_levels(entry: Noise, options: Options, seed: int, ids: Iterable[str], draw: int = 0) -> list[dict[str, Any]]:
    """What each image drew for the options given as a range: one dictionary for each image, empty without ranges."""
    generators = [_level_generator(entry, seed, each, draw) for each in ids]
    levels = draw_levels(options, generators)
    return [{name: values[i].item() for name, values in levels.items()} for i in range(len(generators))]


def _of(further: Further | None, part: slice) -> dict[str, np.ndarray]:
    """What a noise gets besides its options for some of the images."""
    return {} if further is None else further.of(part)


def _apply(
    entry: Noise,
    options: Options,
    clean: np.ndarray,
    seed: int,
    ids: Sequence[str],
    draw: int,
    further: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Noisy images, clipped to [0,1]."""
    levels = draw_levels(options, [_level_generator(entry, seed, each, draw) for each in ids])
    draws = Draws([generator(seed, entry.name, each, *_realisation(draw)) for each in ids])
    values = per_image(options, levels, len(clean), further)
    with np.errstate(all="ignore"):  # overflow under extreme options is reported below
        noisy = entry.function(clean, draws, values)
    if np.isnan(noisy).any():
        raise InputError(f"{entry.name} gives values that are not numbers: its options are too extreme for 32-bit arithmetic.")
    return np.clip(noisy, 0, 1, dtype=np.float32)


def _level_generator(entry: Noise, seed: int, image_id: str, draw: int) -> np.random.Generator:
    """Generator of the levels: a stream of its own, so that a range instead of a number does not change the noise's draws."""
    return generator(seed, entry.name, image_id, "levels", *_realisation(draw))


def _realisation(draw: int) -> tuple[str | int, ...]:
    """What the random numbers of a further realisation depend on besides; nothing for the first."""
    return ("draw", draw) if draw else ()


def _open_clean(path: str | os.PathLike[str]) -> tuple[np.ndarray, list[dict[str, str]]]:
    images = open_stack(path)
    if min(images.shape[1:]) < 2:
        raise InputError(f"{path} has images of {_size(images)} pixels; noise needs at least 2x2.")
    return images, read_index(path, len(images))


def _check_clean(clean: np.ndarray) -> None:
    if not isinstance(clean, np.ndarray) or clean.dtype != np.float32:
        kind = getattr(clean, "dtype", type(clean).__name__)
        raise InputError(
            f"The clean images are of type {kind}, but must be float32 in [0,1]; convert 8-bit images with "
            "images.astype(numpy.float32) / 255."
        )
    if clean.ndim != 3 or 0 in clean.shape:
        raise InputError(f"The clean images have shape {clean.shape}, but need three dimensions: (images, height, width).")
    if min(clean.shape[1:]) < 2:
        raise InputError(f"The clean images have {_size(clean)} pixels; noise needs at least 2x2.")
    low, high = clean.min(), clean.max()
    if not (low >= 0 and high <= 1):
        raise InputError(f"The clean images have values from {low:g} to {high:g}; they must lie in [0,1].")


def _size(images: np.ndarray) -> str:
    return "x".join(map(str, images.shape[1:]))


def _unique(ids: Iterable[str | int], images: int) -> list[str]:
    names = [str(each) for each in ids]
    if len(names) != images:
        raise InputError(f"The number of image_ids ({len(names)}) differs from the number of images ({images}).")
    if len(set(names)) != images:
        twice = next(each for i, each in enumerate(names) if each in names[:i])
        raise InputError(f"image_ids has {twice!r} more than once; these images would get the same random numbers.")
    return names
