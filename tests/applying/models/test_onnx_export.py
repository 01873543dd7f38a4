"""An exported denoiser returns what the network returns, at any size, and runs no slower."""

import numpy as np
import pytest

from fplbench import packages
from fplbench.applying.models.onnx_export import OPSET, OnnxDenoiser, export_onnx, sides_multiple
from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.networks import weights
from fplbench.peers import PEERS, build

EXTRA = packages.unusable("onnx", ("onnx", "onnxscript", "onnxruntime"), "onnx")
pytestmark = pytest.mark.skipif(EXTRA is not None, reason=str(EXTRA))
NETWORKS = {"unet": "noise", **{name: peer.output for name, peer in PEERS.items()}}
SIZES = [(64, 64), (96, 64), (71, 93), (16, 200), (5, 7)]


def write_weights(path, name: str, width: int = 4):
    """The weight file of a denoiser whose weights are random, so that it changes every pixel."""
    import torch

    if name in PEERS and PEERS[name].unusable():
        pytest.skip(PEERS[name].unusable())
    torch.manual_seed(3)
    if name == "unet":
        from fplbench.networks import UNet

        network = UNet(width)
    else:
        network = build(name, dict(PEERS[name].small))
    for tensor in network.parameters():
        if tensor.ndim > 1 and not tensor.any():  # last layers start as zero
            torch.nn.init.normal_(tensor, std=0.1)
    weights.save(network.eval(), path, {"output": NETWORKS[name]})
    return path


def images(size) -> np.ndarray:
    return np.random.default_rng(1).random(size, dtype=np.float32)


def of_torch(path, image: np.ndarray) -> np.ndarray:
    """The denoised image as the definition of the network says, at a size that it accepts."""
    import torch

    network, metadata = weights.load(path)
    multiple = sides_multiple(metadata["architecture"])
    pad = [(0, -side % multiple) for side in image.shape]
    noisy = torch.from_numpy(np.pad(image, pad, mode="reflect"))[None, None]
    with torch.inference_mode():
        returned = network(noisy)
    denoised = noisy - returned if metadata["output"] == "noise" else returned
    return denoised.clamp(0, 1).numpy()[0, 0, : image.shape[0], : image.shape[1]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A U-Net and its export."""
    folder = tmp_path_factory.mktemp("onnx")
    export_onnx(write_weights(folder / "unet.safetensors", "unet"), folder / "unet.onnx")
    return folder / "unet.safetensors", folder / "unet.onnx"


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_returns_the_same_as_in_torch_at_any_size(tmp_path, name):
    path = write_weights(tmp_path / "weights.safetensors", name)
    try:
        export_onnx(path, tmp_path / "model.onnx")
    except InputError as error:
        assert name in ("nafnet", "swinir") and "--no-onnx" in str(error)
        pytest.skip(str(error))
    denoise = OnnxDenoiser(tmp_path / "model.onnx")
    for size in SIZES:
        image, expected = images(size), of_torch(path, images(size))
        found = denoise(image)
        assert found.dtype == np.float32 and found.shape == size
        assert np.abs(expected - image).mean() > 1e-3  # it denoises
        assert np.abs(found - expected).max() < 1e-4
    assert file_hash(tmp_path / "model.onnx") == again(path, tmp_path / "again.onnx")


def again(path, out) -> str:
    export_onnx(path, out)
    return file_hash(out)


@pytest.mark.slow
def test_the_network_of_the_paper_returns_the_same_as_in_torch(tmp_path):
    path = write_weights(tmp_path / "weights.safetensors", "unet", width=64)
    export_onnx(path, tmp_path / "model.onnx")
    image = images((128, 96))
    assert np.abs(OnnxDenoiser(tmp_path / "model.onnx")(image) - of_torch(path, image)).max() < 1e-4


@pytest.mark.slow
def test_the_model_states_its_opset_and_its_sizes_and_passes_the_checker(exported):
    import onnx

    model = onnx.load(exported[1])
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {entry.key: entry.value for entry in model.metadata_props} == {"multiple": "16"}
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["image", "denoised"]


@pytest.mark.slow
def test_the_model_names_no_place_on_this_machine(exported):
    content = exported[1].read_bytes()
    assert b"stack_trace" not in content and b".py" not in content


def test_another_file_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match="is not an ONNX model"):
        OnnxDenoiser(tmp_path / "model.onnx")


def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    packages._problem.cache_clear()
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"onnxruntime, which is not installed: pip install .*\[onnx\]"):
        OnnxDenoiser(tmp_path / "model.onnx")
    packages._problem.cache_clear()
