"""`reproducible: strict`: the same bits whatever the processor's cores and instruction sets, and no precision given away."""

import inspect
import json
import os
import re
import subprocess
import sys

import pytest
import torch

from benchmarks.tf32 import Tf32, rounded
from fplbench.cli import app
from fplbench.cli.applying import apply
from fplbench.config import load_config
from fplbench.device import mixed_precision
from fplbench.errors import InputError
from fplbench.numerics import SAME_ALGORITHMS, Computing, torch_threads, use_numerics
from fplbench.registry import parse_options
from tests.helpers.training import TINY, write_stacks
from tests.helpers.workflow import ROOT

BEFORE = '{"deterministic": false, "tf32": false, "cudnn_benchmark": true}'
# Variables that a user may have set, and libraries that are kept from the instructions of newer processors.
OTHER = {
    "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "SSE4_2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA",
}  # fmt: skip


@pytest.fixture
def strict(monkeypatch):
    """Sets strict computing for this process, and takes back what can be taken back."""
    for name in SAME_ALGORITHMS:
        monkeypatch.delenv(name, raising=False)
    threads = torch.get_num_threads()
    use_numerics(Computing(strict=True))
    yield
    use_numerics(Computing())
    torch.set_num_threads(threads)
    for name in SAME_ALGORITHMS:
        os.environ.pop(name, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1 + 2**-10, 1 + 2**-10), (1 + 2**-11, 1), (1 + 3 * 2**-11, 1 + 2**-9), (-1 - 2**-11 - 2**-20, -1 - 2**-10), (0, 0)],
)
def test_the_emulation_of_tf32_rounds_factors_to_ten_bits_and_halves_to_even(value, expected):
    factor, one = torch.tensor([[float(value)]]), torch.ones(1, 1)
    assert rounded(factor).item() == expected
    with Tf32():
        assert (factor @ one).item() == expected and (factor + 0).item() == value


def test_by_default_jobs_get_what_they_got_before_there_was_the_key():
    assert load_config({}).computing.as_json() == BEFORE


def test_a_resolved_strict_config_computes_strictly():
    config = load_config({"reproducible": "strict"})
    assert (
        load_config(config.resolved()).computing
        == config.computing
        == Computing(deterministic=True, cudnn_benchmark=False, strict=True)
    )


def test_tf32_contradicts_strict_in_a_config_and_on_the_command_line():
    with pytest.raises(InputError, match=r"reproducible is strict, which computes in float32, but numerics\.tf32 is true"):
        load_config({"reproducible": "strict", "numerics": {"tf32": True}})
    with pytest.raises(InputError, match="tf32 cannot be true"):
        parse_options(Computing, {"strict": True, "tf32": True}, "numerics")


def test_strict_is_one_thread_in_float32_with_deterministic_kernels_on_a_gpu_too(strict):
    cudnn = torch.backends.cudnn
    assert torch_threads(8) == 1
    assert torch.are_deterministic_algorithms_enabled() and cudnn.deterministic and not cudnn.benchmark and not cudnn.allow_tf32
    with mixed_precision(torch.device("cuda")):
        assert not torch.is_autocast_enabled("cuda")


def test_not_strict_uses_all_threads():
    assert torch_threads(8) == 8


def test_a_command_with_a_device_takes_numerics_or_a_config():
    for command in app.registered_commands:
        parameters = inspect.signature(command.callback).parameters
        names = parameters.keys() & {"numerics", "config", "configfile"}
        assert "device" not in parameters or names or command.callback is apply, command.callback.__name__


def test_rules_with_a_device_compute_as_the_config_says():
    """Those of figures read the config."""
    commands = re.findall(r"shell:\n((?: +.*\n)+)", "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")))
    found = [command for command in commands if "--device" in command]
    assert len(found) > 8
    assert all("--numerics {params.numerics:q}" in command or "--config {input.config:q}" in command for command in found)


@pytest.mark.slow
def test_strict_trains_explains_and_denoises_to_the_same_bits_with_more_cores_and_other_instruction_sets(tmp_path):
    write_stacks(tmp_path)
    assert run(tmp_path, "other", 2, OTHER) == run(tmp_path, "plain", 1, {})


def run(stacks, name, threads, variables) -> list[bytes]:
    """Train, explain and denoise with the commands of the rules, strictly; the files that they write, without headers."""
    folder = stacks / name
    folder.mkdir()
    weights, maps = folder / "fpl.safetensors", folder / "features.npy"
    computing = ["--numerics", '{"strict": true}', "--threads", str(threads), "--device", "cpu"]
    options = {**TINY, "width": 8, "steps": 4, "draws": 1}
    methods = {"fpl": {"method": "fpl", "weights": str(weights)}}
    inputs = ["--clean", stacks / "clean.npy", "--noisy", stacks / "noisy.npy"]
    inputs += ["--features", maps, "--restoration", stacks / "restoration.safetensors"]
    for command in (
        ["features", stacks / "restoration.safetensors", stacks / "clean.npy", maps],
        ["train", "fpl", weights, "--options", json.dumps(options), *inputs],
        ["denoise-group", stacks / "noisy.npy", folder, "--methods", json.dumps(methods), "--cost", folder / "cost.csv"],
    ):
        program = [sys.executable, "-c", "from fplbench.cli import main; main()", *map(str, command), *computing]
        subprocess.run(program, check=True, env={**os.environ, **variables})
    size = int.from_bytes(weights.read_bytes()[:8], "little")  # of the header of a safetensors file
    return [maps.read_bytes(), weights.read_bytes()[8 + size :], (folder / "fpl.npy").read_bytes()]
