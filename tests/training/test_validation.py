"""Scores on validation images during training, and the weights that are kept."""

import csv
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from fplbench.errors import InputError
from fplbench.methods import denoise
from fplbench.scoring import psnr
from fplbench.stacks import open_stack
from fplbench.training import train
from fplbench.training.loop.validation import Best, Validation, spread
from tests.helpers.training import TINY, given


def scores(path) -> dict[int, str]:
    with open(path, newline="") as stream:
        return {int(row["step"]): row["validation_psnr"] for row in csv.DictReader(stream)}


def test_the_psnr_is_that_of_scoring():
    random = np.random.default_rng(0)
    clean, noisy = random.integers(0, 256, (2, 5, 8, 8), dtype=np.uint8)
    validation = Validation(
        nn.Identity(), lambda images: 1.3001 * images, torch.from_numpy(noisy), torch.from_numpy(clean), batch=2
    )
    brighter = np.clip(np.rint(noisy * np.float64(1.3001)), 0, 255).astype(np.uint8)
    assert validation.psnr() == pytest.approx(psnr(clean, brighter).mean(), abs=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_scoring_uses_running_statistics_and_leaves_the_network_as_it_was(training):
    network = nn.BatchNorm2d(1).train(training)
    images = torch.full((2, 4, 4), 200, dtype=torch.uint8)
    assert Validation(network, network, images, images).psnr() > 60  # untouched statistics: the identity
    assert network.training == training and network.num_batches_tracked == 0


def test_a_perfect_image_has_a_finite_psnr_and_a_broken_network_a_low_one():
    images = torch.full((2, 4, 4), 200, dtype=torch.uint8)
    assert 100 < Validation(nn.Identity(), lambda x: x, images, images).psnr() < np.inf
    assert Validation(nn.Identity(), lambda x: x * np.nan, images, images).psnr() < 3


def test_images_are_spread_evenly_over_the_stack():
    assert spread(100, 4).tolist() == [0, 25, 50, 75]
    assert spread(3, 64).tolist() == [0, 1, 2]


def test_the_log_holds_the_psnr_of_what_the_method_makes_of_the_validation_images(stacks, tmp_path):
    """At the end, at the latest; and at steps that the interval does not divide, not at all."""
    out = tmp_path / "fpl.safetensors"
    train("fpl", given(stacks, "fpl"), out, {**TINY, "validate_every": 4}, seed=1, device="cpu")
    found = scores(out.with_suffix(".csv"))
    clean, noisy = (open_stack(stacks / f"validation_{name}.npy") for name in ("clean", "noisy"))
    denoised = denoise("fpl", np.array(noisy), weights=out, device="cpu")
    assert found[2] == "" and float(found[4]) > 0
    assert float(found[6]) == pytest.approx(psnr(clean, denoised).mean(), abs=1e-3)


def test_without_validation_images_nothing_is_scored(stacks, tmp_path):
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "noisy")}
    train("residual_same_steps", inputs, tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    assert set(scores(tmp_path / "a.csv").values()) == {""}


def test_one_validation_stack_alone_is_refused_and_so_is_keeping_the_best_without_any(stacks, tmp_path):
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "noisy", "validation_noisy")}
    with pytest.raises(InputError, match="needs --validation-clean and --validation-noisy: one of them"):
        train("residual_same_steps", inputs, tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    del inputs["validation_noisy"]
    with pytest.raises(InputError, match="keep is best, which needs validation images"):
        train("residual_same_steps", inputs, tmp_path / "a.safetensors", {**TINY, "keep": "best"}, seed=1, device="cpu")


def test_the_best_weights_are_those_with_the_highest_score_and_the_first_of_equals():
    best, network = Best(), nn.Linear(1, 1, bias=False)
    for step, (weight, score) in enumerate([(1.0, 20.0), (2.0, 30.0), (3.0, 30.0), (4.0, 10.0)]):
        network.weight.data.fill_(weight)
        best.see({"psnr": score, "other": -step}, step, network)
    assert (best.step, best.scores, float(best.tensors["weight"])) == (1, {"psnr": 30.0, "other": -1}, 2.0)


def test_the_best_weights_are_kept_if_asked_for_and_the_log_says_which(stacks, tmp_path, caplog):
    """A rate far too high at the end of its warm-up: the first steps are the best."""
    caplog.set_level(logging.INFO)
    options = {**TINY, "steps": 8, "log_every": 1, "validate_every": 1, "learning_rate": 0.3, "warm_up": 4}
    for keep in ("last", "best"):
        train("fpl", given(stacks, "fpl"), tmp_path / f"{keep}.safetensors", {**options, "keep": keep}, seed=1, device="cpu")
    found = {step: float(score) for step, score in scores(tmp_path / "best.csv").items()}
    first_best = max(found, key=found.__getitem__)
    assert first_best < 8
    assert f"the weights after step {first_best} of 8 are kept" in caplog.text
    clean, noisy = (np.array(open_stack(stacks / f"validation_{name}.npy")) for name in ("clean", "noisy"))
    denoised = denoise("fpl", noisy, weights=tmp_path / "best.safetensors", device="cpu")
    assert psnr(clean, denoised).mean() == pytest.approx(found[first_best], abs=1e-3)
    last, best = (load_file(tmp_path / f"{keep}.safetensors") for keep in ("last", "best"))
    assert any(not torch.equal(last[name], best[name]) for name in last)


@pytest.mark.parametrize(("limit", "warns"), [(90.0, True), (1.0, False)])
def test_a_restoration_network_that_does_not_restore_is_warned_of(stacks, tmp_path, caplog, limit, warns):
    inputs = {name: stacks / f"{name}.npy" for name in ("clean", "validation_clean")}
    train("restoration", inputs, tmp_path / "a.safetensors", {**TINY, "warn_below": limit}, seed=1, device="cpu")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [("restores validation images to" in text) for text in warnings] == [True] * warns
