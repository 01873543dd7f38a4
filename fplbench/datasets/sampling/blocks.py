"""Splitting the slices of one patient into runs of neighbours that alternate between the splits, with gaps between them."""

from bisect import bisect, bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise

from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.draws import Split
from fplbench.datasets.sampling.options import SamplingOptions
from fplbench.datasets.sampling.quotas import apportion, divide
from fplbench.errors import InputError


def in_blocks(slices: Sequence[Slice], options: SamplingOptions, name: str, lesions: Collection[str]) -> dict[str, Split]:
    """Cut the slices, in anatomical order, into runs that alternate between the splits, with gaps between the runs.

    The pattern train, validation, test is repeated `blocks` times and ends with train, so that every split covers every
    region. The lengths of the runs are in proportion to the numbers of images. No random numbers are used.

    If a share of the images is to show a lesion, the pattern is shifted so that lesions are in all splits, as evenly as the
    runs allow (see `_balanced`), and slices with a lesion are preferred within the runs until the share is reached.

    Args:
        slices: the slices in anatomical order.
        options: numbers of images, blocks, gap and share of lesions.
        name: name of the data set, for messages.
        lesions: image_ids of the slices with a lesion.

    Raises:
        InputError: there are too few slices for the numbers, runs and gaps. The message gives the numbers.
    """
    counts, wanted = options.counts(), options.lesion_counts()
    pattern = [*list(counts) * options.blocks, "train"]
    lengths = _lengths(len(slices), pattern, options, name)
    if any(wanted.values()):
        lengths = _balanced(pattern, lengths, options.gap, [one.image_id in lesions for one in slices])
    else:
        lesions = frozenset()
    runs = _cut(range(len(slices)), pattern, lengths, options.gap)
    return {
        split: _evenly([slices[place] for place in runs[split]], count, lesions, wanted[split]) for split, count in counts.items()
    }


def _lengths(available: int, pattern: Sequence[str], options: SamplingOptions, name: str) -> list[int]:
    """The length of each run of the pattern."""
    counts = options.counts()
    total, gaps = sum(counts.values()), options.gap * (len(pattern) - 1)
    usable = available - gaps
    if usable < total:
        raise InputError(
            f"{name}: sampling asks for {' + '.join(map(str, counts.values()))} = {total} images in {len(pattern)} runs, which "
            f"with gaps of {options.gap} slices needs {total + gaps}, and finds {available}; lower "
            f"the numbers, sampling.gap or sampling.blocks."
        )
    room = apportion(usable, counts)
    if any(room[split] < counts[split] for split in counts):
        room = dict(counts)
        room["train"] += usable - total
    parts = {split: divide(room[split], pattern.count(split)) for split in counts}
    return [parts[split].pop(0) for split in pattern]


def _cut(places: Sequence[int], pattern: Sequence[str], lengths: Sequence[int], gap: int) -> dict[str, list[int]]:
    """The places of each split."""
    runs: dict[str, list[int]] = defaultdict(list)
    start = 0
    for split, length in zip(pattern, lengths, strict=True):
        runs[split].extend(places[start : start + length])
        start += length + gap
    return runs


def _balanced(pattern: Sequence[str], lengths: list[int], gap: int, marked: Sequence[bool]) -> list[int]:
    """Shift the pattern, by lengthening the first run at the cost of the last or the reverse, to share out the lesions.

    The best shift is the one whose poorest split has the most slices with a lesion. Ties are decided by the second poorest
    split, then by the test split, then in favour of the smallest shift.
    """
    best, chosen = None, lengths
    for shift in range(1 - lengths[0], lengths[-1]):
        shifted = [lengths[0] + shift, *lengths[1:-1], lengths[-1] - shift]
        runs = _cut(range(len(marked)), pattern, shifted, gap)
        found = {split: sum(marked[place] for place in runs[split]) for split in dict.fromkeys(pattern)}
        value = (*sorted(found.values()), found["test"], -abs(shift), shift)
        if best is None or value > best:
            best, chosen = value, shifted
    return chosen


def _evenly(run: Sequence[Slice], count: int, lesions: Collection[str], wanted: int) -> Split:
    """Draw slices at equal distances; each of the others may replace the nearest of these, the closest ones first."""
    chosen = [(2 * index + 1) * len(run) // (2 * count) for index in range(count)]
    chosen = _preferred(chosen, [index for index, one in enumerate(run) if one.image_id in lesions], wanted)
    others = sorted(set(range(len(run))) - set(chosen))
    borders = [(low + high) / 2 for low, high in pairwise(chosen)]
    near: list[list[int]] = [[] for _ in chosen]
    for index in others:
        near[bisect(borders, index)].append(index)
    neighbours = []
    for centre, indices in zip(chosen, near, strict=True):
        by_distance = sorted((abs(index - centre), index) for index in [centre, *indices])
        neighbours.append([run[index] for _, index in by_distance])
    return Split([run[index] for index in chosen], [run[index] for index in others], [neighbours], lesions)


def _preferred(chosen: Sequence[int], marked: Sequence[int], wanted: int) -> list[int]:
    """Exchange chosen places for the nearest marked ones until `wanted` are marked, as far as there are any."""
    others = sorted(set(marked) - set(chosen))
    missing = min(wanted - (len(marked) - len(others)), len(others))
    free = sorted(set(chosen) - set(marked))
    kept = set(chosen)
    for number in range(missing):
        place = others[(2 * number + 1) * len(others) // (2 * missing)]
        if not free:
            break
        right = bisect_left(free, place)
        nearest = min(free[max(right - 1, 0) : right + 1], key=lambda index: (abs(index - place), index))
        free.remove(nearest)
        kept = kept - {nearest} | {place}
    return sorted(kept)
