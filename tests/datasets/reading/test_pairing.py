"""Which clean image belongs to which noisy one."""

import time

import numpy as np
import pytest

from fplbench.datasets.reading.pairing import AMBIGUOUS, CLEAN_ALONE, NOISY_ALONE, Member, pair
from fplbench.datasets.registry import Slice


def member(source, *, patient="p", position=None, number=0, uid="", name=""):
    one = Slice(f"{source}-{number}", patient, "s", source, number, position=position)
    return Member(one, uid, name, patient)


def sources(found):
    return [(one.source, other.source) for one, other in found.pairs]


def test_equal_unique_identifiers_make_a_pair():
    clean = [member(f"clean/{k}", uid=f"u{k}") for k in (1, 2, 3)]
    noisy = [member(f"noisy/{k}", uid=f"u{k}") for k in (4, 3, 1)]
    found = pair(clean, noisy, "uid")
    assert sources(found) == [("clean/1", "noisy/1"), ("clean/3", "noisy/3")]
    assert found.omitted == {"clean/2": CLEAN_ALONE, "noisy/4": NOISY_ALONE}


def test_positions_match_to_a_hundredth_of_a_millimetre_and_within_a_patient():
    clean = [member("clean/1", position=5.0), member("clean/2", position=7.5), member("clean/3", position=0.0)]
    noisy = [
        member("noisy/1", position=5.01),
        member("noisy/2", position=7.511),
        member("noisy/3", position=0.0, patient="q"),
    ]
    found = pair(clean, noisy, "position")
    assert sources(found) == [("clean/1", "noisy/1")]
    assert {*found.omitted} == {"clean/2", "clean/3", "noisy/2", "noisy/3"}


@pytest.mark.parametrize("match", ["uid", "position", "name"])
def test_of_several_possible_partners_none_is_taken(match):
    clean = [member("clean/1", position=1.0, uid="u", name="n"), member("clean/2", position=2.0, uid="v", name="m")]
    noisy = [member(f"noisy/{k}", position=1.0, uid="u", name="n") for k in (1, 2)]
    noisy.append(member("noisy/3", position=2.0, uid="v", name="m"))
    found = pair(clean, noisy, match)
    assert sources(found) == [("clean/2", "noisy/3")]
    assert found.omitted == dict.fromkeys(["clean/1", "noisy/1", "noisy/2"], AMBIGUOUS) and found.ambiguous == 3
    backwards = pair(noisy, clean, match)
    assert sources(backwards) == [("noisy/3", "clean/2")] and backwards.omitted == found.omitted


def test_images_without_identifier_position_or_name_have_no_partner():
    for match in ("uid", "position", "name"):
        found = pair([member("clean/1")], [member("noisy/1")], match)
        assert not found.pairs and found.omitted == {"clean/1": CLEAN_ALONE, "noisy/1": NOISY_ALONE}


def test_slices_of_volumes_are_matched_by_their_numbers_too():
    clean = [member("clean/a.nii", number=k, name="a") for k in range(4)]
    noisy = [member("noisy/a.nii", number=k, name="a") for k in (2, 1)]
    found = pair(clean, noisy, "name")
    assert [(one.number, other.number) for one, other in found.pairs] == [(1, 1), (2, 2)]
    assert found.partly == ["clean/a.nii"] and not found.omitted


def test_the_number_of_a_slice_alone_in_its_file_does_not_matter():
    found = pair([member("clean/1", number=7, name="a")], [member("noisy/1", number=3, name="a")], "name")
    assert sources(found) == [("clean/1", "noisy/1")]


def test_without_a_wish_the_way_that_pairs_most_is_taken_and_at_a_tie_the_first():
    clean = [member(f"clean/{k}", position=float(k), uid=f"u{k}", name=f"n{k}") for k in range(4)]
    noisy = [member(f"noisy/{k}", position=float(k), uid=f"u{k}", name=f"n{k}") for k in range(4)]
    assert pair(clean, noisy, None).match == "uid"
    without = [one._replace(uid="") for one in noisy]
    assert pair(clean, without, None).match == "position"
    nameless = [one._replace(uid="" if number else "u0") for number, one in enumerate(noisy)]
    assert pair(clean, nameless, None).match == "position" and len(pair(clean, nameless, "uid").pairs) == 1
    elsewhere = [
        one._replace(slice=member(one.slice.source, position=100.0 + number).slice) for number, one in enumerate(without)
    ]
    assert pair(clean, elsewhere, None).match == "name"


def test_a_hundred_thousand_slices_are_matched_in_seconds():
    """Comparing each with each would be 10^10 comparisons, hours of them."""
    rng = np.random.default_rng(0)
    clean = [member(f"c{k}", patient=f"p{k % 50}", position=k * 0.5) for k in range(50_000)]
    noisy = [member(f"n{k}", patient=f"p{k % 50}", position=k * 0.5 + 0.004) for k in rng.permutation(50_000)]
    started = time.process_time()
    found = pair(clean, noisy, "position")
    assert time.process_time() - started < 20
    assert len(found.pairs) == 50_000 and all(one.source[1:] == other.source[1:] for one, other in found.pairs)
