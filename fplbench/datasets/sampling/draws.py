"""Drawing slices evenly over patients, and finding replacements for those that cannot be used."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain, pairwise, zip_longest

import numpy as np

from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.quotas import even_quotas
from fplbench.seeds import generator

Groups = Sequence[Sequence[Sequence[Slice]]]
"""The slices of each patient, cut into runs of neighbours; within a run, in order of preference."""


class Split:
    """The slices drawn for one split, and those kept in reserve.

    Args:
        drawn: the slices that are drawn.
        spare: the other slices, in the order in which they are used if there is no closer replacement.
        groups: the slices of each patient, cut into runs of neighbours; within a run, in order of preference.
        lesions: image_ids of slices that are replaced by each other, as long as there are any.

    Attributes:
        drawn: as above.
        spare: as above.
    """

    def __init__(
        self, drawn: Sequence[Slice], spare: Sequence[Slice], groups: Groups = (), lesions: Collection[str] = frozenset()
    ) -> None:
        self.drawn, self.spare = list(drawn), list(spare)
        self._used = {one.image_id for one in self.drawn}
        self._lesions = lesions
        self._any = _Reserve(self.spare, groups)
        self._with_lesion = _Reserve(
            self._marked(self.spare), [[self._marked(run) for run in runs] for runs in groups] if lesions else ()
        )

    def __len__(self) -> int:
        return len(self.drawn) + len(self.spare)

    def replace(self, one: Slice, usable: Callable[[Slice], bool]) -> Slice | None:
        """Choose a replacement for a slice: of the same patient, from the nearest run that has one; else of any patient.

        A slice with a lesion is replaced by another one with a lesion, of any patient, if there is one.

        Returns:
            A slice that was not used before, or None if there is none left.
        """
        reserves = [self._with_lesion, self._any] if one.image_id in self._lesions else [self._any]
        for queue in chain.from_iterable(reserve.queues(one) for reserve in reserves):
            while queue:
                candidate = queue.popleft()
                if candidate.image_id not in self._used and usable(candidate):
                    self._used.add(candidate.image_id)
                    return candidate
        return None

    def _marked(self, slices: Iterable[Slice]) -> list[Slice]:
        return [one for one in slices if one.image_id in self._lesions]


class _Reserve:
    """Slices in reserve: the runs of each patient, and a queue of all."""

    def __init__(self, spare: Iterable[Slice], groups: Groups) -> None:
        self._rest = deque(spare)
        self._runs: list[list[deque[Slice]]] = []
        self._place: dict[str, tuple[int, int]] = {}
        for runs in groups:
            for number, run in enumerate(runs):
                self._place.update((one.image_id, (len(self._runs), number)) for one in run)
            self._runs.append([deque(run) for run in runs])

    def queues(self, one: Slice) -> list[deque[Slice]]:
        """Where to look for a replacement: the runs of the patient, the nearest first, then all slices."""
        if one.image_id not in self._place:
            return [self._rest]
        patient, place = self._place[one.image_id]
        runs = self._runs[patient]
        return [runs[number] for number in sorted(range(len(runs)), key=lambda number: abs(number - place))] + [self._rest]


def spread(
    members: Mapping[str, Sequence[Slice]],
    count: int,
    seed: int,
    *axes: str,
    lesions: Collection[str] = frozenset(),
    wanted: int = 0,
) -> Split:
    """Draw slices evenly over the patients, and evenly over the slices of each patient.

    The slices of each patient are cut into equal runs, one for each slice to be drawn from the patient. If some must show a
    lesion, these are drawn first, in the same way, from the slices that do.

    Args:
        members: the slices by patient.
        count: number of slices to draw.
        seed: seed of the run.
        axes: names that the random stream depends on.
        lesions: image_ids of the slices with a lesion.
        wanted: number of slices with a lesion to draw; fewer are drawn if there are fewer.
    """
    patients = sorted(members)
    patients = [patients[index] for index in generator(seed, "order", *axes).permutation(len(patients))]
    marked = [[one for one in members[patient] if one.image_id in lesions] for patient in patients]
    first = even_quotas([len(slices) for slices in marked], wanted)
    quotas = even_quotas([len(members[patient]) for patient in patients], count, first)
    drawn, spare, groups = [], [], []
    for patient, slices, floor, quota in zip(patients, marked, first, quotas, strict=True):
        chosen = [run[0] for run in _shuffled_runs(slices, floor, generator(seed, "lesions", *axes, patient))] if floor else []
        taken = {one.image_id for one in chosen}
        others = [one for one in members[patient] if one.image_id not in taken]
        runs = _shuffled_runs(others, quota - floor, generator(seed, "slices", *axes, patient))
        more = quota > floor
        drawn.append([*chosen, *([run[0] for run in runs] if more else [])])
        spare.append(_in_turn([run[1:] if more else run for run in runs]))
        groups.append(_beside(runs, chosen, members[patient]))
    return Split(_in_turn(drawn), _in_turn(spare), groups, lesions if wanted else frozenset())


def evenly(slices: Sequence[Slice], number: int) -> list[Slice]:
    """Choose slices spread evenly over a sequence, each in the middle of its share."""
    step = len(slices) / max(number, 1)
    return [slices[int((place + 0.5) * step)] for place in range(number)]


def _shuffled_runs(slices: Sequence[Slice], count: int, random: np.random.Generator) -> list[list[Slice]]:
    """Cut slices into `count` equal runs of neighbours, at least one, and shuffle each run."""
    count = max(count, 1)
    edges = [len(slices) * number // count for number in range(count + 1)]
    return [[slices[low + index] for index in random.permutation(high - low)] for low, high in pairwise(edges)]


def _beside(runs: Sequence[Sequence[Slice]], chosen: Sequence[Slice], order: Sequence[Slice]) -> list[list[Slice]]:
    """Add each chosen slice to the nearest run, so that its replacement comes from there."""
    groups = [list(run) for run in runs]
    place = {one.image_id: number for number, one in enumerate(order)} if chosen else {}
    for one in chosen:
        distances = [min((abs(place[other.image_id] - place[one.image_id]) for other in run), default=len(order)) for run in runs]
        groups[distances.index(min(distances))].append(one)
    return groups


def _in_turn(queues: Sequence[Sequence[Slice]]) -> list[Slice]:
    """The first of each queue, then the second of each, until all are empty."""
    return [one for one in chain.from_iterable(zip_longest(*queues)) if one is not None]
