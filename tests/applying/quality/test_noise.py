"""What the quality page says where only noise was removed, and where structure was: its limits lie between the two."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fplbench.applying.models.denoisers import open_denoiser
from fplbench.applying.quality.sentences import EDGES, MANY, edge_sentence, large_sentence
from fplbench.applying.quality.structure import edge_relation
from fplbench.applying.quality.summary import summarise_edges
from fplbench.applying.units import denoise_plane

SIDE = 512
WINDOW = (-1000.0, 400.0)  # of 5.5 HU a grey level
VALUE = 40
WHOLE = np.full((SIDE, SIDE), 255, np.uint8)


def noise(sigma, smoothing=0.0, uneven=False, seed=0):
    """White or correlated noise, HU, float32; if uneven, three times as strong in the middle as at the border."""
    found = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE))
    if smoothing:
        found = gaussian_filter(found, smoothing)
    if uneven:
        row, column = np.mgrid[:SIDE, :SIDE] / (SIDE / 2) - 1
        found *= np.clip(3 - 2 * np.hypot(row, column), 1, 3)
    return (sigma * found / found[-SIDE // 8 :, -SIDE // 8 :].std()).astype(np.float32)


def mean_of(grey):
    """A perfect denoiser of a uniform image."""
    return np.full_like(grey, (VALUE - WINDOW[0]) / (WINDOW[1] - WINDOW[0]))


def nearly_mean_of(grey):
    return 0.9 * mean_of(grey) + 0.1 * grey


def half_of(grey):
    return (grey + mean_of(grey)) / 2


def rounded_mean_of(grey):
    return np.rint(mean_of(grey) * 255) / np.float32(255)


def rounded_half_of(grey):
    grey = np.rint(grey * 255)
    return np.rint((grey + 255 * mean_of(grey)) / 2) / np.float32(255)


def blurred(grey):
    return gaussian_filter(grey, 1)


DENOISERS = {
    "nearly_mean": nearly_mean_of,
    "half": half_of,
    "blur": blurred,
    "mean_8_bit": rounded_mean_of,
    "half_8_bit": rounded_half_of,
}
METHODS = {"median_filter": {}, "nlm": {"strength": 6}}


def relation(before, name):
    """The relation for a denoiser or method; before and after hold whole HU, as in DICOM files."""
    method = name in METHODS
    denoise = open_denoiser(name, METHODS[name]) if method else DENOISERS[name]
    before = np.rint(before)
    after = np.rint(denoise_plane(before, None, WINDOW, denoise, method or name.endswith("8_bit")))
    return edge_relation(after - before, after, [WHOLE])


@pytest.mark.parametrize("name", [*DENOISERS, *METHODS])
@pytest.mark.parametrize("uneven", [False, True])
def test_the_removal_of_noise_alone_is_never_called_that_of_structure(name, uneven):
    """Or nothing is said, where steps of 1 HU or of a grey level are too coarse."""
    for sigma, smoothing in itertools.product((4, 20) if name == "nlm" else (2, 4, 12, 30), (0, 0.7, 1.2)):
        found = relation(VALUE + noise(sigma, smoothing, uneven), name)
        if found:
            assert found["correlation"] - found["displaced"] < EDGES, (sigma, smoothing, found)
            assert found["large"] < MANY, (sigma, smoothing, found)


@pytest.mark.parametrize("sigma", [2, 4])
@pytest.mark.parametrize("name", ["median_filter", "mean_8_bit"])
def test_changes_of_no_more_than_a_step_say_nothing(sigma, name):
    """Most pixels do not change at all, so that any change is far from the usual one."""
    assert relation(VALUE + noise(sigma), name) is None


@pytest.mark.parametrize("sigma", [20, 25, 30, 40])
def test_steps_do_not_add_large_changes(sigma):
    """Normal noise in steps of 5.5 HU exceeds three standard deviations by half a step in 0.3 % of the places at most."""
    found = [relation(VALUE + noise(sigma, seed=seed), "half_8_bit")["large"] for seed in range(3)]
    assert 0 < np.mean(found) < 0.0035


def test_noise_that_grows_threefold_has_as_few_large_changes_as_even_noise():
    """Three standard deviations of the whole image would be exceeded by 2 %."""
    found = [edge_relation(noise(10, uneven=True, seed=seed), noise(1, seed=50 + seed), [WHOLE]) for seed in range(6)]
    assert np.mean([each["large"] for each in found]) == pytest.approx(0.003, abs=0.0008)
    assert np.mean([each["ratio"] for each in found]) == pytest.approx(1, abs=0.03)


def vessels():
    """Vessels of 3 pixels and 120 HU, every 32 pixels: a tenth of the image."""
    return np.where(np.arange(SIDE) % 32 < 3, 120, 0).astype(np.float32)[None].repeat(SIDE, axis=0)


@pytest.mark.parametrize("name", ["nearly_mean", "half_8_bit"])
def test_vessels_that_vanish_are_large_changes(name):
    found = relation(VALUE + vessels() + noise(20), name)
    assert found["large"] > MANY
    assert "probably structure" in large_sentence(summarise_edges([{"edges": found}]))


def test_a_blur_softens_edges():
    """Of squares of 40 HU in noise of 8 HU."""
    row, column = np.indices((SIDE, SIDE)) // 32
    found = summarise_edges([{"edges": relation(VALUE + 40.0 * ((row + column) % 2) + noise(8), "blur")}])
    assert found.excess > 2 * EDGES
    assert "softened structure" in edge_sentence(found)
