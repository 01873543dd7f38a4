"""Artefacts of inhomogeneous fields, compared with their formulas."""

import numpy as np
import pytest
from scipy import stats

from fplbench.noise import fields, synthesize
from fplbench.noise.fields import Cylinder, _coherence, _distorted, displacement, push

ALPHA = 1e-3  # a correct distribution fails for one seed in a thousand, and seeds are fixed


def bias_field(order, strength=0.3):
    image = np.full((3, 65, 81), 0.05, np.float32)
    noisy = synthesize("magnetic_field", image, seed=3, order=order, strength=strength)
    return noisy.astype(np.float64) / np.float32(0.05)


@pytest.mark.parametrize("strength", [0.3, 2])
def test_bias_field_is_positive_and_keeps_the_mean(strength):
    image = np.full((20, 65, 81), 1e-3, np.float32)
    field = synthesize("magnetic_field", image, seed=3, strength=strength).astype(np.float64) / np.float32(1e-3)
    assert field.min() > 0
    np.testing.assert_allclose(field.mean(axis=(1, 2)), 1, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_logarithm_of_the_bias_field_is_a_polynomial_of_its_order(order):
    exponent = np.log(bias_field(order))
    v, u = (grid.ravel() for grid in np.meshgrid(np.linspace(-1, 1, 65), np.linspace(-1, 1, 81), indexing="ij"))
    terms = np.stack([v**i * u**j for i in range(order + 1) for j in range(order + 1 - i)], 1)
    coefficients, *_ = np.linalg.lstsq(terms, exponent.reshape(3, -1).T)
    np.testing.assert_allclose(terms @ coefficients, exponent.reshape(3, -1).T, atol=1e-6)
    assert np.abs(coefficients).max() <= 0.3 + 1e-5
    assert np.abs(coefficients[-1]).min() > 1e-4  # the highest power of v is present


def test_displacement_is_the_field_of_a_cylinder():
    cylinder = Cylinder(row=50.0, column=60.0, radius=4.0, shift=8.0)
    rows, columns = np.arange(101.0)[:, None], np.arange(121.0)
    field = displacement([cylinder], rows, columns)
    np.testing.assert_allclose(field[58, 60], 8 / 4, rtol=1e-6)  # r = 2 a along the main field: D / 4
    np.testing.assert_allclose(field[50, 76], -8 / 16, rtol=1e-6)  # r = 4 a across it: -D / 16
    np.testing.assert_allclose(field[60, 70], 0, atol=1e-6)  # 45 degrees
    both = displacement([cylinder, Cylinder(20.0, 20.0, 3.0, -5.0)], rows, columns)
    np.testing.assert_allclose(both - field, displacement([Cylinder(20.0, 20.0, 3.0, -5.0)], rows, columns), atol=1e-5)


def edges_moved_by(shift, rows, pixels):
    edges = np.tile(np.arange(pixels + 1.0), (rows, 1))
    return edges + shift(edges)


@pytest.mark.parametrize("strength", [0.8, 4.0])
def test_the_jacobian_integrates_to_one(strength):
    """A displacement that vanishes at the borders, gentle (no crossing) and strong (the image folds over itself)."""
    flat = np.ones((3, 64))
    edges = edges_moved_by(lambda x: strength * np.sin(np.pi * x / 64) ** 2 * np.sin(6 * np.pi * x / 64), 3, 64)
    jacobian = push(flat, edges, 64)
    assert np.ptp(jacobian) > 0.1
    np.testing.assert_allclose(jacobian.mean(axis=1), 1, rtol=1e-6)


def test_the_jacobian_of_a_cylinder_integrates_to_one():
    # At a distance of 200 radii the displacement is 1e-4 pixels, so nothing leaves the rows.
    edges = np.arange(2001.0)
    shift = displacement([Cylinder(row=10.0, column=1000.0, radius=5.0, shift=6.0)], np.arange(21.0)[:, None], edges)
    jacobian = push(np.ones((21, 2000)), edges + shift, 2000)
    assert np.ptp(jacobian) > 1
    np.testing.assert_allclose(jacobian.mean(axis=1), 1, rtol=1e-6)


def test_the_jacobian_of_a_cylinder_is_that_of_its_formula():
    h, x = 15.0, np.arange(-200, 200.0)
    d = 6 * 25 * (h**2 - x**2) / (h**2 + x**2) ** 2
    slope = 6 * 25 * (2 * x**3 - 6 * x * h**2) / (h**2 + x**2) ** 3  # dd/dx, by hand
    edges = np.arange(401.0)
    shift = displacement([Cylinder(row=0.0, column=200.5, radius=5.0, shift=6.0)], np.array([[h]]), edges)
    jacobian = push(np.ones((1, 400)), edges + shift, 400)[0]
    np.testing.assert_allclose(jacobian[20:-20], np.interp(x, x + d, 1 / (1 + slope))[20:-20], atol=2e-3)


def test_the_jacobian_is_the_inverse_of_the_stretch():
    edges = edges_moved_by(lambda x: 0.5 * x, 2, 32)  # stretched by a factor of 1.5
    np.testing.assert_allclose(push(np.full((2, 32), 0.6), edges, 48), 0.6 / 1.5, rtol=1e-6)


def test_a_common_displacement_is_a_shift():
    image = np.random.default_rng(0).random((4, 32))
    moved = push(image, edges_moved_by(lambda x: 3.0, 4, 32), 32)
    np.testing.assert_allclose(moved[:, 3:], image[:, :-3], rtol=1e-6)
    assert not moved[:, :3].any()


def test_signal_is_moved_and_not_created(phantom):
    """Without dephasing, only the signal of the cylinder itself is lost."""
    noisy = synthesize("susceptibility", phantom * 0.3, seed=5, sources=1, radius=3, shift=4, dephasing=0)
    lost = 1 - noisy.sum(axis=(1, 2)) / (0.3 * phantom.sum(axis=(1, 2)))
    # At most the signal of a circle one pixel larger, if all of it had the brightest value.
    cylinder_share = np.pi * 4**2 * 0.75 / phantom.sum(axis=(1, 2))
    assert np.all(lost > -0.005)
    assert np.all(lost < cylinder_share)


@pytest.mark.parametrize(("along_rows", "along_columns"), [(0, 1), (1, 0), (1, 1)])
def test_dephasing_is_the_mean_over_a_pixel_of_a_linear_phase(along_rows, along_columns):
    down, across = np.mgrid[:5, :9]
    for cycles in (0.0, 0.3, 0.5, 1.0):
        y, x = np.mgrid[:200, :200] / 200 + 1 / 400
        phases = np.exp(2j * np.pi * cycles * (along_rows * y + along_columns * x))
        factor = _coherence((along_rows * down + along_columns * across).astype(np.float32), cycles)
        np.testing.assert_allclose(factor, np.abs(phases.mean()), atol=1e-4)


def test_a_cylinder_gives_no_signal():
    flat = np.full((64, 64), 0.5, np.float32)
    noisy = _distorted(flat, [Cylinder(row=30.0, column=33.0, radius=8.0, shift=1e-6)], 0)
    assert not noisy[25:36, 28:39].any()
    # The missing signal is the area of the circle, whose edge covers parts of pixels.
    np.testing.assert_allclose((flat - noisy).sum() / 0.5, np.pi * 8**2, rtol=0.01)


def test_cylinders_are_spread_evenly_and_are_para_or_diamagnetic(monkeypatch):
    found = []
    monkeypatch.setattr(fields, "_distorted", lambda image, cylinders, dephasing: found.extend(cylinders) or image)
    synthesize("susceptibility", np.zeros((300, 32, 64), np.float32), seed=4, sources=2, radius=3, shift=5)
    assert {abs(cylinder.shift) for cylinder in found} == {5}
    assert stats.binomtest(sum(cylinder.shift > 0 for cylinder in found), 600, 0.5).pvalue > ALPHA
    for position, size in (("row", 32), ("column", 64)):
        shares = [getattr(cylinder, position) / size for cylinder in found]
        assert stats.kstest(shares, stats.uniform(0.15, 0.7).cdf).pvalue > ALPHA


def test_the_margin_holds_all_signal_that_reaches_the_image(monkeypatch):
    """With the largest allowed displacements, a wider margin changes nothing."""
    image = np.random.default_rng(1).random((48, 64)).astype(np.float32)
    cylinders = [
        Cylinder(row=24.0, column=12.0, radius=30.0, shift=-64.0),
        Cylinder(row=8.0, column=50.0, radius=8.0, shift=64.0),
    ]
    near = _distorted(image, cylinders, 0)
    monkeypatch.setattr(fields, "_margin", lambda cylinders, width: 400)
    np.testing.assert_array_equal(near, _distorted(image, cylinders, 0))


def test_no_signal_is_missing_at_the_border():
    image = np.full((8, 64, 64), 0.5, np.float32)
    noisy = synthesize("susceptibility", image, seed=9, sources=1, radius=3, shift=10, dephasing=0)
    for side in (noisy[:, :, 0], noisy[:, :, -1]):
        assert np.median(side) == pytest.approx(0.5, abs=0.02)
        assert side.min() > 0.2
