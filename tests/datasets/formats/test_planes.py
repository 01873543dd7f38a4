"""Which images are slices as they were acquired, and how their planes lie."""

import pytest
from pydicom import Dataset

from fplbench.datasets.formats.planes import AXIAL, direction, project, refuse_image_type, refuse_other_units, slice_position
from fplbench.datasets.registry import NotAnImage, Unreadable


@pytest.mark.parametrize(
    "values",
    [
        ["DERIVED", "PRIMARY", "DIXON", "IN_PHASE"],
        ["DERIVED", "PRIMARY", "DIXON", "OPP_PHASE"],
        ["DERIVED", "PRIMARY", "DIXON", "OUT_OF_PHASE"],
        ["DERIVED", "PRIMARY", "DIXON", "WATER"],
        ["DERIVED", "PRIMARY", "IP", "IP", "DERIVED"],  # as Philips writes it
        ["DERIVED", "PRIMARY", "OP", "OP", "DERIVED"],
        ["ORIGINAL", "PRIMARY", "M", "PHASE_ENCODE"],
        ["ORIGINAL", "PRIMARY", "M", "FA_5"],
        ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
        ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        "",
        None,
    ],
)
def test_dixon_and_other_magnitudes_of_mr_are_slices(values):
    refuse_image_type(values, "MAGNITUDE", "MR")
    refuse_image_type(values, None, "MR")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["ORIGINAL", "PRIMARY", "P", "ND"], "a phase image"),
        (["ORIGINAL", "PRIMARY", "PHASE"], "a phase image"),
        (["ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"], "a phase image"),
        (["ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"], "a phase image"),
        (["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "PCA"], "a map"),
        (["DERIVED", "PRIMARY", "T2_STAR_MAP"], "a map"),
        (["DERIVED", "PRIMARY", "DIFFUSION", "FA"], "a map"),
        (["DERIVED", "PRIMARY", "DIFFUSION", "EADC"], "a map"),
        (["DERIVED", "SECONDARY", "PROJECTION IMAGE"], "a reformatted or projected"),
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], "a localiser"),
    ],
)
def test_phases_and_maps_of_mr_are_not(values, reason):
    with pytest.raises(NotAnImage, match=reason):
        refuse_image_type(values, None, "MR")


def test_ip_is_a_projection_in_ct():
    with pytest.raises(NotAnImage, match="a reformatted or projected"):
        refuse_image_type(["DERIVED", "SECONDARY", "CT_SOM5 IP"], None, "CT")


@pytest.mark.parametrize("kind", [None, "", "HU", "US", " hu ", "HU_MOD"])
def test_values_in_hu_are_accepted(kind):
    refuse_other_units(kind)


@pytest.mark.parametrize("kind", ["Z_EFF", "MGML", "ED"])
def test_values_of_several_energies_are_not(kind):
    with pytest.raises(NotAnImage, match="not HU"):
        refuse_other_units(kind)


def test_the_position_is_along_the_normal_whichever_way_the_plane_is_turned():
    for orientation in ([1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0], [0, 1, 0, 1, 0, 0]):
        assert project([7, 8, 9], orientation, axial=True)[0] == 9


def test_planes_that_are_flipped_or_turned_do_not_lie_in_the_same_way():
    orientations = ([1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0], [-1, 0, 0, 0, -1, 0], [0, 1, 0, -1, 0, 0])
    known = []
    assert [direction(project([0, 0, 0], one, axial=True)[1], known) for one in orientations] == [0, 1, 2, 3, 4]
    assert direction(project([0, 0, 0], [1, 1e-4, 0, -1e-4, 1, 0], axial=True)[1], known) == 0


def test_without_a_position_the_slice_location_counts_and_then_the_number():
    header = Dataset()
    with pytest.raises(Unreadable, match="no position"):
        slice_position(header)
    header.InstanceNumber = 4
    assert slice_position(header) == (4, AXIAL)
    header.SliceLocation = -12.3456
    assert slice_position(header) == (-12.346, AXIAL)


@pytest.mark.parametrize("orientation", [[0, 0, 0, 0, 1, 0], [1, 0, 0, 1, 0, 0], ["nan"] * 6])
def test_directions_without_a_plane_are_unreadable(orientation):
    with pytest.raises(Unreadable, match="not a pair of directions"):
        project([0, 0, 0], orientation, axial=True)
