"""`numerics: {compile: true}`: the network that is trained is compiled, and nothing else changes but rounding."""

import json
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.numerics import Computing, NumericsOptions, use_numerics
from fplbench.registry import parse_options
from fplbench.training import train
from tests.helpers.training import TINY, given, train_fpl


@pytest.fixture
def compiled():
    """Lets networks be compiled that are trained."""
    use_numerics(NumericsOptions(compile=True))
    yield
    use_numerics(NumericsOptions())
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_training_ends_with_the_same_weights_up_to_rounding(stacks, tmp_path, compiled):
    """With L_FP, validation and a log with the norms of the gradients, on the CPU."""
    options = {**TINY, "steps": 4, "draws": 1, "features": True, "feature_interval": 2, "validate_every": 2}
    counted = torch._dynamo.utils.counters["stats"]
    before = counted["unique_graphs"]
    train("red_cnn", given(stacks, "red_cnn"), tmp_path / "compiled.safetensors", options, seed=1, device="cpu")
    assert counted["unique_graphs"] == before + 1  # not of validation, nor of the explained network
    use_numerics(NumericsOptions())
    train("red_cnn", given(stacks, "red_cnn"), tmp_path / "plain.safetensors", options, seed=1, device="cpu")
    own, plain = (load_file(tmp_path / f"{name}.safetensors") for name in ("compiled", "plain"))
    assert own.keys() == plain.keys()
    for name, tensor in own.items():
        torch.testing.assert_close(tensor, plain[name], rtol=1e-3, atol=1e-4)
    headers = [safe_open(tmp_path / f"{name}.safetensors", "pt").metadata() for name in ("compiled", "plain")]
    assert headers[0].keys() == headers[1].keys()


def test_without_a_compiler_it_is_a_sentence(stacks, tmp_path, compiled, monkeypatch):
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", (None, "no-such-compiler"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"torch\.compile fails here .*no-such-compiler.* leave out numerics\.compile"):
        train_fpl(stacks, tmp_path / "fpl.safetensors")


def test_jobs_from_before_there_was_the_option_stay_up_to_date():
    assert "compile" not in json.loads(load_config({}).computing.as_json())
    assert json.loads(load_config({"numerics": {"compile": True}}).computing.as_json())["compile"] is True


def test_strict_is_not_compiled():
    with pytest.raises(InputError, match=r"numerics\.compile is true"):
        load_config({"reproducible": "strict", "numerics": {"compile": True}})
    with pytest.raises(InputError, match="compile cannot be true"):
        parse_options(Computing, {"strict": True, "compile": True}, "numerics")
