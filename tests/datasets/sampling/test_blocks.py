"""Runs of neighbouring slices of one patient, and the lesions that they share."""

from itertools import product

import pytest

from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.splits import SPLITS, SamplingOptions, candidates

SLICES = [Slice(f"z{number:03d}", "p", "s", str(number), number) for number in range(88)]


def sampling(share, train=48, validation=6, test=12, **more):
    return SamplingOptions(train=train, validation=validation, test=test, split="blocks", lesions={"share": share}, **more)


def draw(lesions, options):
    """The numbers of the slices of each split, and how many of them have a lesion."""
    splits = candidates(SLICES, options, 1, "lidc", {SLICES[number].image_id for number in lesions})
    numbers = {name: sorted(one.number for one in split.drawn) for name, split in splits.items()}
    return numbers, {name: len(set(chosen) & set(lesions)) for name, chosen in numbers.items()}


def closest(numbers):
    """The smallest distance between slices of two splits."""
    pairs = [("train", "test"), ("train", "validation"), ("validation", "test")]
    return min(abs(a - b) for one, other in pairs for a, b in product(numbers[one], numbers[other]))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("first", [0, 10, 24, 33, 49, 51, 66])
def test_a_nodule_of_nine_slices_is_in_every_split(first, share):
    """The demo's numbers. Training, gap, validation, gap and test need eight neighbouring slices at least."""
    numbers, found = draw(range(first, first + 9), sampling(share))
    assert min(found.values()) >= 1 and closest(numbers) == 3
    assert {name: len(chosen) for name, chosen in numbers.items()} == {"train": 48, "validation": 6, "test": 12}


@pytest.mark.parametrize("lesions", [[], range(88), [51]])
def test_where_no_shift_is_better_the_pattern_stays(lesions):
    """Without lesions, or with lesions everywhere, no shift is better; one slice is best in the test."""
    plain, _ = draw([], sampling(0))
    numbers, found = draw(lesions, sampling(0.5))
    if len(lesions) == 1:
        assert found == {"train": 0, "validation": 0, "test": 1}
    else:
        assert numbers == plain


def test_the_demos_nodule_stays_in_training_without_a_share():
    assert draw(range(51, 60), sampling(0))[1] == {"train": 9, "validation": 0, "test": 0}


def test_within_the_runs_slices_with_a_lesion_are_preferred_up_to_the_share():
    """Every second slice has a lesion; half of each split is drawn anyway, all of the test if it is asked for."""
    lesions = range(0, 88, 2)
    options = {"train": 20, "validation": 2, "test": 6}
    _, some = draw(lesions, sampling(0.1, **options))
    numbers, most = draw(lesions, sampling(0.9, **options))
    for name, count in options.items():
        assert some[name] >= 0.1 * count and len(numbers[name]) == count
        assert most[name] >= 0.9 * count
    assert closest(numbers) >= 3


def test_the_share_is_reached_where_the_runs_have_enough():
    """Twelve neighbouring slices have a lesion: a split shows half of its images with one, or all that its runs have."""
    numbers, found = draw(range(40, 52), sampling(0.5, train=30, validation=4, test=8))
    runs = candidates(SLICES, sampling(0.5, train=30, validation=4, test=8), 1, "lidc", {f"z{n:03d}" for n in range(40, 52)})
    for name in SPLITS:
        within = sum(40 <= one.number < 52 for one in [*runs[name].drawn, *runs[name].spare])
        assert found[name] >= min(within, {"train": 15, "validation": 2, "test": 4}[name])
    assert closest(numbers) >= 3


def test_a_slice_with_a_lesion_is_replaced_by_another_one():
    lesions = {one.image_id for one in SLICES[40:60]}
    split = candidates(SLICES, sampling(0.2, train=20, validation=2, test=6), 1, "lidc", lesions)["train"]
    rejected = next(one for one in split.drawn if one.image_id in lesions)
    left = sum(one.image_id in lesions for one in split.spare)
    shown = [split.replace(rejected, lambda one: True).image_id in lesions for _ in range(left + 1)]
    assert left > 1 and shown == [True] * left + [False]
