import os
import signal
import subprocess
import sys
import time
from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fplbench.errors import InputError
from fplbench.explaining.maps import write_features
from fplbench.files import file_hash
from fplbench.networks import weights
from fplbench.stacks import open_stack, write_stack
from fplbench.training import TRAININGS, train
from fplbench.training.denoiser import DenoiserLoss
from fplbench.training.drunet import DrunetOptions, denoised_again, new_drunet
from fplbench.training.explained import Explained
from fplbench.training.fpl import FplOptions, new_denoiser
from fplbench.training.loop.run import load_images
from fplbench.training.loop.tensors import as_images
from fplbench.training.registry import Input
from tests.helpers.files import names
from tests.helpers.training import EXPLANATION, TINY, train_fpl

CPU = torch.device("cpu")


def test_a_step_with_the_loss_leaves_the_explained_network_bit_identical(stacks):
    restoration, _ = weights.load(stacks / "restoration.safetensors")
    before = {name: tensor.clone() for name, tensor in restoration.state_dict().items()}
    network = new_denoiser(2, 1, CPU)
    clean, noisy = load_images(stacks / "clean.npy", CPU), load_images(stacks / "noisy.npy", CPU)
    maps = torch.from_numpy(np.load(stacks / "features.npy"))
    explained = Explained(restoration, maps, EXPLANATION)
    loss = DenoiserLoss(network, "noise", clean, noisy, FplOptions(feature_weight=1.0), explained=explained)
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
    options = FplOptions(feature_weight=0.5, feature_interval=3, feature_start=3)
    explained = Explained(restoration, maps, EXPLANATION)
    loss = DenoiserLoss(new_denoiser(2, 1, CPU), "noise", stack, stack, options, explained=explained)
    present = {step: loss(torch.tensor([0]), step).get("feature") for step in range(7)}
    assert [step for step, term in present.items() if term] == [3, 6]
    assert present[3][1] == 1.5


def test_a_weight_file_carries_what_it_was_trained_with(stacks, tmp_path):
    train_fpl(stacks, tmp_path / "fpl.safetensors", seed=7)
    metadata = weights.read_metadata(tmp_path / "fpl.safetensors")
    assert metadata["options"]["steps"] == 6 and metadata["seed"] == 7 and len(metadata["data"]) == 64
    assert {"version", "training_version", "explanation"} <= set(metadata)
    assert names(tmp_path) == ["fpl.csv", "fpl.safetensors"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(stacks, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        train_fpl(stacks, tmp_path / f"{name}.safetensors", seed=seed)
    first, again, other = (load_file(tmp_path / f"{name}.safetensors") for name in "abc")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["first.0.weight"], other["first.0.weight"])


def test_features_of_another_network_are_refused(stacks, tmp_path):
    other = tmp_path / "other.safetensors"
    train("restoration", {"clean": stacks / "clean.npy"}, other, TINY, seed=2, device="cpu")
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "noisy", "features")} | {"explained": other}
    with pytest.raises(InputError, match="another explained network"):
        train("fpl", inputs, tmp_path / "fpl.safetensors", TINY, seed=1, device="cpu")


def test_noisy_images_of_other_clean_ones_are_refused(stacks, tmp_path):
    index = [{"image_id": i, "patient": 0, "source": "made up", "slice": i} for i in range(6)]
    write_stack(tmp_path / "clean.npy", open_stack(stacks / "clean.npy"), index)
    write_stack(tmp_path / "noisy.npy", open_stack(stacks / "noisy.npy"), index[::-1])
    inputs = {name: tmp_path / f"{name}.npy" for name in ("clean", "noisy")}
    with pytest.raises(InputError, match=r"noisy\.csv does not list the same images as .*clean\.csv: they differ from image 0"):
        train("residual_same_steps", inputs, tmp_path / "a.safetensors", TINY, seed=1)


def test_relu_with_sum_is_refused_unless_it_is_asked_for_as_a_control(stacks, tmp_path):
    features = tmp_path / "features.npy"
    explanation = {**EXPLANATION, "activation": "relu"}
    write_features(stacks / "restoration.safetensors", stacks / "clean.npy", features, device="cpu", **explanation)
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "noisy")}
    inputs |= {"explained": stacks / "restoration.safetensors", "features": features}
    with pytest.raises(InputError, match="its gradient is zero"):
        train("fpl", inputs, tmp_path / "fpl.safetensors", TINY, seed=1, device="cpu")
    train("fpl", inputs, tmp_path / "fpl.safetensors", {**TINY, "allow_zero_gradient": True}, seed=1, device="cpu")
    assert explanation.items() <= weights.read_metadata(tmp_path / "fpl.safetensors")["explanation"].items()


def test_without_l_fp_neither_restoration_network_nor_features_are_needed(stacks, tmp_path):
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "noisy")}
    train("fpl", inputs, tmp_path / "zero.safetensors", {**TINY, "feature_weight": 0}, seed=1, device="cpu")
    train("residual_same_steps", inputs, tmp_path / "residual_same_steps.safetensors", TINY, seed=1, device="cpu")
    zero, control = (load_file(tmp_path / f"{name}.safetensors") for name in ("zero", "residual_same_steps"))
    assert all(torch.equal(zero[name], control[name]) for name in zero)


@pytest.mark.parametrize(
    ("name", "inputs", "out", "options", "message"),
    [
        ("fpll", [], "a.safetensors", {}, "'fpll' is not a training: did you mean 'fpl'"),
        ("fpl", ["clean"], "a.safetensors", {}, "The training 'fpl' needs --noisy"),
        ("fpl", ["clean", "noisy"], "a.safetensors", {}, "needs --features, and --explained if they are of a network"),
        (
            "drunet",
            ["clean", "noisy"],
            "a.safetensors",
            {},
            "'drunet' does not use --noisy; it takes --clean, --validation-clean",
        ),
        ("drunet", ["clean"], "a.pth", {}, "does not end in .safetensors"),
        ("drunet", ["clean"], "a.safetensors", {"pach": 8}, "training.drunet.pach is not a known key: did you mean 'patch'"),
        ("fpl", ["clean"], "a.safetensors", {"steps": 200, "warm_up": 500}, "the learning rate would never fall"),
    ],
)
def test_what_a_training_cannot_use_is_named(stacks, tmp_path, name, inputs, out, options, message):
    paths = {key: stacks / f"{key}.npy" for key in inputs}
    with pytest.raises(InputError, match=message):
        train(name, paths, tmp_path / out, options, seed=1, device="cpu")
    assert not list(tmp_path.iterdir())


def test_the_warm_up_is_a_tenth_of_a_short_training_and_500_steps_of_a_long_one():
    assert FplOptions(steps=200).warm_up_steps == 20
    assert FplOptions(steps=20_000).warm_up_steps == 500
    assert FplOptions(steps=200, warm_up=30).warm_up_steps == 30


def test_every_training_says_what_it_does():
    for name, training in TRAININGS.items():
        assert training.summary, name
        assert set(training.inputs) <= set(get_args(Input)), name


@pytest.mark.slow
def test_training_lowers_the_residual_loss(stacks, tmp_path):
    train_fpl(stacks, tmp_path / "fpl.safetensors", steps=60, learning_rate=1e-2, width=4)
    rows = np.genfromtxt(tmp_path / "fpl.csv", delimiter=",", names=True)
    assert rows["loss_residual"][-1] < 0.5 * rows["loss_residual"][0]


def test_a_drunet_starts_near_the_image(stacks):
    images = as_images(load_images(stacks / "clean.npy", CPU), torch.arange(3))
    with torch.inference_mode():
        output = new_drunet(DrunetOptions(width=8, blocks=2), 1, CPU)(images, torch.tensor(0.1))
    assert (output - images).abs().mean() < 0.1 * images.mean()


@pytest.mark.slow
def test_a_drunet_learns_to_denoise(stacks, tmp_path):
    options = {"width": 4, "blocks": 1, "steps": 150, "batch": 4, "patch": 32, "warm_up": 5, "log_every": 30}
    options["learning_rate"] = 1e-2
    train("drunet", {"clean": stacks / "clean.npy"}, tmp_path / "drunet.safetensors", options, seed=1, device="cpu")
    network, _ = weights.load(tmp_path / "drunet.safetensors")
    images = as_images(load_images(stacks / "clean.npy", CPU), torch.arange(6))
    noisy = images + 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        denoised = network(noisy, torch.tensor(0.1))
    assert (denoised - images).square().mean() < 0.5 * (noisy - images).square().mean()


def command(stacks, out, steps):
    options = f'{{"width": 2, "steps": {steps}, "batch": 2, "warm_up": 2, "log_every": 5, "save_every": 5}}'
    return [
        sys.executable, "-c", "from fplbench.cli import main; main()", "train", "fpl", str(out),
        "--clean", str(stacks / "clean.npy"), "--noisy", str(stacks / "noisy.npy"),
        "--validation-clean", str(stacks / "validation_clean.npy"), "--validation-noisy", str(stacks / "validation_noisy.npy"),
        "--restoration", str(stacks / "restoration.safetensors"), "--numerics", '{"deterministic": true}',
        "--features", str(stacks / "features.npy"), "--options", options, "--seed", "3", "--device", "cpu",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_training_killed_with_sigkill_ends_in_the_same_bits(stacks, tmp_path):
    straight, killed = tmp_path / "straight.safetensors", tmp_path / "killed.safetensors"
    state = tmp_path / ".killed.state.safetensors"
    subprocess.run(command(stacks, straight, 40), check=True, capture_output=True)
    process = subprocess.Popen(command(stacks, killed, 40), stderr=subprocess.DEVNULL)
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not killed.exists()
    resumed = subprocess.run(command(stacks, killed, 40), check=True, capture_output=True, text=True)
    assert "resuming after step" in resumed.stderr and "psnr of validation images" in resumed.stderr
    assert file_hash(straight) == file_hash(killed)
    assert not state.exists()


def test_a_drunet_is_scored_on_the_middle_of_its_noise_levels():
    """A network that returns what it gets scores what Gaussian noise of that level leaves: 20 log10(255 / 25) dB."""
    options = DrunetOptions(highest_level=50)
    clean = torch.full((4, 1, 64, 64), 0.5)
    levels = []

    def unchanged(images, level):
        levels.append(255 * float(level))
        return images

    error = denoised_again(unchanged, clean, options, seed=1) - clean
    assert levels == pytest.approx([25])
    assert float(-10 * error.square().mean().log10()) == pytest.approx(20 * np.log10(255 / 25), abs=0.1)
    assert torch.equal(error, denoised_again(unchanged, clean, options, seed=1) - clean)
