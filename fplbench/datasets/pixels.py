"""Pixels of chosen slices, read, windowed and resized in worker processes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fplbench.datasets.display import to_eight_bit, to_int16
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Slice
from fplbench.datasets.workers import run_guarded

Order = tuple[str, list[int]]
"""A file, and the numbers of the slices to read from it."""
ANSWER_BYTES = 2**24  # of images that a process holds at once; a volume can have hundreds


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a stack, and what is needed to recover the original values.

    Attributes:
        pixels: uint8 (size, size).
        window: values shown as 0 and 255.
        shape: size of the original image.
        minimum, maximum: range of the original values (HU for CT), after inversion.
        inverted: whether a MONOCHROME1 image was inverted.
        hu: int16 (size, size), if asked for.
    """

    pixels: np.ndarray
    window: tuple[float, float]
    shape: tuple[int, int]
    minimum: float
    maximum: float
    inverted: bool
    hu: np.ndarray | None = None


def read_slices(
    dataset: Dataset, options: DatasetOptions, size: int, wanted: Mapping[int, Slice], threads: int, hu: bool = False
) -> Iterator[tuple[int, Image | Failure]]:
    """Read slices. Each file is read once, or a few times if many large images are wanted from it.

    Args:
        dataset: the data set.
        options: its options.
        size: side of the images, pixels.
        wanted: the slices, by number; the numbers are chosen by the caller.
        threads: number of reading processes.
        hu: whether the images are also wanted in HU.

    Yields:
        The number with the image, or with the failure of its file, in order of completion.
    """
    orders = by_file(wanted, size, pixel_bytes=3 if hu else 1)
    tasks = (
        (dataset.loader or dataset.name, options, source, [wanted[number] for number in numbers], size, hu)
        for source, numbers in orders
    )
    yield from run_orders(read_file, tasks, orders, dataset, options, threads, "pixels")


def read_file(task: tuple[str, DatasetOptions, str, list[Slice], int, bool]) -> list[Image]:
    """Read, window and resize the wanted slices of one file; runs in a worker process."""
    name, options, source, slices, size, hu = task
    images = {}
    for one, values, stored, inverted, _ in LOADERS[name].read_images(options.root / source, slices, options):
        window = options.window or one.window or stored
        pixels = to_eight_bit(values, window, size)
        units = to_int16(values, size) if hu else None
        images[one] = Image(pixels, window, values.shape, float(values.min()), float(values.max()), inverted, units)
    return [images[one] for one in slices]


def by_file(wanted: Mapping[int, Slice], size: int, pixel_bytes: int = 1) -> list[Order]:
    """Each file with the numbers of the slices to read from it, as many at once as fit into an answer at this image size."""
    most = max(1, ANSWER_BYTES // (pixel_bytes * size**2))
    by_source: dict[str, list[int]] = defaultdict(list)
    for number, one in wanted.items():
        by_source[one.source].append(number)
    return [
        (source, numbers[start : start + most])
        for source, numbers in sorted(by_source.items())
        for start in range(0, len(numbers), most)
    ]


def run_orders(
    work: Callable[[Any], list[Any]],
    tasks: Iterable[Any],
    orders: Sequence[Order],
    dataset: Dataset,
    options: DatasetOptions,
    threads: int,
    label: str,
) -> Iterator[tuple[int, Any]]:
    """Run a task for each order in guarded processes.

    Args:
        work: from a task to a list with an answer for each number of its order.
        tasks: as many as orders.
        orders: what the tasks are to read.
        dataset: the data set, for the libraries that its files need.
        options: its options, for the time limit.
        threads: number of reading processes.
        label: of the progress bar.

    Yields:
        Each number with its answer, or with the failure of its file, in order of completion.
    """
    from tqdm import tqdm

    answers = run_guarded(work, tasks, min(threads, len(orders)), options.seconds_per_file, dataset.libraries)
    for done, answer in tqdm(answers, label, len(orders), unit="file", disable=None):
        numbers = orders[done][1]
        if isinstance(answer, Failure):
            yield from ((number, answer) for number in numbers)
        else:
            yield from zip(numbers, answer, strict=True)
