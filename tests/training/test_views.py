"""Flips and crops of the images that a training sees."""

import pytest
import torch

from fplbench.training.loop.views import Views

IMAGES = torch.randint(0, 256, (5, 12, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
POSITIONS = torch.tensor([3, 0, 4, 1, 2])
BOTH = ("horizontal", "vertical")


def turned(image: torch.Tensor, vertical: bool, horizontal: bool) -> torch.Tensor:
    axes = [axis for axis, flip in enumerate((vertical, horizontal)) if flip]
    return image.flip(axes) if axes else image


def test_each_image_is_flipped_along_the_axes_that_the_view_says():
    view = Views(5, (12, 10), seed=1, flips=BOTH)(POSITIONS, step=3)
    seen = (view.of(IMAGES) * 255).round().to(torch.uint8).squeeze(1)
    expected = [turned(IMAGES[i], *flips) for i, flips in zip(POSITIONS, view.flipped.tolist(), strict=True)]
    assert torch.equal(seen, torch.stack(expected))


def test_a_view_that_is_undone_shows_the_images_as_they_are():
    view = Views(5, (12, 10), seed=1, flips=BOTH)(POSITIONS, step=3)
    assert view.flipped.any() and not view.flipped.all()
    assert torch.equal(view.undo(view.of(IMAGES)), IMAGES[POSITIONS].unsqueeze(1).float() / 255)


def test_what_belongs_to_the_images_is_seen_as_they_are_with_its_own_values():
    """The same pixels of a stack of floats, which are not divided by 255."""
    view = Views(5, (12, 10), seed=1, flips=BOTH, patch=8)(POSITIONS + 5, step=3)
    torch.testing.assert_close(view.as_they_are(IMAGES.float()), view.of(IMAGES) * 255)


def test_about_half_of_the_images_are_flipped_along_each_allowed_axis_alone():
    """Of 4,000 draws, 2,000 with a standard deviation of 32."""
    positions = torch.arange(4000)
    flipped = Views(4000, (2, 2), seed=1, flips=BOTH)(positions, 0).flipped.sum(0)
    assert ((flipped - 2000).abs() < 160).all()
    flipped = Views(4000, (2, 2), seed=1, flips=("horizontal",))(positions, 0).flipped.sum(0)
    assert flipped[0] == 0 and abs(flipped[1] - 2000) < 160


def test_a_crop_is_a_square_of_the_image_and_every_place_occurs():
    """A 2x2 crop of a 4x3 image has 3 x 2 places; the value of each pixel is its place."""
    stack = torch.arange(12, dtype=torch.uint8).view(1, 4, 3)
    views = Views(1, (4, 3), seed=1, patch=2)
    found = set()
    for step in range(100):
        crop = (views(torch.tensor([0]), step).of(stack)[0, 0] * 255).round().int()
        first = int(crop[0, 0])
        assert crop.tolist() == [[first, first + 1], [first + 3, first + 4]]
        found.add(first)
    assert found == {0, 1, 3, 4, 6, 7}


def test_whole_images_are_not_cropped_but_flipped_as_their_crop_would_be():
    views = Views(5, (12, 10), seed=1, flips=BOTH, patch=8)
    crop, whole = views(POSITIONS, 3), views(POSITIONS, 3, whole=True)
    assert crop.of(IMAGES).shape == (5, 1, 8, 8) and whole.of(IMAGES).shape == (5, 1, 12, 10)
    assert torch.equal(crop.flipped, whole.flipped)


def test_a_view_depends_on_seed_step_and_image_not_on_the_others_or_the_draw_of_the_noise():
    views = Views(5, (12, 10), seed=1, flips=BOTH, patch=8)
    together = views(POSITIONS, 3)
    alone = views(POSITIONS[2:3] + 10, 3)
    assert torch.equal(together.rows[2:3], alone.rows) and torch.equal(together.columns[2:3], alone.columns)
    assert not torch.equal(together.rows, views(POSITIONS, 4).rows)
    assert not torch.equal(together.rows, Views(5, (12, 10), 2, BOTH, 8)(POSITIONS, 3).rows)


@pytest.mark.parametrize("patch", [None, 8])
def test_positions_beyond_a_stack_begin_again_at_its_first_image(patch):
    """So that the clean images belong to every realisation of the noise."""
    views = Views(5, (12, 10), seed=1, patch=patch)
    assert torch.equal(views(POSITIONS + 5, 0).of(IMAGES), views(POSITIONS, 0).of(IMAGES))
