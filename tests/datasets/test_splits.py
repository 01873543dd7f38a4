"""Which slices are drawn for which part."""

import random
from collections import Counter
from itertools import product

import pytest

from fplbench.datasets.registry import Slice
from fplbench.datasets.splits import SPLITS, SamplingOptions, apportion, candidates, even_quotas, leak
from fplbench.errors import InputError


def make(patients, slices, first=0):
    return [
        Slice(f"p{patient:03d}-{number:04d}", f"p{patient:03d}", f"s{patient}", f"{patient}/{number}", number)
        for patient, number in product(range(first, first + patients), range(slices))
    ]


def options(train, validation, test, **more):
    return SamplingOptions(train=train, validation=validation, test=test, **more)


def drawn(slices, sampling, seed=1):
    parts = candidates(slices, sampling, seed, "lidc")
    assert {part: len(parts[part].drawn) for part in parts} == sampling.counts()
    return {part: parts[part].drawn for part in parts}


def flat(parts):
    return {name: [*part.drawn, *part.spare] for name, part in parts.items()}


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_the_draw_has_the_numbers_asked_for_and_no_image_twice(split):
    parts = drawn(make(10, 30), options(100, 20, 30, split=split))
    assert [len(parts[part]) for part in SPLITS] == [100, 20, 30]
    assert len({one.image_id for part in parts.values() for one in part}) == 150


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
    parts = flat(candidates(make(9, 25), options(50, 10, 20, split=split), 1, "lidc"))
    every = [one.image_id for part in parts.values() for one in part]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("seed", range(5))
def test_a_split_by_patient_shares_no_patient(seed):
    parts = drawn(make(20, 50), options(200, 30, 40), seed)
    patients = [{one.patient for one in parts[part]} for part in SPLITS]
    assert not patients[0] & patients[1] and not patients[0] & patients[2] and not patients[1] & patients[2]
    assert leak(parts) == 0


def test_patients_are_shared_out_in_proportion():
    parts = flat(candidates(make(120, 100), options(5000, 500, 500), 1, "lidc"))
    assert [len({one.patient for one in parts[part]}) for part in SPLITS] == [100, 10, 10]


def test_slices_are_even_over_patients_and_over_the_scan():
    parts = drawn(make(30, 100), options(240, 30, 30))
    counts = Counter(one.patient for one in parts["train"])
    assert set(counts.values()) == {10} and len(counts) == 24
    for patient in counts:
        tenths = sorted(one.number // 10 for one in parts["train"] if one.patient == patient)
        assert tenths == list(range(10))


def test_short_scans_give_what_they_have_and_the_others_make_up():
    assert even_quotas([2, 100, 100], 100) == [2, 49, 49]
    assert even_quotas([5, 0, 5], 10) == [5, 0, 5]
    assert sum(even_quotas([7, 3, 9, 1], 11)) == 11


def test_the_papers_draw_leaks_as_probability_says():
    """With s slices a patient, and a share f drawn for training, 1 - (1 - f)^(s - 1) of test slices have a sibling."""
    parts = drawn(make(400, 30), options(2000, 10, 2000, split="random_slice"))
    expected = 1 - (1 - 2000 / 12000) ** 29
    assert leak(parts) == pytest.approx(expected, abs=0.02)


def test_blocks_keep_a_gap_between_parts_and_reach_every_region():
    sampling = options(48, 6, 12, split="blocks", blocks=3, gap=2)
    parts = drawn(make(1, 88), sampling)
    numbers = {part: sorted(one.number for one in parts[part]) for part in SPLITS}
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert min(abs(a - b) for a, b in product(numbers[one], numbers[other])) >= 3
    for part in SPLITS:
        assert {number * 3 // 88 for number in numbers[part]} == {0, 1, 2}


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


def test_a_part_whose_patients_have_too_few_slices_is_named():
    slices = make(1, 90) + make(2, 1, first=1)
    with pytest.raises(InputError, match=r"sampling\.(train|validation|test) asks for"):
        candidates(slices, options(10, 10, 10), 1, "lidc")


def test_patients_are_apportioned_by_largest_remainders_with_one_each():
    assert apportion(3, {"a": 5000, "b": 1, "c": 1}) == {"a": 1, "b": 1, "c": 1}
    assert apportion(13, {"a": 7, "b": 2, "c": 1}) == {"a": 9, "b": 3, "c": 1}  # from 9.1, 2.6 and 1.3
    assert apportion(131, {"a": 5000, "b": 500, "c": 500}) == {"a": 109, "b": 11, "c": 11}
