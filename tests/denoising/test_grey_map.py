import json

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from fplbench.denoising import grey_map as grey_maps
from fplbench.denoising.grey_map import KINDS, GreyMap, fit_grey_map, read_grey_map, write_grey_map
from fplbench.errors import InputError
from fplbench.methods import METHODS, denoise
from fplbench.noise import NOISES, synthesize


@pytest.fixture(scope="module")
def clean():
    """Smooth scenes that use every grey level, and two flat areas."""
    rows, columns = np.mgrid[:48, :64]
    scenes = np.stack([np.sin(rows / (6 + k)) * np.cos(columns / 9) for k in range(4)])
    images = np.rint(127.5 + 127.5 * scenes / np.abs(scenes).max()).astype(np.uint8)
    images[:, :6], images[:, -6:] = 0, 255
    return images


def squared_error(images, clean):
    return int(((images.astype(int) - clean) ** 2).sum())


def noisy_pairs(clean):
    """The scenes under every noise, as the methods get them."""
    for name in NOISES:
        if NOISES[name].needs:  # images alone are not enough
            continue
        noisy = synthesize(name, clean.astype(np.float32) / 255, seed=1)
        yield name, np.clip(np.rint(255 * noisy), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("slope", [0.6, 0.9, 1.0])
@pytest.mark.parametrize("offset", [-20.0, 0.0, 25.0])
@pytest.mark.parametrize("kind", KINDS)
def test_an_affine_distortion_is_undone(clean, slope, offset, kind):
    distorted = slope * clean.astype(float) + offset
    inside = (distorted >= 0) & (distorted <= 255)
    seen, truth = np.rint(distorted[inside]).astype(np.uint8), clean[inside]
    found = fit_grey_map(seen.reshape(1, 1, -1), truth.reshape(1, 1, -1), kind)
    # Where the contrast shrinks by less than half, at most two neighbouring levels become one.
    assert np.abs(found.apply(seen).astype(int) - truth).max() <= 1


@pytest.mark.parametrize("exponent", [0.6, 0.8])
def test_a_gamma_is_undone_by_a_monotone_map(clean, exponent):
    seen = np.rint(255 * (clean / 255) ** exponent).astype(np.uint8)
    found = fit_grey_map(seen, clean)
    assert np.abs(found.apply(seen).astype(int) - clean).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_where_the_method_is_right(clean, kind):
    np.testing.assert_array_equal(fit_grey_map(clean, clean, kind).levels, np.arange(256))


def test_levels_that_do_not_occur_lie_between_their_neighbours():
    denoised = np.array([10, 20, 30]).astype(np.uint8).reshape(1, 1, 3)
    clean = np.array([50, 70, 100]).astype(np.uint8).reshape(1, 1, 3)
    levels = fit_grey_map(denoised, clean).levels
    assert [levels[level] for level in (0, 10, 15, 20, 25, 30, 255)] == [50, 50, 60, 70, 85, 100, 100]


def test_the_monotone_map_is_the_isotonic_regression_of_the_pixels(clean):
    for _, noisy in noisy_pairs(clean):
        seen, truth = noisy.ravel().astype(int), clean.ravel().astype(int)
        # Pixels of the same level must get the same value: in falling order of their clean values, regression ties them.
        order = np.lexsort((-truth, seen))
        fitted = isotonic_regression(truth[order].astype(float)).x
        difference = fit_grey_map(noisy, clean).levels[seen[order]] - fitted
        assert np.abs(difference).max() <= 0.5 + 1e-9


def test_the_affine_map_is_the_line_that_polyfit_finds_on_the_pixels(clean):
    for _, noisy in noisy_pairs(clean):
        line = np.polyval(np.polyfit(noisy.ravel().astype(float), clean.ravel().astype(float), 1), np.arange(256))
        difference = fit_grey_map(noisy, clean, "affine").levels - np.clip(line, 0, 255)
        assert np.abs(difference).max() <= 0.5 + 1e-6


def test_a_monotone_map_never_falls_and_never_raises_the_squared_error(clean):
    for name, noisy in noisy_pairs(clean):
        for method in ("noisy", "median_filter", "bilateral"):
            denoised = denoise(method, noisy)
            found = fit_grey_map(denoised, clean)
            assert (np.diff(found.levels.astype(int)) >= 0).all(), (name, method)
            # Rounding costs nothing: no monotone map to whole numbers is better, and the identity is one of them.
            assert squared_error(found.apply(denoised), clean) <= squared_error(denoised, clean), (name, method)


def test_an_affine_map_raises_the_squared_error_by_no_more_than_rounding(clean):
    for name, noisy in noisy_pairs(clean):
        mapped = fit_grey_map(noisy, clean, "affine").apply(noisy)
        # A pixel that is rounded by r moves by at most a half.
        root = np.sqrt(squared_error(noisy, clean) / clean.size)
        assert np.sqrt(squared_error(mapped, clean) / clean.size) <= root + 0.5, name


def test_no_other_monotone_map_to_whole_numbers_is_better():
    """Four levels, by trying all maps of them."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        denoised = rng.integers(0, 4, (2, 3, 5)).astype(np.uint8)
        clean = rng.integers(0, 6, denoised.shape).astype(np.uint8)
        found = squared_error(fit_grey_map(denoised, clean).apply(denoised), clean)
        every = (np.sort(np.array(np.unravel_index(k, (6,) * 4))) for k in range(6**4))
        assert found == min(squared_error(levels[denoised], clean) for levels in every)


def test_the_map_is_the_same_whatever_the_chunks(clean, monkeypatch):
    noisy = dict(noisy_pairs(clean))["gaussian"]
    whole = fit_grey_map(noisy, clean)
    monkeypatch.setattr(grey_maps, "CHUNK", 1)
    np.testing.assert_array_equal(fit_grey_map(noisy, clean).levels, whole.levels)
    assert whole.images == len(clean)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_one_level_gets_the_mean_of_the_clean_values(kind):
    denoised = np.full((1, 4, 4), 90, np.uint8)
    clean = np.arange(16).astype(np.uint8).reshape(1, 4, 4) * 2
    np.testing.assert_array_equal(fit_grey_map(denoised, clean, kind).levels, 15)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["noisy", "median_filter"])
def test_denoise_applies_a_map_after_the_method(clean, name, threads):
    negative = GreyMap("monotone", np.arange(255, -1, -1).astype(np.uint8), 1)
    np.testing.assert_array_equal(denoise(name, clean, threads=threads, grey_map=negative), 255 - denoise(name, clean))
    assert METHODS[name]


def test_a_file_holds_what_was_written(clean, tmp_path):
    found = fit_grey_map(clean // 2, clean, "affine")
    write_grey_map(tmp_path / "map.json", found)
    again = read_grey_map(tmp_path / "map.json")
    assert (again.kind, again.images) == ("affine", len(clean))
    np.testing.assert_array_equal(again.levels, found.levels)
    assert json.loads((tmp_path / "map.json").read_text()) == {"kind": "affine", "map": found.levels.tolist(), "images": 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[1]", "256 whole numbers"),
        ('{"kind": "affine", "map": [1, 2], "images": 4}', "256 whole numbers"),
        (json.dumps({"kind": "affine", "map": [256] * 256, "images": 4}), "256 whole numbers"),
        (json.dumps({"kind": "cubic", "map": [0] * 256, "images": 4}), r"its kind \(monotone or affine\)"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path, text, message):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_grey_map(tmp_path / "map.json")


def test_what_cannot_be_fitted_is_refused(clean):
    with pytest.raises(InputError, match="monotone, affine"):
        fit_grey_map(clean, clean, "cubic")
    with pytest.raises(InputError, match="they must match"):
        fit_grey_map(clean[:2], clean)
