import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fplbench.lesions.shapes import FINE, disc_coverage
from fplbench.scoring.spectra import edge_transfer, noise_power_spectrum, radial_average, task_transfer

PIXEL, SIGMA = 0.7, 12.0


def test_white_noise_has_a_flat_spectrum_of_its_variance_times_the_area_of_a_pixel():
    fields = np.random.default_rng(0).normal(5, SIGMA, (2000, 24, 24))
    spectrum, frequencies = noise_power_spectrum(fields, PIXEL)
    rings, mean = radial_average(spectrum, frequencies)
    assert mean == pytest.approx(SIGMA**2 * PIXEL**2, rel=0.02)
    assert rings[0] == pytest.approx(2 / (24 * PIXEL)) and rings[-1] == pytest.approx(0.5 / PIXEL)


def test_the_integral_of_a_spectrum_is_the_variance():
    fields = gaussian_filter(np.random.default_rng(0).normal(0, SIGMA, (200, 96, 96)), (0, 1, 1), mode="wrap")
    spectrum, frequencies = noise_power_spectrum(fields, PIXEL)
    assert spectrum.sum() * frequencies[1] ** 2 == pytest.approx(fields.var(), rel=0.02)


def test_blurred_noise_has_the_power_of_the_filter():
    """White noise through a Gaussian filter: NPS = sigma^2 dx dy exp(-4 pi^2 s^2 f^2)."""
    white = np.random.default_rng(0).normal(0, SIGMA, (300, 96, 96))
    fields = gaussian_filter(white, (0, 1, 1), truncate=8)[:, 24:72, 24:72]
    rings, mean = radial_average(*noise_power_spectrum(fields))
    low = rings < 0.25
    assert mean[low] == pytest.approx(SIGMA**2 * np.exp(-4 * np.pi**2 * rings[low] ** 2), rel=0.08)


def test_nothing_changed_is_a_transfer_of_one():
    edge = disc_coverage(61, 10)
    _, transfer = task_transfer(0.3 * edge, edge, 10)
    assert transfer == pytest.approx(1)


def test_the_edge_of_a_disc_itself_shows_the_pixel():
    """On average over directions, a square pixel passes about sinc(f)^1; bins of half a pixel take little more."""
    frequencies = np.array([0.05, 0.1, 0.15, 0.2])
    assert edge_transfer(disc_coverage(61, 10), 10, frequencies) == pytest.approx(np.sinc(frequencies), abs=0.05)


@pytest.mark.parametrize(("radius", "sigma"), [(10, 0.7), (10, 1.5), (10, 2.5), (5.3, 0.7), (5.3, 1.5)])
def test_a_gaussian_blur_transfers_its_gaussian(radius, sigma):
    side = 2 * int(np.ceil(3 * radius)) + 1
    fine = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    sharp = (fine[:, None] ** 2 + fine**2 <= radius**2).astype(float)
    blurred = gaussian_filter(sharp, sigma * FINE).reshape(side, FINE, side, FINE).mean(axis=(1, 3))
    frequencies, transfer = task_transfer(blurred, disc_coverage(side, radius), radius)
    assert transfer == pytest.approx(np.exp(-2 * np.pi**2 * sigma**2 * frequencies**2), abs=0.07 if radius < 10 else 0.02)


def test_noise_does_not_make_an_edge_sharper():
    edge = disc_coverage(61, 10)
    rng = np.random.default_rng(0)
    blurred = gaussian_filter(edge, 1.5)
    transfers = [task_transfer(blurred + rng.normal(0, 0.1, edge.shape), edge, 10)[1] for _ in range(300)]
    assert np.mean(transfers, axis=0) == pytest.approx(task_transfer(blurred, edge, 10)[1], abs=0.06)
