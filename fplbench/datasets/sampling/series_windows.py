"""The window of each series whose values have no unit, from the percentiles of some of its slices."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fplbench.datasets.percentiles import percentile_window, percentiles_of
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Plane, Slice
from fplbench.datasets.sampling.draws import evenly
from fplbench.datasets.sampling.pixels import Form, Image, by_file, read_slices, run_orders

SLICES = 9  # of a series, at most, spread evenly
NO_WINDOW = Failure("none of the slices that give its series a window can be read")

Series = tuple[str, str]
"""Patient and series."""


class SeriesWindows:
    """The windows of the series of a data set, measured when their first slice is wanted.

    They depend on the series alone, not on what is drawn from it. A series of one image gets its window when that is read,
    and so does none here. Where the options set a window, or have no percentiles, nothing is measured.

    Args:
        dataset: the data set.
        options: its options.
        slices: every slice of the data set.

    Attributes:
        tried: files that were read to measure windows.
        faults: those that cannot be read.
    """

    def __init__(self, dataset: Dataset, options: DatasetOptions, slices: Sequence[Slice]) -> None:
        self.dataset, self.options = dataset, options
        self.tried: set[str] = set()
        self.faults: dict[str, Failure] = {}
        self._percentiles = percentiles_of(options)
        self._windows: dict[Series, tuple[float, float] | None] = {}
        self._members: dict[Series, list[Slice]] = defaultdict(list)
        for one in slices if self._percentiles else ():
            self._members[one.patient, one.series].append(one)

    def measure(self, wanted: Iterable[Slice], threads: int) -> None:
        """Measure the windows of series that are not known yet, from the pixels of up to nine slices of each.

        Args:
            wanted: slices of these series.
            threads: number of reading processes.
        """
        if self._percentiles is None:
            return
        fresh = sorted({(one.patient, one.series) for one in wanted} - self._windows.keys())
        fresh = [series for series in fresh if len(self._members[series]) > 1]
        chosen = dict(enumerate(one for series in fresh for one in self._sampled(series)))
        self.tried |= {one.source for one in chosen.values()}
        found: dict[Series, dict[int, tuple[np.ndarray, np.ndarray]]] = {series: {} for series in fresh}
        for number, answer in _count(self.dataset, self.options, chosen, threads):
            if isinstance(answer, Failure):
                self.faults[chosen[number].source] = answer
            else:
                found[chosen[number].patient, chosen[number].series][number] = answer
        for series, parts in found.items():
            ordered = [parts[number] for number in sorted(parts)]
            self._windows[series] = _pooled(ordered, self._percentiles) if ordered else None

    def read(self, form: Form, wanted: dict[int, Slice], threads: int) -> Iterator[tuple[int, Image | Failure]]:
        """Read slices, as `read_slices` does, with the windows of their series, which must have been measured.

        A slice without a window, since no slice of its series that was to be measured can be read, fails.
        """
        ready = {}
        for number, one in wanted.items():
            series = one.patient, one.series
            window = self._windows.get(series)
            if window is None and series in self._windows:
                yield number, NO_WINDOW
            else:
                ready[number] = one if window is None else replace(one, window=window)
        yield from read_slices(self.dataset, self.options, form, ready, threads)

    def _sampled(self, series: Series) -> list[Slice]:
        ordered = sorted(self._members[series], key=lambda one: (one.number, one.image_id))
        return evenly(ordered, min(SLICES, len(ordered)))


def count_file(task: tuple[Callable[..., Iterator[Plane]], DatasetOptions, str, list[Slice]]) -> list[Any]:
    """The finite values of each of the wanted slices of one file, and how often they occur; runs in a worker process."""
    read_images, options, source, slices = task
    counts = {}
    for plane in read_images(options.root / source, slices, options):
        values, times = np.unique(plane.values[np.isfinite(plane.values)], return_counts=True)
        counts[plane.slice] = values, times.astype(np.int32)
    return [counts[one] for one in slices]


def _count(
    dataset: Dataset, options: DatasetOptions, chosen: Mapping[int, Slice], threads: int
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray] | Failure]]:
    """Count the values of slices in guarded processes."""
    if chosen:
        orders = by_file(chosen, size=1)
        tasks = ((dataset.read_images, options, source, [chosen[number] for number in numbers]) for source, numbers in orders)
        yield from run_orders(count_file, tasks, orders, dataset, options, threads, "windows")


def _pooled(parts: Sequence[tuple[np.ndarray, np.ndarray]], percentiles: tuple[float, float]) -> tuple[float, float] | None:
    """The window from the values of several slices."""
    values, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return percentile_window(values, percentiles, counts)
