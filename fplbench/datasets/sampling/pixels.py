"""Pixels of chosen slices, read, windowed and resized in worker processes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fplbench.datasets.percentiles import own_window
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Plane, Slice, Unreadable
from fplbench.datasets.sampling.display import to_eight_bit, to_int16
from fplbench.datasets.sampling.patches import Corner, choose_corner, cut, visible
from fplbench.datasets.workers import run_guarded
from fplbench.seeds import generator

Order = tuple[str, list[int]]
"""A file, and the numbers of the slices to read from it."""
ANSWER_BYTES = 2**24  # of images that a process holds at once; a volume can have hundreds


@dataclass(frozen=True, slots=True)
class Form:
    """What the images of a stack are to be.

    Attributes:
        size: side, pixels.
        hu: whether the images are also wanted in HU.
        noisy: whether the noisy images of pairs are wanted too.
        patches: what the places of patches depend on besides the image, the seed and the name of the data set; None: the
            images are whole slices, resized.
    """

    size: int
    hu: bool = False
    noisy: bool = False
    patches: tuple[int, str] | None = None

    @property
    def pixel_bytes(self) -> int:
        """Bytes for each pixel of an image."""
        return 1 + 2 * self.hu + self.noisy


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a stack, and what is needed to recover the original values.

    Attributes:
        pixels: uint8 (size, size).
        window: values shown as 0 and 255.
        shape: size of the slice.
        minimum, maximum: range of the original values that the image shows (HU for CT), after inversion.
        inverted: whether a MONOCHROME1 image was inverted.
        hu: int16 (size, size), if asked for.
        noisy: uint8 (size, size), the noisy image of a pair, if asked for.
        corner: where in the slice a patch starts; None: the whole slice is shown.
    """

    pixels: np.ndarray
    window: tuple[float, float]
    shape: tuple[int, int]
    minimum: float
    maximum: float
    inverted: bool
    hu: np.ndarray | None = None
    noisy: np.ndarray | None = None
    corner: Corner | None = None


def read_slices(
    dataset: Dataset, options: DatasetOptions, form: Form, wanted: Mapping[int, Slice], threads: int
) -> Iterator[tuple[int, Image | Failure]]:
    """Read slices. Each file is read once, or a few times if many large images are wanted from it.

    Args:
        dataset: the data set.
        options: its options.
        form: what the images are to be.
        wanted: the slices, by number; the numbers are chosen by the caller.
        threads: number of reading processes.

    Yields:
        The number with the image, or with the failure of its file, in order of completion.
    """
    orders = by_file(wanted, form.size, form.pixel_bytes)
    tasks = ((dataset.read_images, options, source, [wanted[number] for number in numbers], form) for source, numbers in orders)
    yield from run_orders(read_file, tasks, orders, dataset, options, threads, "pixels")


def read_file(task: tuple[Callable[..., Iterator[Plane]], DatasetOptions, str, list[Slice], Form]) -> list[Image]:
    """Read, window and resize the wanted slices of one file; runs in a worker process."""
    read_images, options, source, slices, form = task
    images = {plane.slice: _image(plane, options, form) for plane in read_images(options.root / source, slices, options)}
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


def _image(plane: Plane, options: DatasetOptions, form: Form) -> Image:
    """Window a slice and bring it, and the noisy image of its pair, to the size of the stack."""
    one, values = plane.slice, plane.values
    window = options.window or one.window or own_window(values, options) or plane.range
    corner = None
    if form.patches:
        seed, name = form.patches
        corner = choose_corner(values, window, form.size, generator(seed, "patch", name, one.image_id))

    def shown(array: np.ndarray) -> np.ndarray:
        return array if corner is None else cut(array, form.size, corner, np.nan)

    part = values if corner is None else visible(values, form.size, corner)
    return Image(
        pixels=to_eight_bit(shown(values), window, form.size),
        window=window,
        shape=values.shape,
        minimum=float(part.min()),
        maximum=float(part.max()),
        inverted=plane.inverted,
        hu=to_int16(shown(values), form.size) if form.hu else None,
        noisy=to_eight_bit(shown(_noisy(plane)), window, form.size) if form.noisy else None,
        corner=corner,
    )


def _noisy(plane: Plane) -> np.ndarray:
    """The noisy image of a pair, (H, W), checked. Raises Unreadable if there is none, or of another size than the clean one."""
    if plane.noisy is None:
        raise Unreadable("its noisy image is missing")
    if plane.noisy.shape != plane.values.shape:
        (height, width), (rows, columns) = plane.noisy.shape, plane.values.shape
        raise Unreadable(f"its noisy image has {height}x{width} pixels and the clean one {rows}x{columns}")
    return plane.noisy
