"""The slices of one part of a draw, and what replaces those that cannot be used."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from fplbench.datasets.registry import Slice


class Part:
    """The slices drawn for one part, and those kept in reserve.

    Attributes:
        drawn: the slices that are drawn.
        spare: the others, in the order in which they are taken where nothing nearer is left.
    """

    def __init__(self, drawn: Sequence[Slice], spare: Sequence[Slice], groups: Iterable[Sequence[Sequence[Slice]]] = ()):
        """`groups` are the slices once more: patients, each cut into runs of neighbours, each run by preference."""
        self.drawn, self.spare = list(drawn), list(spare)
        self._rest = deque(self.spare)
        self._gone = {one.image_id for one in self.drawn}
        self._runs: list[list[deque[Slice]]] = []
        self._place: dict[str, tuple[int, int]] = {}
        for runs in groups:
            for number, run in enumerate(runs):
                self._place.update((one.image_id, (len(self._runs), number)) for one in run)
            self._runs.append([deque(run) for run in runs])

    def __len__(self) -> int:
        return len(self.drawn) + len(self.spare)

    def replace(self, one: Slice, usable: Callable[[Slice], bool]) -> Slice | None:
        """The next slice of the same patient, from the nearest run that has any; else of another patient; else None.

        Each slice is given once.
        """
        queues = [self._rest]
        if one.image_id in self._place:
            patient, place = self._place[one.image_id]
            runs = self._runs[patient]
            queues = [runs[number] for number in sorted(range(len(runs)), key=lambda number: abs(number - place))] + queues
        for queue in queues:
            while queue:
                candidate = queue.popleft()
                if candidate.image_id not in self._gone and usable(candidate):
                    self._gone.add(candidate.image_id)
                    return candidate
        return None
