"""The second pass: the pixels of chosen slices, read, windowed and resized in worker processes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Slice
from fplbench.datasets.display import to_eight_bit
from fplbench.datasets.workers import Failure, run_guarded


@dataclass(frozen=True, slots=True)
class Image:
    """One image as it goes into a stack, and what leads back to the original values.

    `pixels` is uint8 (size, size); `shape` is that of the original, `minimum` and `maximum` are its values (HU for CT).
    """

    pixels: np.ndarray
    window: tuple[float, float]
    shape: tuple[int, int]
    minimum: float
    maximum: float


def read_slices(
    dataset: Dataset, options: DatasetOptions, size: int, wanted: Mapping[int, Slice], threads: int
) -> Iterator[tuple[int, Image | str]]:
    """Read slices, each file once.

    Args:
        dataset: the data set.
        options: its options.
        size: side of the images, pixels.
        wanted: the slices, by any number of the caller's.
        threads: processes that read.

    Yields:
        The caller's number with the image, or with the reason why the file cannot be read; in the order of completion.
    """
    from tqdm import tqdm

    by_source: dict[str, list[int]] = defaultdict(list)
    for number, one in wanted.items():
        by_source[one.source].append(number)
    sources = sorted(by_source)
    tasks = ((dataset.name, options, source, [wanted[number] for number in by_source[source]], size) for source in sources)
    answers = run_guarded(read_file, tasks, min(threads, len(sources)), options.seconds_per_file, dataset.libraries)
    for done, answer in tqdm(answers, "pixels", len(sources), unit="file", disable=None):
        numbers = by_source[sources[done]]
        if isinstance(answer, Failure):
            yield from ((number, answer.reason) for number in numbers)
        else:
            yield from zip(numbers, answer, strict=True)


def read_file(task: tuple[str, DatasetOptions, str, list[Slice], int]) -> list[Image]:
    """Read, window and resize the wanted slices of one file: the task of a worker process."""
    name, options, source, slices, size = task
    images = {}
    for one, values, stored in DATASETS[name].read_images(options.root / source, slices, options):
        window = options.window or stored
        pixels = to_eight_bit(values, window, size)
        images[one] = Image(pixels, window, values.shape, float(values.min()), float(values.max()))
    return [images[one] for one in slices]
