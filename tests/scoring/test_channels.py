import numpy as np
import pytest

from fplbench.scoring.channels import laguerre_gauss


def test_channels_are_orthonormal():
    channels = laguerre_gauss(61, 4, width=12)
    assert channels.T @ channels == pytest.approx(np.eye(4), abs=1e-3)


def test_the_first_channel_is_a_gaussian_of_width_over_the_root_of_two_pi():
    width, sigma = 10, 10 / np.sqrt(2 * np.pi)
    channel = laguerre_gauss(41, 1, width).reshape(41, 41)
    assert channel[20, 20] == pytest.approx(np.sqrt(2) / width)
    assert channel[20, 26] / channel[20, 20] == pytest.approx(np.exp(-(6**2) / (2 * sigma**2)))


def test_the_second_channel_changes_sign_where_one_minus_x_does():
    """L_1(x) = 1 - x with x = 2 pi r^2 / a^2: zero at r = a / sqrt(2 pi), and -exp(-1) of the centre at r = a / sqrt(pi)."""
    radius = 5
    channel = laguerre_gauss(41, 2, radius * np.sqrt(2 * np.pi))[:, 1].reshape(41, 41)
    assert channel[20, 25] == pytest.approx(0, abs=1e-12)
    channel = laguerre_gauss(41, 2, radius * np.sqrt(np.pi))[:, 1].reshape(41, 41)
    assert channel[20, 25] / channel[20, 20] == pytest.approx(-np.exp(-1))
