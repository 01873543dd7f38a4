"""Which slices are drawn for which split, and what replaces those that cannot be used."""

import random
from collections import Counter
from itertools import product

import pytest

from fplbench.datasets.registry import Slice
from fplbench.datasets.splits import SPLITS, SamplingOptions, Split, candidates, leak
from fplbench.errors import InputError


def make(patients, slices, first=0):
    return [
        Slice(f"p{patient:03d}-{number:04d}", f"p{patient:03d}", f"s{patient}", f"{patient}/{number}", number)
        for patient, number in product(range(first, first + patients), range(slices))
    ]


def options(train, validation, test, **more):
    return SamplingOptions(train=train, validation=validation, test=test, **more)


def drawn(slices, sampling, seed=1):
    splits = candidates(slices, sampling, seed, "lidc")
    assert {split: len(splits[split].drawn) for split in splits} == sampling.counts()
    return {split: splits[split].drawn for split in splits}


def flat(splits):
    return {name: [*split.drawn, *split.spare] for name, split in splits.items()}


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_the_draw_has_the_numbers_asked_for_and_no_image_twice(split):
    splits = drawn(make(10, 30), options(100, 20, 30, split=split))
    assert [len(splits[split]) for split in SPLITS] == [100, 20, 30]
    assert len({one.image_id for split in splits.values() for one in split}) == 150


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_the_order_of_the_files_does_not_matter(split):
    slices = make(12, 20)
    shuffled = slices.copy()
    random.Random(3).shuffle(shuffled)
    sampling = options(60, 10, 10, split=split)
    assert flat(candidates(slices, sampling, 5, "lidc")) == flat(candidates(shuffled, sampling, 5, "lidc"))


@pytest.mark.parametrize("split", ["patient", "random_slice"])
def test_another_seed_draws_other_images(split):
    slices, sampling = make(12, 20), options(60, 10, 10, split=split)
    assert drawn(slices, sampling, 1) != drawn(slices, sampling, 2)


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_candidates_hold_each_slice_at_most_once(split):
    splits = flat(candidates(make(9, 25), options(50, 10, 20, split=split), 1, "lidc"))
    every = [one.image_id for split in splits.values() for one in split]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("seed", range(5))
def test_a_split_by_patient_shares_no_patient(seed):
    splits = drawn(make(20, 50), options(200, 30, 40), seed)
    patients = [{one.patient for one in splits[split]} for split in SPLITS]
    assert not patients[0] & patients[1] and not patients[0] & patients[2] and not patients[1] & patients[2]
    assert leak(splits) == 0


def test_patients_are_shared_out_in_proportion():
    splits = flat(candidates(make(120, 100), options(5000, 500, 500), 1, "lidc"))
    assert [len({one.patient for one in splits[split]}) for split in SPLITS] == [100, 10, 10]


def test_slices_are_even_over_patients_and_over_the_scan():
    splits = drawn(make(30, 100), options(240, 30, 30))
    counts = Counter(one.patient for one in splits["train"])
    assert set(counts.values()) == {10} and len(counts) == 24
    for patient in counts:
        tenths = sorted(one.number // 10 for one in splits["train"] if one.patient == patient)
        assert tenths == list(range(10))


def test_the_papers_draw_leaks_as_probability_says():
    """With s slices a patient, and a share f drawn for training, 1 - (1 - f)^(s - 1) of test slices have a sibling."""
    splits = drawn(make(400, 30), options(2000, 10, 2000, split="random_slice"))
    expected = 1 - (1 - 2000 / 12000) ** 29
    assert leak(splits) == pytest.approx(expected, abs=0.02)


def test_blocks_keep_a_gap_between_splits_and_reach_every_region():
    sampling = options(48, 6, 12, split="blocks", blocks=3, gap=2)
    splits = drawn(make(1, 88), sampling)
    numbers = {split: sorted(one.number for one in splits[split]) for split in SPLITS}
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert min(abs(a - b) for a, b in product(numbers[one], numbers[other])) >= 3
    for split in SPLITS:
        assert {number * 3 // 88 for number in numbers[split]} == {0, 1, 2}


def test_blocks_need_room_for_their_gaps():
    sampling = options(48, 6, 12, split="blocks", blocks=3, gap=2)
    assert drawn(make(1, 66 + 9 * 2), sampling)
    with pytest.raises(InputError, match=r"48 \+ 6 \+ 12 = 66.*needs 84, and finds 83"):
        drawn(make(1, 83), sampling)


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_too_few_images_says_what_is_asked_and_found(split):
    with pytest.raises(InputError, match=r"5000 \+ 500 \+ 500 = 6000 images and finds 40"):
        candidates(make(4, 10), options(5000, 500, 500, split=split), 1, "lidc")


def test_one_patient_cannot_be_split_by_patient():
    with pytest.raises(InputError, match=r"finds 1; set sampling\.split to blocks"):
        candidates(make(1, 88), options(10, 2, 2), 1, "lidc")


def test_a_split_whose_patients_have_too_few_slices_is_reported():
    slices = make(1, 90) + make(2, 1, first=1)
    with pytest.raises(InputError, match=r"sampling\.(train|validation|test) asks for"):
        candidates(slices, options(10, 10, 10), 1, "lidc")


def scan_of(patient, slices):
    return [Slice(f"{patient}{number}", patient, patient, f"{patient}/{number}", number) for number in range(slices)]


def anything(one):
    return True


def test_the_nearest_run_of_the_same_patient_comes_first_and_others_last():
    a, b = scan_of("a", 6), scan_of("b", 2)
    split = Split([a[0], a[2], a[4], b[0]], [b[1], a[1], a[3], a[5]], [[a[:2], a[2:4], a[4:]], [b]])
    assert [split.replace(a[4], anything).image_id for _ in range(4)] == ["a5", "a3", "a1", "b1"]
    assert split.replace(a[4], anything) is None


def test_a_slice_is_given_once_and_what_is_unusable_is_passed_over():
    a, b = scan_of("a", 3), scan_of("b", 3)
    split = Split([a[0], b[0]], [a[1], b[1], a[2], b[2]], [[a], [b]])
    assert split.replace(a[0], lambda one: one.patient != "a").image_id == "b1"
    assert [split.replace(b[0], anything).image_id for _ in range(2)] == ["b2", "a2"]
    assert split.replace(b[0], anything) is None and len(split) == 6


@pytest.mark.parametrize("split", ["patient", "blocks"])
def test_every_split_replaces_by_a_neighbour(split):
    """80 slices of each of three patients: runs of eight; the replacement is of the same run."""
    slices = [one for patient in "abc" for one in scan_of(patient, 80)]
    sampling = SamplingOptions(train=10, validation=10, test=10, split=split, blocks=1, gap=0)
    for split in candidates(slices, sampling, 1, "lidc").values():
        for one in split.drawn:
            other = split.replace(one, anything)
            assert other.patient == one.patient and abs(other.number - one.number) < 8


def test_the_papers_draw_replaces_at_random():
    slices = [one for patient in "abcdefgh" for one in scan_of(patient, 50)]
    split = candidates(slices, SamplingOptions(train=100, validation=10, test=10, split="random_slice"), 1, "lidc")["train"]
    expected = split.spare[0]
    assert split.replace(split.drawn[0], anything) == expected
