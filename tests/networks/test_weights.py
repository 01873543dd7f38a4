import doctest
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from fplbench.errors import InputError
from fplbench.networks import DRUNet, UNet, weights


@pytest.mark.parametrize("network", [UNet(width=4), DRUNet(width=4, blocks=2)], ids=["unet", "drunet"])
def test_a_saved_network_is_loaded_with_its_tensors_and_metadata(network, tmp_path):
    weights.save(network, tmp_path / "new" / "network.safetensors", {"noise": "gaussian", "options": {"steps": 5}})
    loaded, metadata = weights.load(tmp_path / "new" / "network.safetensors")
    assert type(loaded) is type(network)
    assert loaded.config == network.config
    assert not loaded.training
    assert metadata["noise"] == "gaussian"
    assert metadata["options"] == {"steps": 5}
    expected = network.state_dict()
    assert {name: tensor.equal(expected[name]) for name, tensor in loaded.state_dict().items()} == dict.fromkeys(expected, True)


def test_equal_networks_give_equal_files(tmp_path):
    network = UNet(width=2)
    for name in "ab":
        weights.save(network, tmp_path / name, {f"key{number}": number for number in range(8)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_memory_layout_of_training_does_not_matter(tmp_path):
    network = DRUNet(width=4, blocks=1).to(memory_format=torch.channels_last)
    weights.save(network, tmp_path / "network.safetensors")
    loaded, _ = weights.load(tmp_path / "network.safetensors")
    torch.testing.assert_close(loaded.m_head.weight, network.m_head.weight, rtol=0, atol=0)


def test_the_header_is_read_without_the_tensors(tmp_path):
    weights.save(DRUNet(width=4, blocks=1), tmp_path / "network.safetensors", {"seed": 3})
    metadata = weights.read_metadata(tmp_path / "network.safetensors")
    assert (metadata["architecture"], metadata["config"], metadata["seed"]) == ("drunet", {"width": 4, "blocks": 1}, 3)


def test_the_published_file_loads_into_the_published_network(tmp_path):
    published = {name: torch.full_like(tensor, 0.25) for name, tensor in DRUNet().state_dict().items()}
    torch.save(published, tmp_path / "drunet_gray.pth")
    network, metadata = weights.load(tmp_path / "drunet_gray.pth")
    assert metadata["architecture"] == "drunet"
    assert all((parameter == 0.25).all() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda tensors: tensors.pop("m_tail.weight"), "m_tail.weight is missing"),
        (lambda tensors: tensors.update(extra=torch.zeros(1)), "extra is not one of its tensors"),
        (lambda tensors: tensors.update({"m_head.weight": torch.zeros(64, 4, 3, 3)}), r"\(64, 4, 3, 3\), not \(64, 2"),
    ],
)
def test_a_published_file_with_other_tensors_is_refused(tmp_path, change, sentence):
    tensors = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in DRUNet().state_dict().items()}
    change(tensors)
    torch.save(tensors, tmp_path / "colour.pth")
    with pytest.raises(InputError, match=f"does not hold DRUNet: .*{sentence}"):
        weights.load(tmp_path / "colour.pth")


def test_a_pickled_object_is_never_executed(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    torch.save({"m_head.weight": Malicious()}, tmp_path / "bad.pth")
    with pytest.raises(InputError, match="cannot be read as a dictionary of tensors"):
        weights.load(tmp_path / "bad.pth")


def test_the_example_in_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights.save(UNet(width=2), "fpl.safetensors")
    (example,) = doctest.DocTestFinder(recurse=False).find(weights.load, "load")
    assert doctest.DocTestRunner().run(example) == (0, len(example.examples))


def test_files_without_weights_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        weights.load(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match="fetch drunet"):
        weights.load(tmp_path / "none.pth")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(InputError, match="is not a readable safetensors file"):
        weights.load(tmp_path / "text.safetensors")
    save_file({"x": np.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="does not say which network"):
        weights.load(tmp_path / "foreign.safetensors")
    for header in ("{", "[]", '{"architecture": "unet"}'):
        save_file({"x": np.zeros(2)}, tmp_path / "damaged.safetensors", {weights.HEADER_KEY: header})
        with pytest.raises(InputError, match=r"The header of .*damaged\.safetensors is damaged"):
            weights.load(tmp_path / "damaged.safetensors")
    header = json.dumps({"architecture": "urnet", "config": {}})
    save_file({"x": np.zeros(2)}, tmp_path / "unknown.safetensors", {weights.HEADER_KEY: header})
    with pytest.raises(InputError, match="did you mean 'unet'"):
        weights.load(tmp_path / "unknown.safetensors")


def test_a_network_that_does_not_fit_into_memory_is_refused(tmp_path):
    header = json.dumps({"architecture": "unet", "config": {"width": 10**6}})
    save_file({"x": np.zeros(2)}, tmp_path / "huge.safetensors", {weights.HEADER_KEY: header})
    with pytest.raises(InputError, match="describes a network unet that cannot be built here") as caught:
        weights.load(tmp_path / "huge.safetensors")
    assert "\n" not in str(caught.value)


def test_a_failed_save_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match=r"not a network of fplbench\.networks"):
        weights.save(torch.nn.Linear(2, 2), tmp_path / "network.safetensors")
    with pytest.raises(TypeError):
        weights.save(UNet(width=2), tmp_path / "network.safetensors", {"path": object()})
    with pytest.raises(ValueError, match="version"):
        weights.save(UNet(width=2), tmp_path / "network.safetensors", {"version": "1"})
    assert list(tmp_path.iterdir()) == []
