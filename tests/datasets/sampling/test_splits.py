"""Which slices are drawn for which split, and what replaces those that cannot be used."""

import hashlib
import random
from collections import Counter
from itertools import product

import pytest

from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.splits import SPLITS, SamplingOptions, Split, candidates, leak
from fplbench.errors import InputError
from fplbench.registry import parse_options


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


def with_nodule(slices, patients, numbers):
    """The image_ids of some slices of some patients."""
    return {one.image_id for one in slices if int(one.patient[1:]) in patients and one.number in numbers}


def showing(splits, lesions):
    return {name: sum(one.image_id in lesions for one in split.drawn) for name, split in splits.items()}


@pytest.mark.parametrize(
    ("split", "patients", "expected"),
    [("patient", 12, "3130c8945b666924"), ("random_slice", 12, "3a7d6325963de870"), ("blocks", 1, "7383e44be1949008")],
)
def test_without_a_share_of_lesions_the_draw_is_as_before(split, patients, expected):
    """The hashes are those of the draws, reserves and replacements before lesions were known."""
    slices = make(patients, 20 if patients > 1 else 88)
    lesions = {one.image_id for one in slices[::3]}
    text = ""
    for name, one in candidates(slices, options(48, 6, 12, split=split), 5, "lidc", lesions).items():
        drawn, spare = ([other.image_id for other in part] for part in (one.drawn, one.spare))
        others = [one.replace(other, lambda candidate: candidate.number % 3 > 0) for other in one.drawn]
        text += "\n".join([name, *drawn, "-", *spare, "-", *(other.image_id if other else "none" for other in others)]) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest().startswith(expected)


@pytest.mark.parametrize("split", ["patient", "random_slice"])
@pytest.mark.parametrize("share", [0.3, 0.5, 1])
def test_the_share_of_slices_with_a_lesion_is_reached(split, share):
    """A third of the patients have ten slices with a lesion among fifty: 7 % of all slices."""
    slices = make(60, 50)
    lesions = with_nodule(slices, range(0, 60, 3), range(20, 30))
    sampling = options(80, 10, 20, split=split, lesions={"share": share})
    splits = candidates(slices, sampling, 1, "lidc", lesions)
    found = showing(splits, lesions)
    for name, count in sampling.counts().items():
        assert len(splits[name].drawn) == count and found[name] >= share * count
    if split == "patient":
        assert leak({name: one.drawn for name, one in splits.items()}) == 0


@pytest.mark.parametrize("split", ["patient", "random_slice", "blocks"])
def test_with_a_share_of_lesions_no_image_is_drawn_twice_and_the_order_of_files_does_not_matter(split):
    slices = make(12, 20)
    lesions = with_nodule(slices, range(5), range(8, 12))
    sampling = options(60, 10, 20, split=split, lesions={"share": 0.4})
    splits = flat(candidates(slices, sampling, 5, "lidc", lesions))
    every = [one.image_id for split in splits.values() for one in split]
    assert len(every) == len(set(every))
    shuffled = random.Random(3).sample(slices, len(slices))
    assert flat(candidates(shuffled, sampling, 5, "lidc", sorted(lesions))) == splits


@pytest.mark.parametrize("split", ["patient", "random_slice"])
def test_where_there_are_fewer_lesions_all_are_drawn_and_the_rest_filled_up(split):
    slices = make(30, 30)
    lesions = with_nodule(slices, range(10), [7])
    splits = candidates(slices, options(60, 10, 20, split=split, lesions={"share": 0.5}), 1, "lidc", lesions)
    found = showing(splits, lesions)
    assert sum(found.values()) == 10 and min(found.values()) >= 1
    assert {name: len(one.drawn) for name, one in splits.items()} == {"train": 60, "validation": 10, "test": 20}


@pytest.mark.parametrize(("patients", "expected"), [(0, []), (1, ["test"]), (2, ["test", "train"]), (3, list(SPLITS))])
def test_the_lesions_of_few_patients_go_to_the_test_first(patients, expected):
    slices = make(12, 20)
    lesions = with_nodule(slices, range(patients), range(5, 8))
    splits = candidates(slices, options(60, 10, 20, lesions={"share": 0.1}), 1, "lidc", lesions)
    assert sorted(name for name, number in showing(splits, lesions).items() if number) == sorted(expected)


def test_slices_with_a_lesion_are_even_over_patients_and_so_are_all_slices():
    """The 12 test patients have ten slices with a nodule each; 10 of the 20 images are to show one."""
    slices = make(40, 30)
    lesions = with_nodule(slices, range(40), range(10, 20))
    splits = candidates(slices, options(80, 10, 20, lesions={"share": 0.5}, patients=SHARES), 1, "lidc", lesions)
    test = splits["test"].drawn
    assert len({one.patient for one in test}) == 12
    assert set(Counter(one.patient for one in test).values()) <= {1, 2}
    assert set(Counter(one.patient for one in test if one.image_id in lesions).values()) <= {1, 2}


def test_slices_with_a_lesion_are_replaced_by_slices_with_one_while_there_are_any():
    slices = make(12, 30)
    lesions = with_nodule(slices, range(12), range(10, 14))
    for split in candidates(slices, options(24, 4, 8, lesions={"share": 0.5}), 1, "lidc", lesions).values():
        patients = {one.patient for one in split.drawn}
        left = 4 * len({one.patient for one in [*split.drawn, *split.spare]}) - sum(
            one.image_id in lesions for one in split.drawn
        )
        rejected = next(one for one in split.drawn if one.image_id in lesions)
        replacements = [split.replace(rejected, anything) for _ in range(left + 1)]
        assert [one.image_id in lesions for one in replacements] == [True] * left + [False]
        assert replacements[0].patient == rejected.patient and {one.patient for one in replacements} >= patients


SHARES = {"train": 0.6, "validation": 0.1, "test": 0.3}


def test_patients_are_shared_out_apart_from_images():
    """Of 131 patients, 30 % are 39, although a twelfth of the images is for the test."""
    splits = flat(candidates(make(131, 60), options(2400, 240, 240, patients=SHARES), 1, "lits"))
    assert [len({one.patient for one in splits[split]}) for split in SPLITS] == [79, 13, 39]


def test_a_split_whose_share_of_patients_has_too_few_slices_is_reported():
    with pytest.raises(
        InputError, match=r"sampling\.validation asks for 60 images, but its patients, 1 of 10, have only 30; .*patients"
    ):
        candidates(make(10, 30), options(60, 60, 60, patients=SHARES), 1, "lits")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"patients": {"train": 0.6, "validation": 0.1, "test": 0.2}},
            r"sampling\.patients: the shares .* sum to 0\.9; they must sum to 1",
        ),
        ({"patients": {"train": 0.7, "test": 0.3}}, r"sampling\.patients: there is no share for validation; give all three"),
        ({"patients": {}}, r"sampling\.patients: there is no share for train and validation and test"),
        (
            {"patients": {"train": 1.0, "validation": 0, "test": 0}},
            r"sampling\.patients\.validation is 0: input should be greater",
        ),
        (
            {"patients": {"train": 1.2, "validation": -0.4, "test": 0.2}},
            r"sampling\.patients\.validation is -0\.4: input should be",
        ),
        ({"patients": {**SHARES, "tests": 0.1}}, r"sampling\.patients\.tests is not a known key: did you mean 'test'"),
        ({"patients": SHARES, "split": "blocks"}, r"sampling: patients needs split: patient, as split: blocks does not"),
        ({"lesions": {"share": 1.5}}, r"sampling\.lesions\.share is 1\.5: input should be less than or equal to 1"),
        ({"lesions": {"share": -1}}, r"sampling\.lesions\.share is -1: input should be greater than or equal to 0"),
        ({"lesions": {"shares": 0.5}}, r"sampling\.lesions\.shares is not a known key: did you mean 'share'"),
    ],
)
def test_wrong_shares_are_one_sentence(values, message):
    with pytest.raises(InputError, match=message):
        parse_options(SamplingOptions, values, "sampling")


def test_options_survive_the_command_line():
    sampling = options(6, 2, 2, patients=SHARES, lesions={"share": 0.5})
    assert parse_options(SamplingOptions, sampling.model_dump(mode="json"), "sampling") == sampling
    assert sampling.lesion_counts() == {"train": 3, "validation": 1, "test": 1}
