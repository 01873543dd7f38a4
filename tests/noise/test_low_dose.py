"""The noise of low-dose CT, compared with the theory of photon counting and filtered back-projection."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.noise import draw_again, synthesize, synthesize_stack
from fplbench.noise.low_dose import MU_WATER, noise_in_hu
from fplbench.stacks import open_stack, write_stack

LUNG = (-1000.0, 400.0)
PIXEL = 3.0
# A white error s of the line integrals, reconstructed from M views with the ramp filter h and linear interpolation, has the
# variance (pi / M)^2 M s^2 (2/3 r(0) + 1/3 r(1)), where r is the autocorrelation of h: r(0) = 1/16 + 2 sum over odd n of
# 1 / (pi n)^4 = 1/12, r(1) = 2 h(0) h(1) = -1 / (2 pi^2).
VARIANCE = np.pi**2 * (2 / 3 / 12 - 1 / (6 * np.pi**2))


def noise(hu, dose=1.0, electronic=0.0, draws=60, views=60, photons=1e5):
    return np.stack(
        [noise_in_hu(np.random.default_rng(seed), hu, dose * photons, electronic, PIXEL, views) for seed in range(draws)]
    ).astype(float)


def ellipse(across, down, inside=0.0, size=72):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.where((x / across) ** 2 + (y / down) ** 2 < 1, inside, -1000).astype(np.float32)


def centre(change, reach=3):
    middle = change.shape[1] // 2
    return change[:, middle - reach : middle + reach, middle - reach : middle + reach]


AIR = ellipse(0.1, 0.1)


@pytest.mark.parametrize(("electronic", "flux"), [(0, 1e5), (0, 1e3), (50, 1e3)])
def test_the_variance_in_air_is_that_of_theory(electronic, flux):
    """All rays have the mean count I and the relative variance (I + s^2) / I^2; so there is a floor of electronic noise."""
    change = noise(AIR, electronic=electronic, photons=flux)
    expected = VARIANCE / 60 * (flux + electronic**2) / flux**2 * (1000 / (MU_WATER * PIXEL)) ** 2
    # Neighbouring pixels are correlated, so the relative error of the variance follows from the 60 independent draws.
    each = centre(change, 16).var(axis=(1, 2))
    assert each.mean() == pytest.approx(expected, rel=0.02 + 4 * each.std() / each.mean() / np.sqrt(60))


def test_the_variance_in_the_centre_of_a_disc_is_that_of_its_longest_ray():
    across = 2 * 24 * PIXEL * MU_WATER
    change = centre(noise(ellipse(24, 24), draws=200), 2)
    expected = VARIANCE / 60 / (1e5 * np.exp(-across)) * (1000 / (MU_WATER * PIXEL)) ** 2
    # The rays that miss the centre by up to three pixels are shorter by up to 0.8 %, and have 2 % more photons.
    assert change.var() == pytest.approx(expected, rel=0.02 + 4 * np.sqrt(2 / 200))


@pytest.mark.parametrize("dose", [0.3, 0.1, 0.03])
def test_the_variance_is_inversely_proportional_to_the_dose(dose):
    full, low = (centre(noise(ellipse(24, 24), each, photons=1e6), 8).var(axis=(1, 2)) for each in (1, dose))
    error = np.hypot(full.std() / full.mean(), low.std() / low.mean()) / np.sqrt(len(full))
    assert low.mean() / full.mean() * dose == pytest.approx(1, abs=4 * error)


def test_the_mean_does_not_change():
    change = centre(noise(ellipse(24, 24), photons=1e5), 8)
    means = change.mean(axis=(1, 2))
    # The logarithm of a count with mean n is too low by 1 / (2 n) on average, here by less than 1/10,000 of the attenuation.
    assert abs(means.mean()) < 4 * means.std() / np.sqrt(len(means)) + 0.1


def test_starved_rays_give_streaks_along_the_long_axis():
    """Rays along the long axis of a dense ellipse lose the most photons, so the noise varies most across that axis."""

    def ratio(across, down):
        change = centre(noise(ellipse(across, down, inside=400), draws=30), 8)
        return np.diff(change, axis=1).var() / np.diff(change, axis=2).var()

    wide, round_, tall = ratio(33, 14), ratio(22, 22), ratio(14, 33)
    assert wide > 3 and tall < 1 / 3
    # The relative standard error of either variance is about sqrt(2 / (30 * 256)) = 1.6 %.
    assert round_ == pytest.approx(1, abs=4 * np.sqrt(2) * 0.016)


def test_the_power_spectrum_is_a_ramp_at_low_frequencies():
    """Riederer, Pelc and Chesler 1978: S(f) = pi / M s^2 f, times the sinc(f)^4 of linear interpolation."""
    change = noise(np.full((128, 128), -1000, np.float32), draws=20, views=180)
    window = np.outer(np.hanning(64), np.hanning(64))
    spectrum = np.abs(np.fft.fft2(change[:, 32:96, 32:96] * window)) ** 2 / (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64))
    scale = (1000 / (MU_WATER * PIXEL)) ** 2 / 1e5
    for frequency in (0.05, 0.1, 0.15):
        ring = np.abs(radius - frequency) < 0.008
        expected = np.pi / 180 * scale * (radius * np.sinc(radius) ** 4)[ring].mean()
        # The window makes neighbouring frequencies depend on each other: about two of them count as one.
        error = np.sqrt(2 / (20 * ring.sum() / 2))
        assert spectrum[:, ring].mean() == pytest.approx(expected, rel=0.03 + 4 * error)
    low, high = spectrum[:, (radius > 0) & (radius < 0.03)].mean(), spectrum[:, np.abs(radius - 0.2) < 0.01].mean()
    assert low < 0.2 * high


def test_only_the_difference_is_added_and_the_window_cuts_off_the_rest():
    hu = ellipse(30, 20, inside=1500)
    hu[30:40, 30:40] = 0
    clean = np.clip((hu - LUNG[0]) / 1400, 0, 1)
    noisy = synthesize("low_dose_ct", clean[None], hu=hu[None], window=LUNG, seed=1, photons=1e8)[0]
    bone = (hu == 1500) & (np.hypot(*(np.mgrid[:72, :72] - 35.5)) < 15)
    assert (noisy[bone] == 1).all()  # 1,100 HU above the window
    assert (noisy[30:40, 30:40] != clean[30:40, 30:40]).all()
    assert (noisy[:5, :5] == clean[:5, :5]).all()  # outside the circle that a scanner reconstructs


@pytest.fixture
def split(tmp_path):
    """A stack of three images with HU beside it, and its path."""
    hu = np.stack([ellipse(30 - k, 20 + k, inside=-300 + 10 * k) for k in range(3)])
    rows = [
        {
            "image_id": f"i{k}", "patient": "p", "rows": 144, "columns": 144, "row_spacing_mm": 1.5, "column_spacing_mm": 1.5,
            "window_low": LUNG[0], "window_high": LUNG[1],
        }
        for k in range(3)
    ]  # fmt: skip
    images = np.rint(255 * np.clip((hu + 1000) / 1400, 0, 1)).astype(np.uint8)
    write_stack(tmp_path / "test.npy", images, rows)
    np.save(tmp_path / "test_hu.npy", hu.astype(np.int16))
    return tmp_path / "test.npy", images, hu, rows


def test_a_stack_uses_the_hu_beside_it_and_the_pixel_size_of_its_index(split, tmp_path):
    path, images, hu, _ = split
    synthesize_stack("low_dose_ct", path, tmp_path / "noisy/test.npy", {"dose": 0.1}, seed=5)
    clean = images.astype(np.float32) / np.float32(255)
    # Images of 144 pixels of 1.5 mm are 216 mm wide.
    options = {"window": LUNG, "field_of_view": 216.0, "dose": 0.1, "image_ids": ["i0", "i1", "i2"]}
    expected = synthesize("low_dose_ct", clean, hu=hu, seed=5, **options)
    assert np.array_equal(open_stack(tmp_path / "noisy/test.npy"), np.rint(expected * np.float32(255)).astype(np.uint8))
    draw_again(path, tmp_path / "noisy/test.npy", tmp_path / "again.npy", 1)
    assert (open_stack(tmp_path / "again.npy") != open_stack(tmp_path / "noisy/test.npy")).any()


def test_missing_or_wrong_hu_are_named(split, tmp_path):
    path, _, hu, _ = split

    def refused(words):
        with pytest.raises(InputError, match=words):
            synthesize_stack("low_dose_ct", path, tmp_path / "noisy.npy", {}, seed=5)
        assert not (tmp_path / "noisy.npy").exists()

    np.save(tmp_path / "test_hu.npy", hu.astype(np.int16)[::-1] + np.int16(40))
    refused("do not give the clean images: they belong to other images")
    np.save(tmp_path / "test_hu.npy", hu.astype(np.float32))
    refused(r"test_hu\.npy holds float32 values of shape \(3, 72, 72\), but must hold int16")
    (tmp_path / "test_hu.npy").write_bytes(b"no array")
    refused(r"test_hu\.npy is not a readable \.npy array")
    (tmp_path / "test_hu.npy").unlink()
    refused(
        r"test_hu\.npy, which has the Hounsfield units .* does not exist; draw the data set again with `fplbench sample --hu`"
    )


def test_images_in_memory_need_hu_and_a_window():
    clean = np.full((2, 16, 16), 0.5, np.float32)
    with pytest.raises(InputError, match="low_dose_ct needs the images in Hounsfield units: give them as hu"):
        synthesize("low_dose_ct", clean, seed=1)
    with pytest.raises(InputError, match=r"hu is an array of float32 and shape \(2, 8, 8\), but must be .* shape \(2, 16, 16\)"):
        synthesize("low_dose_ct", clean, seed=1, hu=clean[:, :8, :8])
    with pytest.raises(InputError, match="needs the grey window of the images in HU"):
        synthesize("low_dose_ct", clean, seed=1, hu=clean)
    with pytest.raises(InputError, match="gaussian does not use Hounsfield units; leave out hu"):
        synthesize("gaussian", clean, seed=1, hu=clean)
    with pytest.raises(InputError, match=r"window is \[400\.0, -1000\.0\], but its first value must be below"):
        synthesize("low_dose_ct", clean, seed=1, hu=clean, window=(400, -1000))
