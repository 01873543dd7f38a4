"""Three-dimensional connected components of masks."""

import numpy as np
import pytest
from scipy import ndimage

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.components import MOST, Component, find_components, from_text, to_text


def find(volume, spacing=None, downwards=False):
    """Components of a volume (slices, H, W) and the masks of all slices."""
    planes = list(enumerate(volume))
    components, masks = find_components(planes[::-1] if downwards else planes, spacing, range(len(volume)))
    return components, dict(masks)


@pytest.mark.parametrize("density", [0.02, 0.06, 0.1])
@pytest.mark.parametrize("downwards", [False, True])
def test_the_components_are_those_of_a_labelling_of_the_whole_volume(density, downwards):
    """scipy labels the volume at once, with all 26 neighbours; random voxels touch in every way."""
    for seed in range(4):
        volume = np.random.default_rng(seed).random((9, 20, 17)) < density
        labels, count = ndimage.label(volume, np.ones((3, 3, 3)))
        components, masks = find(volume, downwards=downwards)
        assert len(components) == count
        drawn = np.zeros(volume.shape, int)
        for number, by_index in masks.items():
            for index, mask in by_index.items():
                drawn[number][mask] += index + 1
        assert np.array_equal(drawn, labels)  # scipy numbers them in the same order, by the first voxel
        ranges = [(box[0].start, box[0].stop - 1) for box in ndimage.find_objects(labels)]
        assert [(one.first, one.last) for one in components] == ranges


def test_regions_that_only_meet_in_a_later_slice_are_one_lesion():
    """A U that stands upright: two arms, joined at the bottom or at the top."""
    volume = np.zeros((4, 5, 9), bool)
    volume[:, 2, [1, 7]] = True
    volume[3, 2, 1:8] = True
    for one in (volume, volume[::-1]):
        components, masks = find(one)
        assert components == [Component(0, 3, None)]
        assert all(np.array_equal(masks[number][0], one[number]) for number in range(4))


def test_slices_without_a_wanted_mask_are_not_drawn():
    volume = np.ones((5, 3, 3), bool)
    assert [number for number, _ in find_components(enumerate(volume), None, {1, 4})[1]] == [1, 4]


def test_a_mask_without_a_lesion_has_no_component():
    assert find(np.zeros((3, 4, 4), bool)) == ([], {})


def test_the_size_of_a_lesion_is_the_diameter_of_its_largest_region_and_not_of_its_whole_shadow():
    volume = np.zeros((3, 8, 20), bool)
    volume[0, 2, 0:6] = volume[1, 2, 5:9] = volume[2, 2, 8:15] = True
    ((lesion,), _) = find(volume, (2.0, 0.5))
    assert lesion == Component(0, 2, np.hypot(2.0, 7 * 0.5))  # the diagonal of a row of seven pixels


def test_components_survive_their_text():
    components = [Component(3, 5, 12.4), Component(9, 9, 0.75), Component(10, 400, None)]
    assert to_text(components) == "3-5:12.4 9-9:0.75 10-400"
    assert from_text(to_text(components)) == components and from_text("") == []


@pytest.mark.parametrize("text", ["5-3", "3", "a-b", "3-5:x", "3-5:-1", "3-5:nan", "-1-2", "1-2-3", "3-5:inf"])
def test_a_damaged_text_is_refused(text):
    with pytest.raises(ValueError):
        from_text(text)


def test_a_mask_of_noise_is_refused():
    speckle = np.zeros((1, 80, 80), bool)
    speckle[0, ::2, ::2] = True
    with pytest.raises(Unreadable, match="1600 separate regions in one slice"):
        find(speckle)
    with pytest.raises(Unreadable, match=f"600 separate lesions; the limit is {MOST}"):
        find(np.repeat(speckle[:, :60, :40], 2, axis=0)[:1])
