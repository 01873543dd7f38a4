"""Projection and filtered back-projection, compared with scikit-image and with integrals over a disc."""

import numpy as np
import pytest
from skimage.transform import iradon, radon

from fplbench.noise.projections import inscribed_circle, project, reconstruct


@pytest.fixture(scope="module")
def body():
    """An image without symmetry, of odd side, as scikit-image rotates about the pixel side // 2; float32 (65, 65)."""
    y, x = np.mgrid[:65, :65] - 32.0
    return ((x / 27) ** 2 + (y / 19) ** 2 < 1) * (0.02 + 0.01 * np.sin(x / 4)).astype(np.float32)


@pytest.mark.parametrize("views", [1, 24, 45])
def test_projections_are_those_of_scikit_image(views, body):
    expected = radon(body, np.arange(views) * 180 / views, circle=True)
    # OpenCV interpolates between pixels to 1/32 of a pixel.
    np.testing.assert_allclose(project(body, views), expected.T, atol=0.03 / 32 * 10)


@pytest.mark.parametrize("views", [24, 45])
def test_reconstructions_are_those_of_scikit_image(views):
    sums = np.random.default_rng(0).normal(size=(views, 65)).astype(np.float32)
    expected = iradon(sums.T, np.arange(views) * 180 / views, circle=True)
    inside = inscribed_circle(65) & (expected != 0)
    np.testing.assert_allclose(reconstruct(sums)[inside], expected[inside], atol=2e-3 * expected.std())


@pytest.mark.parametrize("size", [64, 65])
def test_the_projections_of_a_disc_are_its_chords(size):
    offset = np.arange(size) - (size - 1) / 2
    disc = (np.hypot(offset[:, None], offset) < 20).astype(np.float32)
    chords = 2 * np.sqrt(np.maximum(20**2 - offset**2, 0))
    inner = np.abs(offset) < 18
    assert np.abs(project(disc, 30).mean(axis=0) - chords)[inner].max() < 0.5


def test_the_reconstruction_of_the_projections_is_the_image():
    y, x = np.mgrid[:96, :96] - 47.5
    smooth = np.exp(-((x - 9) ** 2 + (y + 14) ** 2) / 150).astype(np.float32)
    assert np.abs(reconstruct(project(smooth, 180)) - smooth)[inscribed_circle(96)].max() < 0.02
