"""What every registered method owes the benchmark, on every kind of input."""

import numpy as np
import pytest

from fplbench.denoising import running
from fplbench.methods import METHODS, denoise

SHAPES = {
    "square": (2, 32, 32),
    "odd": (2, 37, 61),
    "single": (1, 24, 40),
    "one row": (2, 1, 40),
    "one column": (2, 40, 1),
}


def random_stack(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def marked(name):
    """The name; its tests are slow where several images need several processes."""
    return pytest.param(name, marks=pytest.mark.slow) if METHODS[name].processes else name


@pytest.fixture(params=[marked(name) for name in METHODS])
def run(request):
    method = METHODS[request.param]
    if reason := method.unusable():
        pytest.skip(reason)
    options = {}
    if method.weights:
        options = {"weights": request.getfixturevalue("network_files")[method.weights], "device": "cpu"}
    return lambda noisy, **kwargs: denoise(method.name, noisy, **options, **kwargs)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_keeps_shape_and_type_and_leaves_the_input_alone(run, shape):
    noisy = random_stack(shape)
    before = noisy.copy()
    noisy.flags.writeable = False
    denoised = run(noisy)
    assert denoised.shape == shape
    assert denoised.dtype == np.uint8
    assert not np.shares_memory(denoised, noisy)
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_images_give_no_warning_and_stay_constant(run, level, request):
    denoised = run(np.full((1, 40, 40), level, np.uint8))
    if not METHODS[request.node.callspec.params["run"]].weights:
        np.testing.assert_array_equal(denoised, level)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_survives_an_image_of_black_and_white_alone(run):
    checkerboard = np.indices((48, 48)).sum(axis=0) // 8 % 2 * 255
    assert run(checkerboard[None].astype(np.uint8)).shape == (1, 48, 48)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_survives_an_image_that_is_flat_but_for_one_pixel(run):
    noisy = np.full((1, 32, 32), 90, np.uint8)
    noisy[0, 16, 16] = 255
    denoised = run(noisy)
    assert denoised.shape == noisy.shape


def test_is_deterministic(run):
    noisy = random_stack((2, 32, 32))
    np.testing.assert_array_equal(run(noisy), run(noisy))


def test_an_image_is_denoised_alike_alone_and_among_others(run):
    noisy = random_stack((5, 32, 32))
    together = run(noisy).astype(int)
    alone = run(noisy[3:4]).astype(int)[0]
    # A network sums in another order for another batch size, which may turn one rounding.
    assert np.abs(together[3] - alone).max() <= 1
    assert np.mean(together[3] != alone) < 0.001


def test_does_not_depend_on_the_number_of_threads(run, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    noisy = random_stack((6, 16, 16))
    np.testing.assert_array_equal(run(noisy, threads=1), run(noisy, threads=2))
