import csv

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.explaining.sensitivity import COLUMNS, IMAGE, Comparison, change_rows, changes_of, correlations_of
from fplbench.networks import UNet, weights
from fplbench.stacks import write_stack


def maps(*rows):
    """Maps (N, 1, W)."""
    return np.array(rows, float)[:, None]


def test_changes_are_relative_to_the_clean_maps():
    # (3, 4) has the squared norm 25; its change (0, 5) as well, and (1, -2) has 5.
    np.testing.assert_allclose(changes_of(maps([3, 9], [4, 2], [3, 4]), maps([3, 4], [3, 4], [3, 4])), [1, 0.2, 0])
    assert np.isnan(changes_of(maps([1, 1]), maps([0, 0]))).all()


def test_correlations_do_not_depend_on_scale_and_offset():
    clean = maps([1, 2, 3], [1, 2, 3], [1, 2, 3], [0.1, 0.1, 0.1])
    found = correlations_of(maps([12, 14, 16], [3, 2, 1], [1, 0, 1], [1, 2, 3]), clean)
    np.testing.assert_allclose(found, [1, -1, 0, np.nan], atol=1e-12)


@pytest.fixture
def files(tmp_path):
    """Even images, and others that are brighter by 40 or by a factor of 2, and a restoration network."""
    clean = 2 * np.random.default_rng(0).integers(10, 60, (5, 16, 24)).astype(np.uint8)
    for name, images in {"clean": clean, "brighter": clean + 40, "double": 2 * clean, "half": clean // 2}.items():
        write_stack(tmp_path / f"{name}.npy", images)
    torch.manual_seed(0)
    weights.save(UNet(width=2), tmp_path / "restoration.safetensors", {"output": "image"})
    return tmp_path


def test_features_that_do_not_change_have_the_change_0_and_scaled_ones_that_of_the_image(files):
    noisy = {"offset": files / "brighter.npy", "factor": files / "double.npy"}
    comparison = Comparison(files / "clean.npy", noisy, {"factor": files / "half.npy"}, {}, {}, images=3)
    found = comparison.changes()
    assert list(found)[:3] == [("offset", "noisy", IMAGE), ("factor", "noisy", IMAGE), ("factor", "denoised", IMAGE)]
    offset = found["offset", "noisy", "sobel"]
    np.testing.assert_allclose(offset.changes, 0, atol=1e-10)
    np.testing.assert_allclose(offset.sensitivities, 0, atol=1e-8)
    np.testing.assert_allclose(offset.correlations, 1)
    for state, change in (("noisy", 1), ("denoised", 0.25)):  # (2 - 1)^2 and (1/2 - 1)^2
        for name in (IMAGE, "sobel"):
            each = found["factor", state, name]
            np.testing.assert_allclose(each.changes, [change] * 3, rtol=1e-5)
            np.testing.assert_allclose(each.sensitivities, 1, rtol=1e-5)
    rows = change_rows(found)
    assert [(row["noise"], row["state"], row["explanation"]) for row in rows[:3]] == [
        ("offset", "noisy", IMAGE), ("offset", "noisy", "sobel"), ("factor", "noisy", IMAGE)
    ]  # fmt: skip
    assert list(rows[0]) == list(COLUMNS)


def test_an_image_that_is_not_changed_has_no_sensitivity(files):
    found = Comparison(files / "clean.npy", {"none": files / "clean.npy"}, {}, {}, {}).changes()
    row = next(row for row in change_rows(found) if row["explanation"] == "sobel")
    assert (row["images"], row["change"], row["sensitivity"]) == (5, 0, "")


def test_the_middle_image_is_shown_with_magnitudes_of_maps_of_several_channels(files):
    explanations = {"features": ExplanationOptions(feature="encoder", level=1)}
    networks = {"restoration": files / "restoration.safetensors"}
    paths = {"offset": files / "brighter.npy"}
    shown = Comparison(files / "clean.npy", paths, {"offset": files / "double.npy"}, explanations, networks).shown()
    assert shown.noise == "offset" and list(shown.maps) == [IMAGE, "features", "sobel"]
    for image, name in zip(shown.maps[IMAGE], ("clean", "brighter", "double"), strict=True):
        np.testing.assert_allclose(image, np.load(files / f"{name}.npy")[2] / 255)
    assert [each.shape for each in shown.maps["features"]] == [(8, 12)] * 3
    np.testing.assert_allclose(shown.maps["sobel"][2], 2 * shown.maps["sobel"][0], rtol=1e-4)


def run(files, *arguments):
    return CliRunner().invoke(app, ["compare-explanations", str(files / "clean.npy"), *map(str, arguments)])


@pytest.mark.slow
def test_the_command_writes_a_table_and_a_figure(files):
    noisy, denoised = (f"gaussian={files / name}.npy" for name in ("brighter", "half"))
    network = f"restoration={files / 'restoration.safetensors'}"
    outputs = ("--out", files / "table.csv", "--figure", files / "figure.png")
    result = run(files, "--noisy", noisy, "--denoised", denoised, "--network", network, "--images", 1, *outputs)
    assert result.exit_code == 0, result.exception
    assert (files / "figure.png").stat().st_size > 1000
    with open(files / "table.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = ["image", "guided", "gradient", "grad_cam", "smoothgrad", "integrated_gradients", "sobel"]
    assert [row["explanation"] for row in rows] == 2 * names
    assert "sensitivity: the change of F over that of the image" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There are no noisy images to compare with the clean ones: add --noisy NAME=PATH."),
        (["--noisy", "a=brighter.npy"], "whose weight file is missing: add --network restoration=PATH."),
        (["--noisy", "brighter.npy"], "--noisy brighter.npy does not name a file; write it as --noisy gaussian="),
        (["--denoised", "a=half.npy", "--explanations", "{}"], "no noisy ones: add --noisy a=PATH."),
        (["--noisy", "a=half.npy", "--explanations", '{"x": {"feature": "mask"}}'], "'x' is an annotation, which noise does not"),
        (["--noisy", "a=half.npy", "--explanations", '{"image": {}}'], "'image' cannot be the name of an explanation"),
    ],
)
def test_wrong_input_is_explained(files, arguments, message, monkeypatch):
    monkeypatch.chdir(files)
    error = run(files, *arguments).exception
    assert isinstance(error, InputError) and message in str(error)
