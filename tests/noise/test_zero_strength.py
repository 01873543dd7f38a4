"""At zero strength, every noise returns the clean image, bit for bit."""

import numpy as np
import pytest

from fplbench.noise import NOISES, synthesize

ZERO = {
    "chemical_shift": [{"shift": 0}],
    "gaussian": [{"sigma": 0}],
    "ghosting": [{"strength": 0}],
    "gibbs": [{"kept": 1}],
    "impulse": [{"density": 0}],
    "magnetic_field": [{"strength": 0}],
    "motion": [{"moves": 0}, {"shift": 0, "rotation": 0}, {"centre": 1}],
    "noncentral_chi": [{"sigma": 0}],
    "rayleigh": [{"sigma": 0}],
    "rician": [{"sigma": 0}],
    "salt_pepper": [{"density": 0}],
    "spike": [{"spikes": 0}, {"strength": 0}],
    "speckle": [{"sigma": 0}, {"sigma": 0, "law": "gamma"}],
    "structured": [{"amplitude": 0}],
    "susceptibility": [{"sources": 0}, {"shift": 0}, {"radius": 0}],
    "thermal": [{"sigma": 0}, {"sigma": None, "temperature": 0}],
    "wrap_around": [{"strength": 0}, {"field_of_view": 1}],
}


@pytest.mark.parametrize(("name", "options"), [(name, each) for name, all_of in ZERO.items() for each in all_of])
def test_zero_strength_is_the_clean_image(name, options, phantom):
    assert np.array_equal(synthesize(name, phantom, seed=1, **options), phantom)


def test_many_photons_are_the_clean_image_in_eight_bits(phantom):
    eight_bit = np.rint(phantom * 255)
    noisy = synthesize("poisson", (eight_bit / 255).astype(np.float32), seed=1, photons=1e8)
    assert np.array_equal(np.rint(noisy * 255), eight_bit)


def test_many_photons_in_ct_are_the_clean_image_in_eight_bits(phantom, add):
    eight_bit = np.rint(phantom * 255)
    noisy = add("low_dose_ct", (eight_bit / 255).astype(np.float32), seed=1, dose=10, photons=1e10, electronic_noise=0)
    assert np.array_equal(np.rint(noisy * 255), eight_bit)


def test_no_noise_is_left_out():
    assert set(ZERO) | {"poisson", "low_dose_ct", "as_acquired"} == set(NOISES)
