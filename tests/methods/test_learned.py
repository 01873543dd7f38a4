"""What every method that is a trained network owes the benchmark, beyond the contract of all methods."""

import numpy as np
import pytest
import torch

import fplbench.device
from fplbench.denoising.learned import LearnedOptions, run_network
from fplbench.errors import InputError
from fplbench.methods import METHODS, denoise
from fplbench.networks import UNet, weights

LEARNED = [name for name, method in METHODS.items() if method.weights]


def random_stack(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture(params=LEARNED)
def method(request):
    if reason := METHODS[request.param].unusable():
        pytest.skip(reason)
    return METHODS[request.param]


@pytest.fixture
def run(method, network_files):
    return lambda noisy, **options: denoise(method.name, noisy, weights=network_files[method.weights], device="cpu", **options)


def test_its_result_on_the_cpu_depends_neither_on_the_batch_nor_on_the_other_images(run):
    noisy = random_stack(3, 33, 40)
    together = run(noisy, batch=3)
    np.testing.assert_array_equal(run(noisy, batch=2), together)
    np.testing.assert_array_equal(run(noisy[1:2]), together[1:2])


def test_its_network_treats_the_images_of_a_batch_one_by_one(method, network_files):
    """As on a GPU, where several go through it at once: nothing is normalised over the batch."""
    network, _ = weights.load(network_files[method.weights])
    images = torch.from_numpy(random_stack(3, 32, 32)).unsqueeze(1).float() / 255
    further = [torch.full((1, 1, 1, 1), 0.1)] if method.name == "dpir" else []
    network = getattr(network, "denoise", network)
    with torch.inference_mode():
        torch.testing.assert_close(network(images, *further)[1:2], network(images[1:2], *further), rtol=1e-4, atol=1e-5)


def test_it_changes_the_image(run):
    """The other tests would pass with networks that return what they get."""
    noisy = random_stack(1, 32, 32)
    assert (run(noisy) != noisy).any()


def test_of_a_large_image_each_tile_is_denoised_as_if_it_were_alone(method, run, network_files):
    if "tile" not in method.options.model_fields:
        pytest.skip("takes images of any size at once")
    if isinstance(weights.load(network_files[method.weights])[0], UNet):
        pytest.skip("interpolates a tile as in the whole image; see tests/networks/test_tiles.py")
    noisy = random_stack(1, 64, 112)
    tiled = run(noisy, tile=64, overlap=16)
    # The tiles are the columns [0, 64) and [48, 112), and the seam lies in the middle of what they share.
    np.testing.assert_array_equal(tiled[:, :, :56], run(noisy[:, :, :64])[:, :, :56])
    np.testing.assert_array_equal(tiled[:, :, 56:], run(noisy[:, :, 48:])[:, :, 8:])


def test_without_weights_the_sentence_says_how_to_get_them(method):
    with pytest.raises(
        InputError, match=rf"The method {method.name!r} needs its option weights: .*`fplbench \w+ {method.weights}`"
    ):
        denoise(method.name, random_stack(1, 16, 16), device="cpu")


def test_the_weights_of_another_network_are_refused(method, network_files):
    other = "drunet" if method.weights != "drunet" else "fpl"
    with pytest.raises(InputError, match=r"holds .* is needed here"):
        denoise(method.name, random_stack(1, 16, 16), weights=network_files[other], device="cpu")


def test_images_go_through_a_network_in_batches_on_a_gpu_and_one_by_one_on_the_cpu():
    noisy = random_stack(5, 16, 24)
    options = LearnedOptions(batch=2)
    for kind, expected in [("cpu", [1, 1, 1, 1, 1]), ("cuda", [2, 2, 1])]:
        device, sizes, parts = FakeDevice("cpu"), [], []
        device.type = kind

        def denoised(part, images, place, sizes=sizes, parts=parts):
            sizes.append(len(images))
            parts.extend(range(part.start, part.start + len(images)))
            assert images.shape[1:] == (1, 16, 32) and place is None  # extended to a multiple of 16; no tile
            return 1 - images

        np.testing.assert_array_equal(run_network(noisy, options, denoised, device, multiple=16), 255 - noisy)
        assert (sizes, parts) == (expected, list(range(5)))


@pytest.fixture
def fake_gpu(monkeypatch):
    """The CPU, which calls itself a GPU with so many free bytes."""

    def device(free, reserved=0, allocated=0):
        monkeypatch.setattr(fplbench.device, "_free", lambda: None)  # slow among all that the tests have loaded
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 * 2**30))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: reserved)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: allocated)
        found = FakeDevice("cpu")
        found.type = "cuda"
        return found

    return device


def sizes_of_batches(images, options, device, room=100):
    """How many images go through a network at once, where there is memory for `room`; their result is as it should be."""
    sizes, noisy = [], random_stack(images, 16, 24)

    def denoised(part, images, place):
        sizes.append(len(images))
        if len(images) > room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 1 - images

    np.testing.assert_array_equal(run_network(noisy, options, denoised, device), 255 - noisy)
    return sizes


def test_a_batch_for_which_memory_runs_out_is_halved_and_stays_so(fake_gpu):
    options = LearnedOptions(batch=8)
    assert sizes_of_batches(11, options, fake_gpu(2**30), room=3) == [8, 4, 2, 2, 2, 2, 2, 1]
    assert sizes_of_batches(3, options, fake_gpu(2**30), room=3) == [2, 1]


def test_a_single_image_for_which_there_is_no_memory_is_an_error(fake_gpu):
    with pytest.raises(InputError, match="Denoising: there is not enough memory for a single image"):
        sizes_of_batches(2, LearnedOptions(), fake_gpu(2**30), room=0)


@pytest.mark.parametrize(
    ("free", "reserved", "allocated", "expected"),
    [
        (2**30, 0, 0, [16]),  # all that there are
        (5 * 16 * 24 * 4096, 0, 0, [5, 5, 5, 1]),
        (2 * 16 * 24 * 4096, 5 * 16 * 24 * 4096, 16 * 24 * 4096, [6, 6, 4]),  # torch has kept four images' memory
        (100, 0, 0, [1] * 16),
    ],
)
def test_the_batch_on_a_gpu_is_what_is_likely_to_fit(fake_gpu, free, reserved, allocated, expected):
    assert sizes_of_batches(16, LearnedOptions(), fake_gpu(free, reserved, allocated)) == expected


class FakeDevice(str):
    """The CPU, which can be told to call itself a GPU, so that batches for a GPU can be tested without one."""

    type = "cpu"


def test_an_overlap_of_more_than_three_quarters_of_a_tile_is_refused():
    with pytest.raises(InputError, match="overlap is 49: it can be at most three quarters of tile, 64"):
        denoise("fpl", random_stack(1, 16, 16), tile=64, overlap=49)
