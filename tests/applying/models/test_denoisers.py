"""What can be named as a model, and what it does in floating-point numbers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from fplbench.applying.models.denoisers import open_denoiser
from fplbench.applying.options import ApplyOptions
from fplbench.errors import InputError
from fplbench.methods import METHODS
from fplbench.networks import DRUNet, UNet, inference, weights
from fplbench.networks.card import CARD_KEY
from fplbench.peers import PEERS
from tests.helpers.networks import write_networks

GREY = np.random.default_rng(0).random((40, 52), dtype=np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models")
    networks = {"noise": (UNet(width=4), {"output": "noise"}), "restoration": (UNet(width=4), {"output": "image"})}
    networks["drunet"] = (DRUNet(width=4, blocks=1), {})
    card = {"method": "fpl", "label": "FPL", "noise": "gaussian", "noise_title": "Gaussian", "window": [-1000, 400]}
    networks["card"] = (UNet(width=4), {"output": "noise", CARD_KEY: card})
    networks["damaged"] = (UNet(width=4), {"output": "noise", CARD_KEY: {"label": 3}})
    for name, (network, metadata) in networks.items():
        weights.save(network, folder / f"{name}.safetensors", metadata)
    return folder


@pytest.fixture(scope="module")
def peer_files(tmp_path_factory):
    return write_networks(tmp_path_factory.mktemp("peers"))


@pytest.mark.parametrize("name", sorted(PEERS))
def test_a_peer_gives_in_floating_point_what_it_gives_in_8_bit_but_for_rounding(name, peer_files):
    if reason := PEERS[name].unusable():
        pytest.skip(reason)
    path = peer_files[name]
    denoiser = open_denoiser(str(path), {}, device="cpu")
    eight = np.rint(GREY * 255).astype(np.uint8)
    method = METHODS[name]
    expected = method.function(eight[np.newaxis], method.options(weights=path, device="cpu"))[0]
    found = denoiser(eight / np.float32(255))
    assert found.dtype == np.float32 and not denoiser.eight_bit
    assert np.abs(found * 255 - expected).max() <= 0.5001  # rounding
    assert (found * 255 != np.rint(found * 255)).any()


def test_a_u_net_that_predicts_noise_is_subtracted_and_padding_by_reflection_is_cut_off(files):
    network, _ = weights.load(files / "noise.safetensors")
    padded = torch.from_numpy(np.pad(GREY, ((0, 8), (0, 12)), mode="reflect"))[None, None]
    with torch.inference_mode():
        expected = (padded - network(padded))[0, 0, :40, :52].clamp(0, 1).numpy()
    np.testing.assert_allclose(open_denoiser(str(files / "noise.safetensors"), {}, device="cpu")(GREY), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 3), (15, 17)])
def test_images_smaller_than_the_multiple_work(files, shape):
    denoised = open_denoiser(str(files / "noise.safetensors"), {}, device="cpu")(GREY[: shape[0], : shape[1]])
    assert denoised.shape == shape and np.isfinite(denoised).all()


def test_dpir_runs_in_floating_point_with_its_weights_and_a_level_in_grey_levels(files):
    by_estimate = open_denoiser("dpir", {"level": "estimate"}, weights=files / "drunet.safetensors", device="cpu")
    noisy = np.clip(0.5 + np.random.default_rng(0).normal(0, 20 / 255, (64, 64)), 0, 1).astype(np.float32)
    given = open_denoiser("dpir", {"level": 20}, weights=files / "drunet.safetensors", device="cpu")
    wrong = open_denoiser("dpir", {"level": 0.1}, weights=files / "drunet.safetensors", device="cpu")
    assert np.abs(by_estimate(noisy) - given(noisy)).mean() < np.abs(wrong(noisy) - given(noisy)).mean() / 5


def test_the_card_of_the_file_names_the_model(files):
    denoiser = open_denoiser(str(files / "card.safetensors"), {})
    assert denoiser.label == "FPL, Gaussian" and denoiser.card.window == (-1000, 400)
    assert open_denoiser(str(files / "noise.safetensors"), {}).card is None


def test_the_digest_depends_on_weights_and_options_alone(files):
    def digest(name="noise.safetensors", **settings):
        return open_denoiser(str(files / name), {}, **settings).digest

    assert digest() == digest(threads=2, device="cpu")
    assert len({digest(), digest("card.safetensors"), digest(overlap=64)}) == 3
    assert open_denoiser("nlm", {"strength": 3}).digest != open_denoiser("nlm", {"strength": 6}).digest


@pytest.mark.parametrize(
    ("model", "settings", "sentence"),
    [
        ("{}/restoration.safetensors", {}, "holds a restoration network, which gives back what it gets: name the weights"),
        ("{}/drunet.safetensors", {}, "holds DRUNet, which needs a noise level: name the method dpir"),
        ("{}/missing.safetensors", {}, "missing.safetensors does not exist"),
        ("{}/damaged.safetensors", {}, " the card of .*damaged.safetensors"),
        ("{}/missing.zip", {}, "missing.zip"),
        ("{}/model.onnx", {}, "is not a model: give a .safetensors file, a bundle"),
        ("media_filter", {}, "'media_filter' is neither a model file nor a method: did you mean 'median_filter'?"),
        ("dpir", {}, "The method 'dpir' is a trained network: give its weight file with --weights"),
        ("nlm", {"weights": "a.safetensors"}, "The method 'nlm' has no weights"),
        ("{}/noise.safetensors", {"weights": "a.safetensors"}, "has weights of its own: leave out --weights"),
        ("{}/noise.safetensors", {"runtime": "onnx"}, "only a bundle of `fplbench export-model` holds an ONNX model"),
        ("nlm", {"options": {"tile": 256}}, "tile cannot be given with --options: give --tile"),
        ("{}/noise.safetensors", {"options": {"tile": 256}}, "tile cannot be given with --options: give --tile"),
        ("dpir", {"options": {"weights": "a.pth"}}, "weights cannot be given with --options: give --weights"),
        ("{}/noise.safetensors", {"tile": 64}, "overlap is 192: it can be at most three quarters of tile, 64"),
    ],
)
def test_what_is_no_denoiser_is_refused_with_a_sentence(files, model, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        open_denoiser(model.format(files), **{"options": {}, **settings})


def test_an_unknown_architecture_is_refused(files, monkeypatch):
    monkeypatch.setattr(weights, "read_metadata", lambda path: {"architecture": "vgg", "config": {}})
    with pytest.raises(InputError, match="holds a network named 'vgg': the known names are"):
        open_denoiser(str(files / "noise.safetensors"), {})


def test_a_denoiser_knows_all_options_of_its_method(files):
    assert open_denoiser("nlm", {"strength": 3}).options == {"strength": 3, "patch_size": 7, "search_size": 21}
    assert open_denoiser(str(files / "noise.safetensors"), {}, overlap=64).options == {"tile": 512, "overlap": 64}
    level = open_denoiser("dpir", {"level": 20}, weights=files / "drunet.safetensors", device="cpu").options["level"]
    assert level == 20


def test_unknown_options_of_a_method_are_refused():
    with pytest.raises(InputError, match=r"nlm.strenght is not a known key: did you mean 'strength'"):
        open_denoiser("nlm", {"strenght": 3})


def test_the_command_has_the_defaults_of_the_functions():
    import inspect

    from fplbench.cli.applying import apply

    for name, parameter in inspect.signature(apply).parameters.items():
        if name in ApplyOptions.model_fields and name != "options":
            assert parameter.default == ApplyOptions.model_fields[name].default, name


def test_a_weight_file_is_read_once_whatever_reads_others_and_however_many_threads_there_are(files, monkeypatch):
    read, load = [], weights.load
    monkeypatch.setattr(weights, "load", lambda path, *rest: (read.append(str(path)), load(path, *rest))[1])
    inference._load_network.cache_clear()
    denoiser = open_denoiser(str(files / "noise.safetensors"), {}, device="cpu", threads=2, slices=2)
    inference.load_network(files / "restoration.safetensors", UNet, "cpu")  # as the maps of features do
    with ThreadPoolExecutor(2, initializer=denoiser.begin) as pool:
        first, second = pool.map(denoiser, [GREY, GREY])
    np.testing.assert_array_equal(first, second)
    assert read == [str(files / "noise.safetensors"), str(files / "restoration.safetensors")]


def test_a_weight_file_that_changes_later_changes_nothing(tmp_path, files):
    path = tmp_path / "a.safetensors"
    path.write_bytes((files / "noise.safetensors").read_bytes())
    denoiser = open_denoiser(str(path), {}, device="cpu")
    before = denoiser(GREY)
    weights.save(UNet(width=4), path, {"output": "noise"})
    np.testing.assert_array_equal(denoiser(GREY), before)


def test_the_caller_keeps_its_number_of_threads(files):
    """Only threads that are prepared for it use others."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        denoiser = open_denoiser(str(files / "noise.safetensors"), {}, device="cpu", threads=1)
        torch.set_num_threads(2)
        denoiser(GREY)
        assert torch.get_num_threads() == 2
        with ThreadPoolExecutor(1, initializer=denoiser.begin) as pool:
            assert pool.submit(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_networks_are_trained_with_or_without_a_card_and_other_methods_are_not(files):
    assert all(open_denoiser(str(files / f"{name}.safetensors"), {}, device="cpu").trained for name in ("noise", "card"))
    assert open_denoiser("fpl", {}, weights=files / "noise.safetensors", device="cpu").trained
    assert not open_denoiser("nlm", {}).trained


def test_a_weight_file_in_the_folder_of_a_run_finds_the_restoration_network_of_its_data_set(tmp_path):
    card = {"method": "fpl", "label": "FPL", "dataset": "chest"}
    for name in ("chest", "abdomen"):
        folder = tmp_path / "models" / name
        weights.save(UNet(width=4), folder / "gaussian/fpl.safetensors", {"output": "noise", CARD_KEY: card})
        weights.save(UNet(width=4), folder / "restoration.safetensors", {"output": "image"})
    found = [open_denoiser(str(tmp_path / f"models/{name}/gaussian/fpl.safetensors"), {}) for name in ("chest", "abdomen")]
    assert found[0].restoration == tmp_path.resolve() / "models/chest/restoration.safetensors"
    assert found[1].restoration is None  # the card names another data set
