"""The loss as published, whose gradient is zero, trains to the weights that training without it gives: where kernels are
deterministic, to the same bits."""

import pytest
import torch
from safetensors.torch import load_file

from fplbench.explaining.maps import write_features
from fplbench.numerics import NumericsOptions, use_numerics
from fplbench.training import train
from fplbench.training.fpl import FplOptions
from tests.helpers.training import TINY, given


@pytest.fixture
def numerics():
    """Sets torch's switches, which are put back afterwards."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    yield lambda **options: use_numerics(NumericsOptions(**options))
    torch.use_deterministic_algorithms(False)
    cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = before


def trained_variants(stacks, folder, device: str) -> list[dict[str, torch.Tensor]]:
    """Weights of the control and of L_FP as published, with draws and flips."""
    fpl = FplOptions(**TINY, draws=2, feature_interval=2)
    published = fpl.model_copy(update={"normalise": False, "allow_zero_gradient": True})
    inputs = {**given(stacks, "fpl"), "features": folder / "features.npy"}
    write_features(inputs["explained"], inputs["clean"], inputs["features"], device=device, readout="sum", activation="relu")
    weights = []
    for name, options in {"control": fpl.without_features(), "published": published}.items():
        train("fpl", inputs, folder / f"{name}.safetensors", options.model_dump(), seed=1, device=device)
        weights.append(load_file(folder / f"{name}.safetensors"))
    return weights


def assert_same_bits(control, published):
    assert all(torch.equal(control[name], published[name]) for name in control)


def test_as_published_equals_training_without_l_fp_on_the_cpu_where_kernels_are_deterministic(stacks, tmp_path):
    assert_same_bits(*trained_variants(stacks, tmp_path, "cpu"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_as_published_equals_training_without_l_fp_on_a_gpu_with_deterministic_kernels(stacks, tmp_path, numerics):
    numerics(deterministic=True)
    assert_same_bits(*trained_variants(stacks, tmp_path, "cuda"))


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("tf32", [True, False])
@pytest.mark.parametrize("cudnn_benchmark", [True, False])
def test_the_switches_are_set_and_determinism_forbids_a_choice_of_kernels(numerics, deterministic, tf32, cudnn_benchmark):
    numerics(deterministic=deterministic, tf32=tf32, cudnn_benchmark=cudnn_benchmark)
    assert torch.are_deterministic_algorithms_enabled() == torch.backends.cudnn.deterministic == deterministic
    assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == tf32
    assert torch.backends.cudnn.benchmark == (cudnn_benchmark and not deterministic)
