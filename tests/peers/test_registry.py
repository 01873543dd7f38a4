"""What peers declare, and how their networks are built, saved and loaded."""

import re
import subprocess
import sys

import pytest
import torch

from fplbench import packages
from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.options import Options
from fplbench.peers import PEERS, build, peer
from tests.helpers.networks import small_peer


def usable(name):
    """Skip the test where the packages of a peer cannot be used, with the reason."""
    if reason := PEERS[name].unusable():
        pytest.skip(reason)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_gives_images_of_the_shape_that_it_got(name):
    usable(name)
    side = 3 * max(8, PEERS[name].multiple)
    with torch.inference_mode():
        assert small_peer(name).eval()(torch.rand(2, 1, 16, side)).shape == (2, 1, 16, side)


@pytest.mark.parametrize("name", PEERS)
def test_a_saved_peer_is_built_again_from_its_file(name, tmp_path):
    usable(name)
    network = small_peer(name).eval()
    weights.save(network, tmp_path / "peer.safetensors", {"output": PEERS[name].output})
    loaded, metadata = weights.load(tmp_path / "peer.safetensors")
    assert metadata["architecture"] == name
    assert loaded.config == network.config == PEERS[name].options(**PEERS[name].small).model_dump(mode="json")
    images = torch.rand(1, 1, 16, 32)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images), network(images), rtol=0, atol=0)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_declares_options_that_exist(name):
    declared = PEERS[name]
    assert declared.options(**declared.small)
    assert re.search(r"\(.* et al\. 20\d\d\)", declared.summary)
    assert bool(declared.requires) == bool(declared.extra)


@pytest.mark.slow
def test_looking_up_a_peer_loads_no_heavy_library():
    script = "import sys; from fplbench.peers import PEERS; list(PEERS); print(*{'torch', 'monai'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip() == ""


def test_an_option_that_a_peer_does_not_have_is_named():
    with pytest.raises(InputError, match=r"red_cnn\.widht is not a known key: did you mean 'width'"):
        build("red_cnn", {"widht": 8})
    with pytest.raises(InputError, match="'redcnn' is not a network: did you mean 'red_cnn'"):
        build("redcnn", {})


def test_a_peer_needs_a_width_and_documentation():
    class Empty(Options):
        pass

    class Wide(Options):
        width: int = 1
        """Channels."""

    with pytest.raises(ValueError, match="need a width"):
        peer("nothing", label="", cites="", options=Empty, output="image")
    with pytest.raises(ValueError, match="needs a docstring"):
        peer("nothing", label="", cites="", options=Wide, output="image")(lambda options: None)


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it():
    assert packages.unusable("restormer", ("json", "no_such_package"), "networks") == (
        "'restormer' needs the package no_such_package, which is not installed: pip install -e '.[networks]'."
    )
    assert packages.unusable("restormer", ("json",), "networks") is None


@pytest.mark.slow
def test_a_package_that_is_there_but_does_not_import_is_not_usable(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(packages, "BUILT_FOR_TORCH", ("broken_package",))
    reason = packages.unusable("nafnet", ("broken_package",), "networks")
    assert "cannot be imported (RuntimeError: operator torchvision::nms does not exist)" in reason


def test_a_network_that_cannot_be_built_says_which_package_it_needs(monkeypatch):
    monkeypatch.setattr(type(PEERS["red_cnn"]), "unusable", lambda self: f"{self.name} needs a package.")
    monkeypatch.setattr("fplbench.networks.red_cnn.RedCnn.__init__", lambda *args: __import__("no_such_package"))
    with pytest.raises(InputError, match=r"red_cnn needs a package\."):
        build("red_cnn", {})
