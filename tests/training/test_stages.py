import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from fplbench.training.objectives import DenoiserLoss, as_images, new_denoiser, new_drunet
from fplbench.training.stages import load_images, train_denoiser, train_drunet, train_restoration
from safetensors.torch import load_file

from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.networks import weights
from fplbench.stacks import open_stack, write_stack
from fplbench.training.options import DenoiserOptions, DrunetOptions, ExplanationOptions, TrainingOptions
from tests.training.conftest import TINY

CPU = torch.device("cpu")


def train(stacks, out, seed=1, explanation=None, **options):
    train_denoiser(
        stacks / "clean.npy",
        stacks / "noisy.npy",
        out,
        DenoiserOptions(**{**TINY, **options}),
        explanation or ExplanationOptions(),
        seed,
        stacks / "restoration.safetensors",
        stacks / "features.npy",
        device="cpu",
    )


def test_a_step_with_the_loss_leaves_the_explained_network_bit_identical(stacks):
    restoration, _ = weights.load(stacks / "restoration.safetensors")
    before = {name: tensor.clone() for name, tensor in restoration.state_dict().items()}
    network = new_denoiser(2, 1, CPU)
    clean, noisy = load_images(stacks / "clean.npy", CPU), load_images(stacks / "noisy.npy", CPU)
    maps = torch.from_numpy(np.load(stacks / "features.npy"))
    loss = DenoiserLoss(network, clean, noisy, DenoiserOptions(weight=1.0), restoration, maps, ExplanationOptions())
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    terms = loss(torch.tensor([0, 1]), 0)
    sum(weight * value for value, weight in terms.values()).backward()
    optimizer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in restoration.state_dict().items())
    assert all(parameter.grad is None for parameter in restoration.parameters())
    assert not restoration.training


def test_the_denoiser_starts_as_the_identity(stacks):
    images = as_images(load_images(stacks / "noisy.npy", CPU), torch.arange(3))
    assert torch.count_nonzero(new_denoiser(2, 1, CPU).eval()(images)) == 0


def test_the_feature_term_enters_each_kth_step_with_k_times_its_weight(stacks):
    restoration, _ = weights.load(stacks / "restoration.safetensors")
    stack = load_images(stacks / "clean.npy", CPU)
    maps = torch.from_numpy(np.load(stacks / "features.npy"))
    options = DenoiserOptions(weight=0.5, every=3, feature_start=3)
    loss = DenoiserLoss(new_denoiser(2, 1, CPU), stack, stack, options, restoration, maps, ExplanationOptions())
    present = {step: loss(torch.tensor([0]), step).get("feature") for step in range(7)}
    assert [step for step, term in present.items() if term] == [3, 6]
    assert present[3][1] == 1.5


def test_a_weight_file_carries_what_it_was_trained_with(stacks, tmp_path):
    train(stacks, tmp_path / "fpl.safetensors", seed=7)
    metadata = weights.read_metadata(tmp_path / "fpl.safetensors")
    assert metadata["options"]["steps"] == 6 and metadata["seed"] == 7 and len(metadata["data"]) == 64
    assert {"version", "training_version", "explanation"} <= set(metadata)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["fpl.csv", "fpl.safetensors"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(stacks, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        train(stacks, tmp_path / f"{name}.safetensors", seed=seed)
    first, again, other = (load_file(tmp_path / f"{name}.safetensors") for name in "abc")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["first.0.weight"], other["first.0.weight"])


def test_features_of_another_network_are_refused(stacks, tmp_path):
    other = tmp_path / "other.safetensors"
    train_restoration(stacks / "clean.npy", other, TrainingOptions(**TINY), seed=2, device="cpu")
    with pytest.raises(InputError, match="another restoration network"):
        train_denoiser(
            stacks / "clean.npy", stacks / "noisy.npy", tmp_path / "fpl.safetensors", DenoiserOptions(**TINY),
            ExplanationOptions(), 1, other, stacks / "features.npy", "cpu",
        )  # fmt: skip


def test_noisy_images_of_other_clean_ones_are_refused(stacks, tmp_path):
    index = [{"image_id": i, "patient": 0, "source": "made up", "slice": i} for i in range(6)]
    write_stack(tmp_path / "clean.npy", open_stack(stacks / "clean.npy"), index)
    write_stack(tmp_path / "noisy.npy", open_stack(stacks / "noisy.npy"), index[::-1])
    options = DenoiserOptions(**TINY, weight=0)
    with pytest.raises(InputError, match=r"noisy\.csv names other images than that of .*clean\.npy, from number 0"):
        train_denoiser(tmp_path / "clean.npy", tmp_path / "noisy.npy", tmp_path / "a.npy", options, ExplanationOptions(), 1)


def test_features_of_another_explanation_are_refused(stacks, tmp_path):
    with pytest.raises(InputError, match="another explanation"):
        train(stacks, tmp_path / "fpl.safetensors", explanation=ExplanationOptions(beta=7))


def test_relu_with_sum_is_refused_unless_it_is_asked_for_as_a_control(stacks, tmp_path):
    explanation = ExplanationOptions(activation="relu")
    with pytest.raises(InputError, match="its gradient is zero"):
        train(stacks, tmp_path / "fpl.safetensors", explanation=explanation)


def test_weight_zero_needs_no_restoration_network(stacks, tmp_path):
    train_denoiser(
        stacks / "clean.npy", stacks / "noisy.npy", tmp_path / "residual.safetensors", DenoiserOptions(**TINY, weight=0),
        ExplanationOptions(), 1, device="cpu",
    )  # fmt: skip
    assert (tmp_path / "residual.safetensors").exists()


def test_training_lowers_the_residual_loss(stacks, tmp_path):
    train(stacks, tmp_path / "fpl.safetensors", steps=60, learning_rate=1e-2, width=4)
    rows = np.genfromtxt(tmp_path / "fpl.csv", delimiter=",", names=True)
    assert rows["loss_residual"][-1] < 0.5 * rows["loss_residual"][0]


def test_a_drunet_starts_near_the_image(stacks):
    images = as_images(load_images(stacks / "clean.npy", CPU), torch.arange(3))
    with torch.inference_mode():
        output = new_drunet(DrunetOptions(width=8, blocks=2), 1, CPU)(images, torch.tensor(0.1))
    assert (output - images).abs().mean() < 0.1 * images.mean()


def test_a_drunet_learns_to_denoise(stacks, tmp_path):
    options = DrunetOptions(width=4, blocks=1, steps=150, batch=4, patch=32, warm_up=5, log_every=30, learning_rate=1e-2)
    train_drunet(stacks / "clean.npy", tmp_path / "drunet.safetensors", options, seed=1, device="cpu")
    network, _ = weights.load(tmp_path / "drunet.safetensors")
    images = as_images(load_images(stacks / "clean.npy", CPU), torch.arange(6))
    noisy = images + 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        denoised = network(noisy, torch.tensor(0.1))
    assert (denoised - images).square().mean() < 0.5 * (noisy - images).square().mean()


def command(stacks, out, steps):
    options = f'{{"width": 2, "steps": {steps}, "batch": 2, "warm_up": 2, "log_every": 5, "save_every": 5}}'
    return [
        sys.executable, "-c", "from fplbench.cli import main; main()", "train-denoiser", str(stacks / "clean.npy"),
        str(stacks / "noisy.npy"), str(out), "--restoration", str(stacks / "restoration.safetensors"),
        "--features", str(stacks / "features.npy"), "--options", options, "--seed", "3", "--device", "cpu",
    ]  # fmt: skip


def test_a_training_killed_with_sigkill_ends_in_the_same_bits(stacks, tmp_path):
    straight, killed = tmp_path / "straight.safetensors", tmp_path / "killed.safetensors"
    state = tmp_path / ".killed.state.safetensors"
    subprocess.run(command(stacks, straight, 120), check=True, capture_output=True)
    process = subprocess.Popen(command(stacks, killed, 120), stderr=subprocess.DEVNULL)
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not killed.exists()
    resumed = subprocess.run(command(stacks, killed, 120), check=True, capture_output=True, text=True)
    assert "resuming after step" in resumed.stderr
    assert file_hash(straight) == file_hash(killed)
    assert not state.exists()
