"""Properties of all noises: types and shapes of the images, seeds, and stack files."""

import doctest

import numpy as np
import pytest
from scipy import stats

from fplbench.errors import InputError
from fplbench.noise import NOISES, synthesize, synthesize_stack
from fplbench.stacks import open_stack, read_index, write_stack
from tests.noise.conftest import LUNG

KINDS = sorted(name for name in NOISES if NOISES[name].needs != "pair")  # made from images
FAR_REACHING = {
    "chemical_shift", "ghosting", "gibbs", "low_dose_ct", "magnetic_field", "motion", "spike", "structured", "susceptibility",
    "wrap_around",
}  # fmt: skip


@pytest.fixture(scope="module")
def clean():
    """Seven images of blobs on a ramp, neither square nor with even sides only, as no noise may rely on these."""
    y, x = np.mgrid[:45, :52].astype(np.float32)
    blobs = [np.exp(-((y - 20 - k) ** 2 + (x - 25) ** 2) / (40 + 20 * k)) for k in range(7)]
    return (0.6 * np.stack(blobs) + 0.3 * x / 52).astype(np.float32)


def test_table_1_and_further_ones():
    table_1 = {
        "Chem. Shift", "Gauss.", "Mag. Field", "Motion Art.", "Non-cent. Chi", "Poisson Noise", "Rician",
        "Salt & Pepper", "Speckle Noise", "Struct. Noise", "Susc. Art.", "Thermal", "Wrap Around",
    }  # fmt: skip
    further = {"Rayleigh", "Impulse", "Low-dose CT", "Spike", "Ghosting", "Gibbs", "as acquired"}
    assert {entry.label for entry in NOISES.values()} == table_1 | further


@pytest.mark.parametrize("name", KINDS)
def test_output_is_float32_in_the_unit_interval_and_input_is_not_modified(name, clean, add):
    before = clean.copy()
    noisy = add(name, clean, seed=1)
    assert noisy.dtype == np.float32 and noisy.shape == clean.shape
    assert noisy.min() >= 0 and noisy.max() <= 1
    assert np.array_equal(clean, before)
    assert not np.array_equal(noisy, clean)


@pytest.mark.parametrize("name", KINDS)
def test_an_image_does_not_depend_on_its_neighbours(name, clean, add):
    ids = [f"image-{k}" for k in range(7)]
    whole = add(name, clean, seed=5, image_ids=ids)
    one_by_one = [add(name, clean[k : k + 1], seed=5, image_ids=ids[k : k + 1]) for k in range(7)]
    backwards = add(name, clean[::-1], seed=5, image_ids=ids[::-1])[::-1]
    assert np.array_equal(np.concatenate(one_by_one), whole)
    assert np.array_equal(backwards, whole)


@pytest.mark.parametrize("name", KINDS)
def test_another_seed_or_image_gives_another_draw(name, clean, add):
    # Deterministic if their options are numbers; on small images a narrow range is the same few frequencies.
    options = {"wrap_around": {"strength": [0.1, 0.9]}, "gibbs": {"kept": [0.1, 0.9]}}.get(name, {})
    first, second = add(name, np.repeat(clean[:1], 2, axis=0), seed=1, **options)
    other_seed = add(name, clean[:1], seed=3, **options)[0]
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other_seed)


@pytest.mark.parametrize(("name", "options"), [("wrap_around", {}), ("chemical_shift", {"shift": 3}), ("gibbs", {"kept": 0.4})])
def test_a_deterministic_noise_is_the_same_for_all_seeds(name, options, clean):
    assert np.array_equal(synthesize(name, clean, seed=1, **options), synthesize(name, clean, seed=2, **options))


def test_different_noises_give_different_images(clean, add):
    assert len({add(name, clean[:1], seed=1).tobytes() for name in KINDS}) == len(KINDS)


def test_noises_do_not_share_random_numbers():
    flat = np.full((1, 128, 128), 0.5, np.float32)
    options = {"noncentral_chi": {"sigma": 0.05}}
    pixelwise = sorted(set(KINDS) - FAR_REACHING)
    noisy = [synthesize(name, flat, seed=1, **options.get(name, {})).ravel() for name in pixelwise]
    pairs = np.corrcoef(noisy)[np.triu_indices(len(pixelwise), 1)]
    # Correlations of independent samples are normal with deviation 1/128. All pairs together fail for one seed in a thousand.
    assert np.abs(pairs).max() < stats.norm.ppf(1 - 1e-3 / (2 * len(pairs))) / 128


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", KINDS)
def test_a_stack_file_is_the_rounded_synthesis(name, threads, clean, add, tmp_path):
    images = np.rint(np.concatenate([clean, clean, clean]) * 255).astype(np.uint8)
    index = [{"image_id": f"i{k}", "patient": "p", "source": "s", "slice": k} for k in range(21)]
    write_stack(tmp_path / "clean.npy", images, index)
    scaled = images.astype(np.float32) / np.float32(255)
    hu = np.rint(LUNG[0] + (LUNG[1] - LUNG[0]) * scaled).astype(np.int16)
    needed = {"hu": hu} if NOISES[name].needs == "hu" else {}
    options = {"window": LUNG} if needed else {}
    np.save(tmp_path / "clean_hu.npy", hu)
    synthesize_stack(name, tmp_path / "clean.npy", tmp_path / "noisy.npy", options, seed=3, axes="lidc/test", threads=threads)
    expected = add(name, scaled, seed=3, image_ids=[f"lidc/test/i{k}" for k in range(21)], **needed)
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
def test_wrong_options_are_refused(options, words, clean):
    with pytest.raises(InputError, match=words):
        synthesize("gaussian", clean, seed=1, **options)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("gaussian", {"sigma": True}, "sigma: True is neither"),
        ("gaussian", {"sigma": [0, True]}, r"sigma: \[0, True\] is neither"),
        ("structured", {"stripes": True}, "stripes: True is not a number"),
        ("motion", {"moves": 17}, "moves: 17 is neither a number from 0 to 16"),
        ("chemical_shift", {"fat": [0.5, 1.5]}, r"fat\.1 is 1\.5"),
        ("chemical_shift", {"field_strength": 7}, "field_strength has no effect if shift is given; set shift to null"),
        ("thermal", {"temperature": 100}, "temperature has no effect if sigma is given; set sigma to null"),
        ("thermal", {"sigma": 0.1, "bandwidth": 1e5}, "bandwidth has no effect if sigma is given"),
    ],
)
def test_options_without_a_meaning_are_refused(name, options, words, clean):
    with pytest.raises(InputError, match=words):
        synthesize(name, clean, seed=1, **options)


@pytest.mark.parametrize("name", KINDS)
def test_a_complete_set_of_options_is_accepted(name, clean, add):
    complete = NOISES[name].options().model_dump(mode="json")
    if NOISES[name].needs == "hu":
        complete["window"] = LUNG
    assert np.array_equal(add(name, clean, seed=1, **complete), add(name, clean, seed=1))


def test_an_unknown_noise_is_refused(clean):
    with pytest.raises(InputError, match="'gausian' is not a noise: did you mean 'gaussian'"):
        synthesize("gausian", clean, seed=1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 8, 8), np.uint8), r"type uint8, but must be float32 .* / 255"),
        ([[0.5]], "type list, but must be float32"),
        (np.zeros((8, 8), np.float32), r"shape \(8, 8\)"),
        (np.zeros((2, 64, 1), np.float32), "64x1 pixels"),
        (np.full((1, 8, 8), 2, np.float32), "from 2 to 2"),
        (np.full((1, 8, 8), np.nan, np.float32), "nan"),
    ],
)
def test_wrong_images_are_refused(images, words):
    with pytest.raises(InputError, match=words):
        synthesize("gaussian", images, seed=1)


@pytest.mark.parametrize(("name", "options"), [("poisson", {"photons": 1e-50}), ("speckle", {"sigma": 1e-30, "law": "gamma"})])
def test_options_too_extreme_for_the_arithmetic_are_refused(name, options, clean):
    with pytest.raises(InputError, match=f"{name} gives values that are not numbers"):
        synthesize(name, clean, seed=1, **options)


@pytest.mark.parametrize("name", KINDS)
def test_the_smallest_images_are_accepted(name, add):
    assert add(name, np.full((3, 2, 2), 0.5, np.float32), seed=1).shape == (3, 2, 2)


def test_a_wrong_name_of_an_image_is_refused(clean):
    with pytest.raises(InputError, match="image_ids has 'a' more than once"):
        synthesize("gaussian", clean[:2], seed=1, image_ids=["a", "a"])
    with pytest.raises(InputError, match=r"The number of image_ids \(1\) differs from the number of images \(2\)"):
        synthesize("gaussian", clean[:2], seed=1, image_ids=["a"])


def test_swapped_arguments_are_named(clean):
    with pytest.raises(InputError, match="The first argument is of type ndarray, but must be the name of a noise"):
        synthesize(clean, "gaussian", seed=1)
    with pytest.raises(InputError, match="The clean images are of type str"):
        synthesize("gaussian", "gaussian", seed=1)


def test_the_example_in_the_documentation_runs():
    (example,) = doctest.DocTestFinder(recurse=False).find(synthesize, "synthesize")
    assert doctest.DocTestRunner().run(example) == (0, len(example.examples))


def test_an_index_that_does_not_fit_is_refused(tmp_path):
    write_stack(tmp_path / "clean.npy", np.zeros((2, 8, 8), np.uint8))
    (tmp_path / "clean.csv").write_text("image_id,patient\na,p\n")
    with pytest.raises(InputError, match="one row for each image, but has 1 for 2"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=1)
    (tmp_path / "clean.csv").write_text("patient\np\np\n")
    with pytest.raises(InputError, match="no column 'image_id'"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=1)
    assert not (tmp_path / "noisy.npy").exists()


def test_at_least_one_thread_is_needed(clean, tmp_path):
    write_stack(tmp_path / "clean.npy", np.rint(clean[:1] * 255).astype(np.uint8), [{"image_id": 0, "patient": "p"}])
    with pytest.raises(InputError, match="threads is 0; it must be at least 1"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy.npy", {}, seed=1, threads=0)


def test_the_clean_stack_is_not_overwritten(clean, tmp_path):
    images = np.rint(clean * 255).astype(np.uint8)
    write_stack(tmp_path / "clean.npy", images, [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(7)])
    (tmp_path / "link.npy").symlink_to(tmp_path / "clean.npy")
    for noisy in ("clean.npy", "link.npy"):
        with pytest.raises(InputError, match="is the clean stack, which would be overwritten"):
            synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / noisy, {}, seed=1)
    with pytest.raises(InputError, match=r"does not end in \.npy"):
        synthesize_stack("gaussian", tmp_path / "clean.npy", tmp_path / "noisy", {}, seed=1)
    assert np.array_equal(open_stack(tmp_path / "clean.npy"), images)
