"""Joining the outlines of several readers to nodules, against hand-counted pixels."""

import numpy as np
import pytest

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_nodules import Outline, Place, find_nodules
from fplbench.lesions.outlines import Contour
from tests.helpers.lidc_files import around


def outline(*places, reader=None, malignancy=3):
    """An outline from (position, top, left, height, width)."""
    contours = {Place(z): [Contour(np.array(around(*box), np.int16))] for z, *box in places}
    return Outline("x", reader, malignancy, contours)


def test_outlines_that_share_pixels_are_one_nodule_and_others_are_not():
    readers = [outline((0, 5, 5, 6, 6)), outline((0, 9, 9, 6, 6)), outline((0, 30, 30, 4, 4)), outline((5, 5, 5, 6, 6))]
    sizes = sorted(nodule.readers for nodule in find_nodules(readers))
    assert sizes == [1, 1, 2]


def test_outlines_join_through_a_third():
    readers = [outline((0, 5, 5, 4, 4)), outline((0, 5, 20, 4, 4)), outline((0, 5, 7, 4, 15))]
    (nodule,) = find_nodules(readers)
    assert nodule.readers == 3
    assert nodule.regions[Place(0)].mask.sum() == 4 * 2 + 4 * 2  # where the third shares pixels with either


def test_outlines_of_neighbouring_images_join_only_where_they_overlap():
    first, second = outline((0, 5, 5, 4, 4), (2.5, 5, 5, 4, 4)), outline((2.5, 6, 6, 4, 4), (5, 6, 6, 4, 4))
    (nodule,) = find_nodules([first, second])
    assert set(nodule.regions) == {Place(2.5)} and nodule.regions[Place(2.5)].mask.sum() == 9


def test_a_pixel_belongs_to_the_nodule_where_two_of_four_readers_say_so():
    readers = [outline((0, 10, 10, side, side), reader=number) for number, side in enumerate((4, 6, 8, 10))]
    (nodule,) = find_nodules(readers)
    region = nodule.regions[Place(0)]
    assert nodule.readers == 4 and region.mask.shape == (8, 8) and region.mask.all() and (region.top, region.left) == (10, 10)
    assert nodule.size((0.5, 0.5)) == pytest.approx(8 * 0.5 * np.sqrt(2))


def test_two_outlines_of_one_reader_are_one_vote():
    own = [outline((0, 5, 5, 6, 6), reader=1), outline((0, 8, 8, 6, 6), reader=1)]
    (alone,) = find_nodules(own)
    assert alone.readers == 1 and alone.regions == {}
    (nodule,) = find_nodules([*own, outline((0, 5, 5, 9, 9), reader=2)])
    assert nodule.readers == 2 and nodule.regions[Place(0)].mask.sum() == 36 + 36 - 9


def test_a_nodule_has_the_mean_rating_of_those_who_rated_it():
    box = (0, 5, 5, 6, 6)
    readers = [outline(box, malignancy=rating) for rating in (5, 5, 5, 4)]
    assert find_nodules(readers)[0].malignancy == 4.75
    assert find_nodules([outline(box, malignancy=None), outline(box, malignancy=2)])[0].malignancy == 2
    assert find_nodules([outline(box, malignancy=None)] * 2)[0].malignancy is None


def test_more_outlines_than_readers_count_as_all_readers():
    (nodule,) = find_nodules([outline((0, 5, 5, 6, 6))] * 6)
    assert nodule.readers == 4


def test_points_and_lines_without_a_pixel_inside_are_ignored():
    point = Outline("x", 1, None, {Place(0): [Contour(np.array([(7, 7)], np.int16))]})
    assert point.is_point and find_nodules([point]) == []
    assert not outline((0, 5, 5, 6, 6)).is_point


FAR, PLACES = [(2, 2, 4, 4), (500, 500, 4, 4)], range(1, 301)  # opposite corners of 300 images of 512x512 pixels


def test_one_outline_in_opposite_corners_of_many_images_is_refused():
    """A region takes as much memory as its bounding box; 300 of 500x500 pixels are more than 2^26."""
    drawn = Outline("x", 1, None, {Place(z): [Contour(np.array(around(*box), np.int16)) for box in FAR] for z in PLACES})
    with pytest.raises(Unreadable, match="far larger than nodules"):
        find_nodules([drawn])


def test_outlines_in_opposite_corners_that_others_join_are_refused():
    """Each of the four is small; a fifth one, large in one image, makes them one nodule of 500x500 pixels in all others."""
    near, far = (outline(*((z, *box) for z in (0, *PLACES))) for box in FAR)
    assert len(find_nodules([near, near, far, far])) == 2
    with pytest.raises(Unreadable, match="far larger than nodules"):
        find_nodules([near, near, far, far, outline((0, 1, 1, 508, 508))])
