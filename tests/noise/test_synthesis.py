"""What holds for every kind: the contract of images in and out, seeds, and the stack files."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.noise import NOISES, synthesize, synthesize_stack
from fplbench.stacks import open_stack, read_index, write_stack

KINDS = sorted(NOISES)


@pytest.fixture(scope="module")
def clean():
    """Seven images of blobs on a ramp; odd sides, so that no kind may count on even or square ones."""
    y, x = np.mgrid[:45, :52].astype(np.float32)
    blobs = [np.exp(-((y - 20 - k) ** 2 + (x - 25) ** 2) / (40 + 20 * k)) for k in range(7)]
    return (0.6 * np.stack(blobs) + 0.3 * x / 52).astype(np.float32)


def test_table_1_and_two_more():
    table_1 = {
        "Chem. Shift", "Gauss.", "Mag. Field", "Motion Art.", "Non-cent. Chi", "Poisson Noise", "Rician",
        "Salt & Pepper", "Speckle Noise", "Struct. Noise", "Susc. Art.", "Thermal", "Wrap Around",
    }  # fmt: skip
    assert {entry.label for entry in NOISES.values()} == table_1 | {"Rayleigh", "Impulse"}


@pytest.mark.parametrize("name", KINDS)
def test_output_is_float32_in_the_unit_interval_and_input_is_left_alone(name, clean):
    before = clean.copy()
    noisy = synthesize(name, clean, seed=1)
    assert noisy.dtype == np.float32 and noisy.shape == clean.shape
    assert noisy.min() >= 0 and noisy.max() <= 1
    assert np.array_equal(clean, before)
    assert not np.array_equal(noisy, clean)


@pytest.mark.parametrize("name", KINDS)
def test_an_image_does_not_depend_on_its_neighbours(name, clean):
    ids = [f"image-{k}" for k in range(7)]
    whole = synthesize(name, clean, seed=5, image_ids=ids)
    one_by_one = [synthesize(name, clean[k : k + 1], seed=5, image_ids=ids[k : k + 1]) for k in range(7)]
    backwards = synthesize(name, clean[::-1], seed=5, image_ids=ids[::-1])[::-1]
    assert np.array_equal(np.concatenate(one_by_one), whole)
    assert np.array_equal(backwards, whole)


@pytest.mark.parametrize("name", KINDS)
def test_other_seed_or_image_other_draw(name, clean):
    options = {"strength": [0.1, 0.9]} if name == "wrap_around" else {}  # the one kind without chance in it
    first, second = synthesize(name, np.repeat(clean[:1], 2, axis=0), seed=1, **options)
    other_seed = synthesize(name, clean[:1], seed=2, **options)[0]
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other_seed)


def test_thermal_and_gaussian_do_not_share_a_draw(clean):
    flat = np.full((1, 128, 128), 0.5, np.float32)
    thermal, gaussian = (synthesize(name, flat, seed=1, sigma=0.1).ravel() for name in ("thermal", "gaussian"))
    correlation = np.corrcoef(thermal, gaussian)[0, 1]
    assert abs(correlation) < 4 / 128  # four standard errors of independent samples


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", KINDS)
def test_a_stack_file_is_the_rounded_synthesis(name, threads, clean, tmp_path):
    images = np.rint(np.concatenate([clean, clean, clean]) * 255).astype(np.uint8)
    index = [{"image_id": f"i{k}", "patient": "p", "source": "s", "slice": k} for k in range(21)]
    write_stack(tmp_path / "clean.npy", images, index)
    synthesize_stack(name, tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=3, axes="lidc/test", threads=threads)
    scaled = images.astype(np.float32) / np.float32(255)
    expected = synthesize(name, scaled, seed=3, image_ids=[f"lidc/test/i{k}" for k in range(21)])
    assert np.array_equal(open_stack(tmp_path / "noisy.npy"), np.rint(expected * np.float32(255)).astype(np.uint8))
    assert [row["image_id"] for row in read_index(tmp_path / "noisy.npy")] == [f"i{k}" for k in range(21)]


def test_a_range_is_drawn_for_each_image_and_recorded(tmp_path):
    images = np.full((40, 64, 64), 128, np.uint8)
    index = [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(40)]
    write_stack(tmp_path / "clean.npy", images, index)
    synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {"sigma": [0.02, 0.08]}, seed=3)
    sigma = np.array([float(row["sigma"]) for row in read_index(tmp_path / "noisy.npy")])
    assert sigma.min() >= 0.02 and sigma.max() <= 0.08 and np.ptp(sigma) > 0.03
    # A deviation estimated from 4096 pixels has a relative standard error of 1/sqrt(2 * 4096) = 1.1 %.
    measured = (open_stack(tmp_path / "noisy.npy") / 255).std(axis=(1, 2))
    assert np.all(np.abs(measured / sigma - 1) < 5 * 0.011)


def test_a_range_of_whole_numbers_draws_whole_numbers(tmp_path):
    write_stack(
        tmp_path / "clean.npy",
        np.full((30, 8, 8), 128, np.uint8),
        [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(30)],
    )
    synthesize_stack("motion", tmp_path / "clean.npy", tmp_path / "noisy.npy", {"moves": [2, 4]}, seed=1)
    assert {row["moves"] for row in read_index(tmp_path / "noisy.npy")} == {"2", "3", "4"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sigma": -1}, "sigma: -1 is neither a number from 0 to 1 nor a range"),
        ({"sigma": "much"}, "sigma: 'much' is neither"),
        ({"sigma": [0.2, 0.1]}, r"sigma: \[0.2, 0.1\] is neither"),
        ({"sgima": 0.1}, "sgima is not a known key: did you mean 'sigma'"),
    ],
)
def test_wrong_options_are_named(options, words, clean):
    with pytest.raises(InputError, match=words):
        synthesize("gaussian", clean, seed=1, **options)


def test_unknown_noise_is_named(clean):
    with pytest.raises(InputError, match="'gausian' is not a noise: did you mean 'gaussian'"):
        synthesize("gausian", clean, seed=1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 8, 8), np.uint8), "divide by 255"),
        (np.zeros((8, 8), np.float32), r"shape \(8, 8\)"),
        (np.full((1, 8, 8), 2, np.float32), "from 2 to 2"),
        (np.full((1, 8, 8), np.nan, np.float32), "nan"),
    ],
)
def test_wrong_images_are_named(images, words):
    with pytest.raises(InputError, match=words):
        synthesize("gaussian", images, seed=1)


def test_an_identifier_given_twice_is_named(clean):
    with pytest.raises(InputError, match="'a' stands for several images"):
        synthesize("gaussian", clean[:2], seed=1, image_ids=["a", "a"])


def test_an_index_that_does_not_fit_is_named(tmp_path):
    write_stack(tmp_path / "clean.npy", np.zeros((2, 8, 8), np.uint8))
    (tmp_path / "clean.csv").write_text("image_id\na\n")
    with pytest.raises(InputError, match="has 1 rows for 2 images"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=1)
    (tmp_path / "clean.csv").write_text("name\na\nb\n")
    with pytest.raises(InputError, match="no column image_id"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=1)
    assert not (tmp_path / "noisy.npy").exists()
