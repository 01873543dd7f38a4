"""The second pass: the pixels of chosen slices, read, windowed and resized in worker processes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fplbench.datasets.display import to_eight_bit
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Slice
from fplbench.datasets.workers import run_guarded

ANSWER_BYTES = 2**24  # of images that a process holds at a time: a volume can give hundreds


@dataclass(frozen=True, slots=True)
class Image:
    """One image as it goes into a stack, and what leads back to the original values.

    `pixels` is uint8 (size, size); `shape` is that of the original, `minimum` and `maximum` are its values (HU for CT)
    after the inversion of a MONOCHROME1 image, which `inverted` tells.
    """

    pixels: np.ndarray
    window: tuple[float, float]
    shape: tuple[int, int]
    minimum: float
    maximum: float
    inverted: bool


def read_slices(
    dataset: Dataset, options: DatasetOptions, size: int, wanted: Mapping[int, Slice], threads: int
) -> Iterator[tuple[int, Image | Failure]]:
    """Read slices, each file once, or a few times where many large images are wanted of it.

    Args:
        dataset: the data set.
        options: its options.
        size: side of the images, pixels.
        wanted: the slices, by any number of the caller's.
        threads: processes that read.

    Yields:
        The caller's number with the image, or with the failure of its file; in the order of completion.
    """
    from tqdm import tqdm

    orders = _orders(wanted, max(1, ANSWER_BYTES // size**2))
    tasks = ((dataset.name, options, source, [wanted[number] for number in numbers], size) for source, numbers in orders)
    answers = run_guarded(read_file, tasks, min(threads, len(orders)), options.seconds_per_file, dataset.libraries)
    for done, answer in tqdm(answers, "pixels", len(orders), unit="file", disable=None):
        numbers = orders[done][1]
        if isinstance(answer, Failure):
            yield from ((number, answer) for number in numbers)
        else:
            yield from zip(numbers, answer, strict=True)


def read_file(task: tuple[str, DatasetOptions, str, list[Slice], int]) -> list[Image]:
    """Read, window and resize the wanted slices of one file: the task of a worker process."""
    name, options, source, slices, size = task
    images = {}
    for one, values, stored, inverted in DATASETS[name].read_images(options.root / source, slices, options):
        window = options.window or stored
        pixels = to_eight_bit(values, window, size)
        images[one] = Image(pixels, window, values.shape, float(values.min()), float(values.max()), inverted)
    return [images[one] for one in slices]


def _orders(wanted: Mapping[int, Slice], most: int) -> list[tuple[str, list[int]]]:
    """Files with the numbers of the slices to take, at most `most` at a time."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for number, one in wanted.items():
        by_source[one.source].append(number)
    return [
        (source, numbers[start : start + most])
        for source, numbers in sorted(by_source.items())
        for start in range(0, len(numbers), most)
    ]
