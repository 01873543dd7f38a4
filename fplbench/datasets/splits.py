"""Choosing which slices become training, validation and test images."""

from bisect import bisect
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, pairwise, zip_longest
from typing import Literal

import numpy as np
from pydantic import Field

from fplbench.datasets.quotas import apportion, divide, even_quotas
from fplbench.datasets.registry import Slice
from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.seeds import generator

SPLITS = ("train", "validation", "test")


class SamplingOptions(Options):
    """How many images are drawn, their size, and how the data set is split."""

    train: int = Field(5000, ge=1, description="Training images.")
    validation: int = Field(500, ge=1, description="Validation images.")
    test: int = Field(500, ge=1, description="Test images.")
    size: int = Field(256, ge=16, le=4096, description="Side of the square images, pixels.")
    split: Literal["patient", "random_slice", "blocks"] = Field(
        "patient",
        description="patient: no patient is in two splits; random_slice: as in the paper, which leaks; "
        "blocks: for one patient, runs of neighbouring slices with gaps between the splits.",
    )
    blocks: int = Field(3, ge=1, description="With split blocks: number of runs for validation, and for test.")
    gap: int = Field(2, ge=0, description="With split blocks: slices left out between runs of different splits.")

    def counts(self) -> dict[str, int]:
        """Number of images for each split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


class Split:
    """The slices drawn for one split, and those kept in reserve.

    Args:
        drawn: the slices that are drawn.
        spare: the other slices, in the order in which they are used if there is no closer replacement.
        groups: the slices of each patient, cut into runs of neighbours; within a run, in order of preference.

    Attributes:
        drawn: as above.
        spare: as above.
    """

    def __init__(self, drawn: Sequence[Slice], spare: Sequence[Slice], groups: Iterable[Sequence[Sequence[Slice]]] = ()) -> None:
        self.drawn, self.spare = list(drawn), list(spare)
        self._rest = deque(self.spare)
        self._used = {one.image_id for one in self.drawn}
        self._runs: list[list[deque[Slice]]] = []
        self._place: dict[str, tuple[int, int]] = {}
        for runs in groups:
            for number, run in enumerate(runs):
                self._place.update((one.image_id, (len(self._runs), number)) for one in run)
            self._runs.append([deque(run) for run in runs])

    def __len__(self) -> int:
        return len(self.drawn) + len(self.spare)

    def replace(self, one: Slice, usable: Callable[[Slice], bool]) -> Slice | None:
        """Choose a replacement for a slice: of the same patient, from the nearest run that has one; else of any patient.

        Returns:
            A slice that was not used before, or None if there is none left.
        """
        queues = [self._rest]
        if one.image_id in self._place:
            patient, place = self._place[one.image_id]
            runs = self._runs[patient]
            queues = [runs[number] for number in sorted(range(len(runs)), key=lambda number: abs(number - place))] + queues
        for queue in queues:
            while queue:
                candidate = queue.popleft()
                if candidate.image_id not in self._used and usable(candidate):
                    self._used.add(candidate.image_id)
                    return candidate
        return None


def candidates(slices: Sequence[Slice], options: SamplingOptions, seed: int, name: str) -> dict[str, Split]:
    """Draw the slices of each split, and order those that may replace them.

    The result depends on the slices, not on their order.

    Args:
        slices: every slice of the data set.
        options: the numbers of images and the kind of split.
        seed: seed of the run.
        name: name of the data set; each data set has a random stream of its own.

    Raises:
        InputError: there are too few slices or patients. The message gives the numbers.
    """
    slices = sorted(slices, key=lambda one: (one.patient, one.series, one.number, one.image_id))
    counts = options.counts()
    if len(slices) < sum(counts.values()):
        raise InputError(
            f"{name}: sampling asks for {_sum(counts)} images and finds {len(slices)}; lower the numbers in sampling."
        )
    if options.split == "patient":
        return _by_patient(slices, counts, seed, name)
    if options.split == "random_slice":
        return _at_random(slices, counts, seed, name)
    return _in_blocks(slices, counts, options, name)


def leak(splits: Mapping[str, Sequence[Slice]]) -> float:
    """Share of the test slices whose patient is in the training split too."""
    known = {one.patient for one in splits["train"]}
    return sum(one.patient in known for one in splits["test"]) / max(len(splits["test"]), 1)


def _by_patient(slices: Sequence[Slice], counts: Mapping[str, int], seed: int, name: str) -> dict[str, Split]:
    """Divide the patients in proportion to the numbers of images, then draw evenly over the patients of each split."""
    by_patient = defaultdict(list)
    for one in slices:
        by_patient[one.patient].append(one)
    patients = sorted(by_patient)
    if len(patients) < len(counts):
        raise InputError(
            f"{name}: splitting by patient needs at least {len(counts)} patients and finds {len(patients)}; "
            f"set sampling.split to blocks to split the slices of one patient."
        )
    patients = [patients[index] for index in generator(seed, "patients", name).permutation(len(patients))]
    splits, start = {}, 0
    for split, share in apportion(len(patients), counts).items():
        members = {patient: by_patient[patient] for patient in patients[start : start + share]}
        start += share
        found = sum(map(len, members.values()))
        if found < counts[split]:
            raise InputError(
                f"{name}: sampling.{split} asks for {counts[split]} images, but its patients, {share} of {len(patients)}, "
                f"have only {found}; lower the number."
            )
        splits[split] = spread(members, counts[split], seed, name, split)
    return splits


def spread(members: Mapping[str, Sequence[Slice]], count: int, seed: int, *axes: str) -> Split:
    """Draw slices evenly over the patients, and evenly over the slices of each patient.

    The slices of each patient are cut into equal runs, one for each slice to be drawn from the patient.

    Args:
        members: the slices by patient.
        count: number of slices to draw.
        seed: seed of the run.
        axes: names that the random stream depends on.
    """
    patients = sorted(members)
    patients = [patients[index] for index in generator(seed, "order", *axes).permutation(len(patients))]
    quotas = even_quotas([len(members[patient]) for patient in patients], count)
    groups = [
        _shuffled_runs(members[patient], quota, generator(seed, "slices", *axes, patient))
        for patient, quota in zip(patients, quotas, strict=True)
    ]
    drawn = [[run[0] for run in runs] if quota else [] for runs, quota in zip(groups, quotas, strict=True)]
    spare = [_in_turn([run[1:] if quota else run for run in runs]) for runs, quota in zip(groups, quotas, strict=True)]
    return Split(_in_turn(drawn), _in_turn(spare), groups)


def _shuffled_runs(slices: Sequence[Slice], count: int, random: np.random.Generator) -> list[list[Slice]]:
    """Cut slices into `count` equal runs of neighbours, at least one, and shuffle each run."""
    count = max(count, 1)
    edges = [len(slices) * number // count for number in range(count + 1)]
    return [[slices[low + index] for index in random.permutation(high - low)] for low, high in pairwise(edges)]


def _in_turn(queues: Sequence[Sequence[Slice]]) -> list[Slice]:
    """The first of each queue, then the second of each, until all are empty."""
    return [one for one in chain.from_iterable(zip_longest(*queues)) if one is not None]


def _at_random(slices: Sequence[Slice], counts: Mapping[str, int], seed: int, name: str) -> dict[str, Split]:
    """Draw images at random, whichever patient they show, as in the paper."""
    order = [slices[index] for index in generator(seed, "random_slice", name).permutation(len(slices))]
    spare = order[sum(counts.values()) :]
    splits, start = {}, 0
    for number, (split, count) in enumerate(counts.items()):
        splits[split] = Split(order[start : start + count], spare[number :: len(counts)])
        start += count
    return splits


def _in_blocks(slices: Sequence[Slice], counts: Mapping[str, int], options: SamplingOptions, name: str) -> dict[str, Split]:
    """Cut the slices, in anatomical order, into runs that alternate between the splits, with gaps between the runs.

    The pattern train, validation, test is repeated `blocks` times and ends with train, so that every split covers every
    region. The lengths of the runs are in proportion to the numbers of images. No random numbers are used.
    """
    pattern = [*list(counts) * options.blocks, "train"]
    usable = len(slices) - options.gap * (len(pattern) - 1)
    if usable < sum(counts.values()):
        raise InputError(
            f"{name}: sampling asks for {_sum(counts)} images in {len(pattern)} runs, which with gaps of {options.gap} "
            f"slices needs {sum(counts.values()) + options.gap * (len(pattern) - 1)}, and finds {len(slices)}; lower "
            f"the numbers, sampling.gap or sampling.blocks."
        )
    room = apportion(usable, counts)
    if any(room[split] < counts[split] for split in counts):
        room = dict(counts)
        room["train"] += usable - sum(counts.values())
    lengths = {split: divide(room[split], pattern.count(split)) for split in counts}
    runs: dict[str, list[Slice]] = defaultdict(list)
    start = 0
    for split in pattern:
        length = lengths[split].pop(0)
        runs[split].extend(slices[start : start + length])
        start += length + options.gap
    return {split: _evenly(runs[split], count) for split, count in counts.items()}


def _evenly(run: Sequence[Slice], count: int) -> Split:
    """Draw slices at equal distances; each of the others may replace the nearest of these, the closest ones first."""
    chosen = [(2 * index + 1) * len(run) // (2 * count) for index in range(count)]
    others = sorted(set(range(len(run))) - set(chosen))
    borders = [(low + high) / 2 for low, high in pairwise(chosen)]
    near: list[list[int]] = [[] for _ in chosen]
    for index in others:
        near[bisect(borders, index)].append(index)
    neighbours = []
    for centre, indices in zip(chosen, near, strict=True):
        by_distance = sorted((abs(index - centre), index) for index in [centre, *indices])
        neighbours.append([run[index] for _, index in by_distance])
    return Split([run[index] for index in chosen], [run[index] for index in others], [neighbours])


def _sum(counts: Mapping[str, int]) -> str:
    return f"{' + '.join(str(count) for count in counts.values())} = {sum(counts.values())}"
