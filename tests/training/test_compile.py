"""`numerics: {compile: true}`: the network that is trained is compiled, and nothing else changes but rounding."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch
import torch._functorch.config as autograd
import torch._inductor.config as compiler

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.networks import weights
from fplbench.numerics import Computing, NumericsOptions, compile_if_asked, use_numerics
from fplbench.planning.asking import Job
from fplbench.planning.plan import make_plan
from fplbench.registry import parse_options
from fplbench.training import train
from tests.helpers.scores import read_rows
from tests.helpers.training import TINY, given, kill, tiny, train_fpl

DNCNN = {**tiny("dncnn"), "draws": 1, "patch": None, "features": True}
"""A DnCNN with batch norm, and L_FP in every other step."""


@pytest.fixture
def compiled():
    """Lets networks be compiled that are trained."""
    use_numerics(NumericsOptions(compile=True))
    with autograd.patch(donated_buffer=False), compiler.patch(compile_threads=1):
        yield
    use_numerics(NumericsOptions())
    torch.compiler.reset()


def log_of_training(stacks, out):
    """The log of four steps."""
    train("dncnn", given(stacks, "dncnn"), out, {**DNCNN, "steps": 4}, seed=1, device="cpu")
    columns = ("loss_residual", "loss_feature", "gradient_norm_residual", "gradient_norm_feature", "validation_psnr")
    return [[float(row[name]) for name in columns] for row in read_rows(out.with_suffix(".csv"))]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_training_has_the_same_losses_gradients_and_scores_up_to_rounding(stacks, tmp_path, compiled):
    """In two steps: later they drift apart, as Adam turns the rounding of a gradient that is nearly zero into a step."""
    counted = torch._dynamo.utils.counters["stats"]
    before = counted["unique_graphs"]
    own = log_of_training(stacks, tmp_path / "compiled.safetensors")
    assert counted["unique_graphs"] == before + 1  # not of validation, nor of the explained network
    use_numerics(NumericsOptions())
    plain = log_of_training(stacks, tmp_path / "plain.safetensors")
    assert len(own) == len(plain) == 2
    np.testing.assert_allclose(own[0], plain[0], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_training_that_is_killed_ends_with_the_weights_of_one_that_is_not(stacks, tmp_path, compiled):
    """Killed in a process of its own, which imports and compiles as a job does."""
    assert kill(stacks, tmp_path, {"killed": ("dncnn", DNCNN)}, compile=True) == {"killed": signal.SIGKILL}
    killed, straight = (tmp_path / f"{name}.safetensors" for name in ("killed", "straight"))
    assert not killed.exists() and killed.with_name(".killed.state.safetensors").exists()
    for out in (straight, killed):
        train("dncnn", given(stacks, "dncnn"), out, DNCNN, seed=1, device="cpu")
    assert file_hash(killed) == file_hash(straight)
    assert weights.read_metadata(killed)["numerics"] == {"compile": True}


def test_kernels_are_kept_for_the_user_and_not_in_a_folder_that_others_may_have_made(compiled, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compile_if_asked(torch.nn.Conv2d(1, 1, 3))
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "fplbench" / "torchinductor")


def test_a_network_that_torch_compile_skips_is_said(compiled, caplog):
    class Own(torch.nn.Module):
        def forward(self, images):
            return images

    compile_if_asked(Own())
    assert not caplog.messages
    compile_if_asked(torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3)))
    assert "needs a `forward` of its own" in caplog.text


@pytest.mark.slow
def test_without_a_compiler_it_is_a_sentence(stacks, tmp_path, compiled, monkeypatch):
    monkeypatch.setattr(compiler.cpp, "cxx", (None, "no-such-compiler"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"torch\.compile failed: .*no-such-compiler.* leave out numerics\.compile"):
        train_fpl(stacks, tmp_path / "fpl.safetensors")


def test_jobs_from_before_there_was_the_option_stay_up_to_date_and_trainings_alone_compile():
    plain, asked = (load_config({"numerics": {"compile": value}}).computing for value in (False, True))
    assert plain.as_json() == plain.as_json(trains=True) == asked.as_json()
    assert json.loads(asked.as_json(trains=True)) == {**json.loads(plain.as_json()), "compile": True}


def test_a_state_is_not_resumed_with_other_numerics(stacks, tmp_path):
    kill(stacks, tmp_path, {"fpl": ("fpl", TINY)})
    use_numerics(Computing(tf32=True))
    with pytest.raises(InputError, match="was made with another config"):
        train_fpl(stacks, tmp_path / "fpl.safetensors")
    use_numerics(Computing())
    train_fpl(stacks, tmp_path / "fpl.safetensors")


def test_a_network_that_is_compiled_has_the_operations_of_one_that_is_not(compiled):
    small = {"width": 2, "steps": 4, "batch": 2}
    values = {"methods": ["noisy", "fpl"], "sampling": {"size": 32}, "training": {"restoration": small, "fpl": small}}
    cell = {"dataset": "lidc", "noise": "gaussian"}
    jobs = [Job("train_fpl", cell, log=["fpl.log"]), Job("train_restoration", {"dataset": "lidc"}, log=["restoration.log"])]
    plain, asked = (make_plan(load_config({**values, "numerics": {"compile": value}}), jobs) for value in (False, True))
    assert asked.operations == plain.operations and asked.trainings == plain.trainings


def test_strict_is_not_compiled():
    with pytest.raises(InputError, match=r"numerics\.compile is true"):
        load_config({"reproducible": "strict", "numerics": {"compile": True}})
    with pytest.raises(InputError, match="compile cannot be true"):
        parse_options(Computing, {"strict": True, "compile": True}, "numerics")
