import csv

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.explaining.alignment import RESIDUAL, _denoised, alignment, alignments, default_explanations
from fplbench.explaining.alignment_table import COLUMNS, NO_GRADIENT, alignment_rows
from fplbench.explaining.named import named_explanations
from fplbench.networks import UNet, weights
from fplbench.stacks import write_stack

QUADRATIC_FALL = [1, 0.5625, 0.25, 0.0625, 0]


def image(*pixels):
    """One image (1, 1, 1, W)."""
    return torch.tensor(pixels, dtype=torch.float64).reshape(1, 1, 1, -1)


def test_the_residual_loss_points_to_the_clean_image_and_falls_quadratically():
    found = alignment(lambda images, _: images, image(0.2, 0.9, 0.4), image(0.5, 0.5, 0.5), normalise=False)
    np.testing.assert_allclose(found.cosines, [1])
    np.testing.assert_allclose(found.ratio, 1)
    np.testing.assert_allclose(found.losses, [QUADRATIC_FALL])


def test_of_linear_features_the_values_are_those_found_by_hand():
    # F(x) = (x1, 2 x2). At x = (0, 0) with clean (1, 1): gradient (-2, -8), error (1, 1), gradient of L_res (-2, -2).
    scales = image(1, 2)
    found = alignment(lambda images, _: scales * images, image(0, 0), image(1, 1), normalise=False)
    np.testing.assert_allclose(found.cosines, [10 / np.sqrt(68 * 2)])
    np.testing.assert_allclose(found.ratio, np.sqrt(68 / 8))
    np.testing.assert_allclose(found.losses, [QUADRATIC_FALL])
    # F(clean) = (1, 2) has the variance 1/4.
    normalised = alignment(lambda images, _: scales * images, image(0, 0), image(1, 1))
    np.testing.assert_allclose(normalised.ratio, 4 * np.sqrt(68 / 8))
    np.testing.assert_allclose(normalised.cosines, found.cosines)
    np.testing.assert_allclose(normalised.losses, found.losses)


def test_the_ratio_is_over_all_images_and_the_rest_of_each():
    # F(x) = x^2, L = (x^2 - 1)^2, gradient 4 x (x^2 - 1). At 2: 24, of L_res: 2. At -1/2: 3/2, of L_res: -3, uphill at first.
    denoised, clean = torch.cat([image(2), image(-0.5)]), torch.cat([image(1), image(1)])
    found = alignment(lambda images, _: images.square(), denoised, clean, normalise=False)
    np.testing.assert_allclose(found.cosines, [1, -1])
    np.testing.assert_allclose(found.ratio, np.sqrt((24**2 + 1.5**2) / (2**2 + 3**2)))
    points = np.array([[2, 1.75, 1.5, 1.25, 1], [-0.5, -0.125, 0.25, 0.625, 1]])
    np.testing.assert_allclose(found.losses, (points**2 - 1) ** 2 / np.array([[9], [0.5625]]))


def test_features_without_a_gradient_have_no_cosine_but_a_fall():
    found = alignment(lambda images, _: images.round(), image(0.2, 0.9), image(1, 0.9), normalise=False, differentiable=False)
    assert not found.has_gradient and np.isnan(found.cosines).all() and np.isnan(found.ratio)
    np.testing.assert_allclose(found.losses, [[1, 1, 0, 0, 0]])  # 0.2, 0.4, 0.6, ... are rounded


@pytest.mark.parametrize("find", [lambda images, _: 0 * images, lambda images, _: torch.ones(len(images), 1, 1, 1)])
def test_constant_features_have_neither(find):
    found = alignment(find, image(0.1, 0.9), image(0.9, 0.9))
    assert not found.has_gradient and np.isnan(found.ratio) and np.isnan(found.losses).all()


def test_images_without_an_error_are_left_out_of_the_means():
    denoised, clean = torch.cat([image(0, 1), image(1, 1)]), torch.cat([image(1, 1), image(1, 1)])
    found = alignment(lambda images, _: images, denoised, clean, normalise=False)
    np.testing.assert_allclose(found.cosines, [1, np.nan])
    (row,) = alignment_rows({RESIDUAL: found}, {})
    assert (row["cosine"], row["cosine_sd"], row["loss_50"], row["note"]) == (pytest.approx(1), "", 0.25, "")


def test_the_default_explanations_are_of_the_networks_that_are_given():
    named_explanations(default_explanations(dict.fromkeys(("restoration", "lesion", "random"))))
    assert list(default_explanations({})) == ["sobel"]
    assert {options["network"] for name, options in default_explanations({"lesion": 0}).items() if name != "sobel"} == {"lesion"}


def test_the_denoised_images_are_what_the_network_returns_or_the_noisy_ones_minus_it():
    noisy = torch.full((2, 1, 16, 16), 0.75)
    assert (_denoised(nn.Identity(), "image", noisy) == noisy).all()
    assert (_denoised(nn.Identity(), "noise", noisy) == 0).all()


@pytest.fixture
def files(tmp_path):
    """A clean stack and a noisy one, a denoiser that changes nothing, and a restoration network."""
    draw = np.random.default_rng(0)
    clean = draw.integers(50, 200, (3, 24, 32)).astype(np.uint8)
    write_stack(tmp_path / "clean.npy", clean)
    write_stack(tmp_path / "noisy.npy", (clean + draw.integers(-20, 21, clean.shape)).astype(np.uint8))
    torch.manual_seed(0)
    restoration = UNet(width=2)
    nn.init.constant_(restoration.last.weight, 1.0)  # only a positive gradient passes the last ReLU
    weights.save(restoration, tmp_path / "restoration.safetensors", {"output": "image"})
    denoiser = UNet(width=2)
    nn.init.zeros_(denoiser.last.weight)
    nn.init.zeros_(denoiser.last.bias)
    weights.save(denoiser, tmp_path / "denoiser.safetensors", {"output": "noise"})
    weights.save(denoiser, tmp_path / "lesion.safetensors", {"output": "lesion"})
    return tmp_path


def run(files, *arguments, denoiser="denoiser"):
    stacks = (files / f"{denoiser}.safetensors", files / "clean.npy", files / "noisy.npy")
    return CliRunner().invoke(app, ["align", *map(str, stacks), *map(str, arguments)])


def test_the_command_prints_and_writes_a_table_with_the_residual_loss_first(files):
    network = f"restoration={files / 'restoration.safetensors'}"
    explanations = '{"published": {"activation": "relu"}, "edges": {"feature": "sobel"}, "lesions": {"feature": "mask"}}'
    result = run(files, "--network", network, "--explanations", explanations, "--out", files / "table.csv", "--images", 2)
    assert result.exit_code == 0, result.exception
    with open(files / "table.csv", newline="") as stream:
        rows = {row["explanation"]: row for row in csv.DictReader(stream)}
    assert list(rows) == [RESIDUAL, "published", "edges", "lesions"]
    assert all(list(row) == list(COLUMNS) for row in rows.values())
    fall = [f"loss_{place}" for place in (0, 25, 50, 75, 100)]
    for name in (RESIDUAL, "edges"):  # both are linear in the image
        np.testing.assert_allclose([float(rows[name][place]) for place in fall], QUADRATIC_FALL, atol=1e-5)
    assert float(rows[RESIDUAL]["cosine"]) == pytest.approx(1) and float(rows[RESIDUAL]["gradient_ratio"]) == pytest.approx(1)
    assert 0.5 < float(rows["edges"]["cosine"]) < 1
    for name in ("published", "lesions"):
        assert (rows[name]["cosine"], rows[name]["gradient_ratio"], rows[name]["note"]) == ("", "", NO_GRADIENT)
    assert rows["published"]["loss_0"] == "1.0" and rows["lesions"]["loss_0"] == ""
    for text in ("| residual ", "cosine: between minus the gradient", NO_GRADIENT):
        assert text in result.output


@pytest.mark.slow
def test_the_figure_is_drawn_with_the_default_explanations(files):
    network = f"restoration={files / 'restoration.safetensors'}"
    assert run(files, "--network", network, "--figure", files / "figure.png", "--images", 1).exit_code == 0
    assert (files / "figure.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--explanations", '{"mine": {"network": "lesion"}}'],
            "The explanation 'mine' is of the lesion network, whose weight file is missing: add --network lesion=PATH.",
        ),
        (["--network", "tumour=a.safetensors"], "There is no explained network 'tumour'"),
        (["--network", "a.safetensors"], "--network a.safetensors does not name a file; write it as --network restoration="),
        (["--network", "lesion=a", "--network", "lesion=b"], "--network gives 'lesion' twice"),
        (["--explanations", '{"residual": {}}'], "'residual' cannot be the name of an explanation"),
        (["--explanations", '{"mine": 3}'], "The explanation 'mine' is 3; its options must be an object"),
        (["--explanations", '{"mine": {"betta": 3}}'], "explanations.mine"),
        (["--explanations", "[]"], "--explanations is []: a JSON object such as {} is needed"),
        (["--figure", "figure.doc"], "figure.doc is not a picture"),
    ],
)
def test_wrong_input_is_explained(files, arguments, message):
    error = run(files, *arguments).exception
    assert isinstance(error, InputError) and message in str(error)


def test_a_network_that_does_not_denoise_is_refused(files):
    error = run(files, denoiser="lesion").exception
    assert isinstance(error, InputError) and "its header says the network returns 'lesion'" in str(error)
    weights.save(UNet(width=2), files / "unknown.safetensors")
    with pytest.raises(InputError, match="its header says nothing about what the network returns"):
        alignments(files / "unknown.safetensors", files / "clean.npy", files / "noisy.npy", {}, {})
