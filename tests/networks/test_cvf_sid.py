import numpy as np
import pytest
import torch

from fplbench.networks import CvfSid, weights
from fplbench.networks.cvf_sid import compose
from fplbench.stacks import write_stack
from fplbench.training.cvf_sid import losses
from fplbench.training.registry import train


def test_parameters_are_those_of_the_described_layers():
    hidden, first, last = 64 * 64 * 9 + 64, 64 * 9 + 64, 64 * 9 + 1
    clean, noise, head = first + 15 * hidden + last, first + 9 * hidden, 4 * hidden + last
    assert sum(tensor.numel() for tensor in CvfSid().parameters()) == clean + noise + 2 * head


def test_the_noises_have_mean_zero():
    torch.manual_seed(0)
    with torch.inference_mode():
        clean, dependent, independent = CvfSid(width=4)(torch.rand(2, 1, 16, 24))
    assert clean.shape == dependent.shape == independent.shape == (2, 1, 16, 24)
    zero = torch.zeros(2, 1)
    torch.testing.assert_close(dependent.mean(dim=(2, 3)), zero, atol=1e-7, rtol=0)
    torch.testing.assert_close(independent.mean(dim=(2, 3)), zero, atol=1e-7, rtol=0)


def test_a_function_that_separates_images_exactly_has_no_loss():
    """Here such a function exists: the clean image is a constant 2, and the noises are waves orthogonal to each other."""
    angle = torch.arange(32) * 2 * torch.pi / 32
    waves = [torch.sin(k * angle).expand(1, 1, 32, 32).double() for k in (1, 3)]

    def amplitude(image, wave):
        return (image * wave).mean() / (wave**2).mean()

    def separate(image):
        clean = image.mean().expand(image.shape)
        scale = image.mean() if image.mean().abs() > 1e-6 else torch.inf
        return clean, amplitude(image, waves[0]) / scale * waves[0], amplitude(image, waves[1]) * waves[1]

    image = compose(torch.full((1, 1, 32, 32), 2.0).double(), 0.1 * waves[0], 0.3 * waves[1])
    for loss in losses(separate, image):
        assert float(loss) == pytest.approx(0, abs=1e-12)


def test_the_terms_are_ten_and_seven_times_three():
    """A function that is wrong by one everywhere makes each mean squared error one."""
    calls = 0

    def wrong_by_one(image):
        nonlocal calls
        calls += 1
        return (torch.zeros_like(image),) * 3 if calls == 1 else (torch.ones_like(image),) * 3

    cycle, augmentation = losses(wrong_by_one, torch.ones(1, 1, 8, 8))
    assert (float(cycle), float(augmentation)) == (10, 21)


def test_training_writes_a_network_that_can_be_loaded(tmp_path):
    noisy = np.random.default_rng(0).integers(0, 256, (4, 24, 24)).astype(np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy)
    options = {"width": 4, "steps": 3, "batch": 2, "patch": 16, "warm_up": 0, "log_every": 3}
    for name in ("a", "b"):
        train("cvf_sid", {"noisy": tmp_path / "noisy.npy"}, tmp_path / f"{name}.safetensors", options, seed=5, device="cpu")
    network, metadata = weights.load(tmp_path / "a.safetensors")
    assert (metadata["architecture"], metadata["config"]["width"], metadata["seed"]) == ("cvf_sid", 4, 5)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2
    assert all(tensor.isfinite().all() for tensor in network.parameters())
