"""What replaces a slice that cannot be used."""

import pytest

from fplbench.datasets.parts import Part
from fplbench.datasets.registry import Slice
from fplbench.datasets.splits import SamplingOptions, candidates


def scan_of(patient, slices):
    return [Slice(f"{patient}{number}", patient, patient, f"{patient}/{number}", number) for number in range(slices)]


def anything(one):
    return True


def test_the_nearest_run_of_the_same_patient_comes_first_and_others_last():
    a, b = scan_of("a", 6), scan_of("b", 2)
    part = Part([a[0], a[2], a[4], b[0]], [b[1], a[1], a[3], a[5]], [[a[:2], a[2:4], a[4:]], [b]])
    assert [part.replace(a[4], anything).image_id for _ in range(4)] == ["a5", "a3", "a1", "b1"]
    assert part.replace(a[4], anything) is None


def test_a_slice_is_given_once_and_what_is_unusable_is_passed_over():
    a, b = scan_of("a", 3), scan_of("b", 3)
    part = Part([a[0], b[0]], [a[1], b[1], a[2], b[2]], [[a], [b]])
    assert part.replace(a[0], lambda one: one.patient != "a").image_id == "b1"
    assert [part.replace(b[0], anything).image_id for _ in range(2)] == ["b2", "a2"]
    assert part.replace(b[0], anything) is None and len(part) == 6


@pytest.mark.parametrize("split", ["patient", "blocks"])
def test_every_split_replaces_by_a_neighbour(split):
    """80 slices of each of three patients: runs of eight; the replacement is of the same run."""
    slices = [one for patient in "abc" for one in scan_of(patient, 80)]
    sampling = SamplingOptions(train=10, validation=10, test=10, split=split, blocks=1, gap=0)
    for part in candidates(slices, sampling, 1, "lidc").values():
        for one in part.drawn:
            other = part.replace(one, anything)
            assert other.patient == one.patient and abs(other.number - one.number) < 8


def test_the_papers_draw_replaces_at_random():
    slices = [one for patient in "abcdefgh" for one in scan_of(patient, 50)]
    part = candidates(slices, SamplingOptions(train=100, validation=10, test=10, split="random_slice"), 1, "lidc")["train"]
    expected = part.spare[0]
    assert part.replace(part.drawn[0], anything) == expected
