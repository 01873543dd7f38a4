"""The card of a training says what its images and its noise were, as far as the files beside the stacks tell."""

import json
import shutil
import time

import numpy as np
import pytest

from fplbench import __version__
from fplbench.datasets import LOADERS
from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.networks.card import CARD_KEY, Card
from fplbench.noise import synthesize_stack
from fplbench.peers import PEERS
from fplbench.stacks import write_stack
from fplbench.training import TRAININGS, train
from fplbench.training.card import label_of, noise_level, training_card
from fplbench.training.fpl import FplOptions
from tests.helpers.training import given, tiny

# Two images of 512x400 pixels and one of 256x256, in stacks of 64x64: the pixels are 8, 8 and 4 times as large.
SPACINGS = [(512, 400, 0.5, 0.6), (512, 400, 0.7, 0.9), (256, 256, 1.1, 1.2)]
SUMMARY = {
    "dataset": "mayo",
    "loader": "ct",
    "label": "Mayo",
    "persons_known": True,
    "modalities": ["CT"],
    "hounsfield": True,
    "licence": "Images of Mayo may not be shared.",
}


def index(**changes):
    """Rows of an index as sampling writes them."""
    rows = []
    for number, (height, width, row_mm, column_mm) in enumerate(SPACINGS):
        size = {"rows": height, "columns": width, "row_spacing_mm": row_mm, "column_spacing_mm": column_mm}
        row = {"image_id": f"i{number}", "patient": f"p{number // 2}", "source": "made up", "slice": number, **size}
        rows.append({**row, "window_low": -160.0, "window_high": 240.0, **changes})
    return rows


@pytest.fixture
def drawn(tmp_path):
    """Clean images of constant grey, and the same with Gaussian noise of 10.2 grey levels."""
    write_stack(tmp_path / "train.npy", np.full((3, 64, 64), 128, np.uint8), index())
    (tmp_path / "noisy").mkdir()
    synthesize_stack("gaussian", tmp_path / "train.npy", tmp_path / "noisy/train.npy", {"sigma": 0.04}, seed=0, axes="mayo/train")
    (tmp_path / "sampling.json").write_text(json.dumps(SUMMARY))
    return {"clean": tmp_path / "train.npy", "noisy": tmp_path / "noisy/train.npy"}


def card_of(inputs, **options) -> Card:
    return training_card("fpl", inputs, FplOptions(**options), seed=7)


def test_the_pixels_are_those_of_the_stack_after_padding_and_resizing(drawn):
    # (0.5, 0.6) * 512 / 64, (0.7, 0.9) * 512 / 64 and (1.1, 1.2) * 256 / 64.
    assert card_of(drawn).pixel_mm == (4.4, 4.8)


def test_patches_keep_the_pixels_of_their_scan(drawn):
    write_stack(drawn["clean"], np.full((3, 64, 64), 128, np.uint8), index(rows=64, columns=64))
    assert card_of(drawn).pixel_mm == (0.7, 0.9)


def test_the_card_tells_data_noise_and_training(drawn):
    card = card_of(drawn, steps=5)
    assert (card.method, card.label, card.seed, card.version) == ("fpl", "FPL", 7, __version__)
    assert (card.dataset, card.dataset_label, card.modalities, card.hounsfield) == ("mayo", "Mayo", ("CT",), True)
    assert (card.images, card.patients, card.size, card.window) == (3, 2, 64, (-160.0, 240.0))
    assert (card.noise, card.noise_title, card.noise_options["sigma"]) == ("gaussian", "Gaussian Noise", 0.04)
    assert card.licence == "Images of Mayo may not be shared." and card.training["steps"] == 5


def test_the_noise_level_is_that_of_the_noisy_images(drawn):
    level = card_of(drawn).noise_level
    assert level.minimum <= level.median <= level.maximum
    # 0.04 * 255; a quarter of an image of 64x64 gives it to a few per cent.
    assert level.median == pytest.approx(10.2, rel=0.1)


def test_the_noise_level_is_that_of_single_images():
    flat = np.random.default_rng(0).normal(128, 1, (40, 64, 64))
    sigmas = np.linspace(2, 20, 40)[:, None, None]
    level = noise_level(np.clip(np.rint(128 + (flat - 128) * sigmas), 1, 254).astype(np.uint8))
    assert (level.minimum, level.median, level.maximum) == pytest.approx((2, 11, 20), rel=0.1)


def test_images_without_unclipped_places_have_no_noise_level():
    assert noise_level(np.zeros((3, 64, 64), np.uint8)) is None


def test_images_of_other_windows_have_no_common_one(drawn, tmp_path):
    rows = index()
    rows[1]["window_low"] = -1000.0
    write_stack(drawn["clean"], np.full((3, 64, 64), 128, np.uint8), rows)
    assert card_of(drawn).window is None


def test_windows_by_percentiles_are_not_a_window_for_other_scans(drawn):
    summary = {**SUMMARY, "modalities": ["MR"], "hounsfield": False, "percentiles": [0.5, 99.5]}
    drawn["clean"].with_name("sampling.json").write_text(json.dumps(summary))
    card = card_of(drawn)
    assert (card.window, card.percentiles, card.modalities) == (None, (0.5, 99.5), ("MR",))


def test_images_without_spacing_have_no_pixel_size(drawn):
    write_stack(drawn["clean"], np.full((3, 64, 64), 128, np.uint8), index(row_spacing_mm="", column_spacing_mm=""))
    assert card_of(drawn).pixel_mm is None


def test_spacings_and_windows_that_cannot_be_true_are_unknown(drawn):
    write_stack(drawn["clean"], np.full((3, 64, 64), 128, np.uint8), index(row_spacing_mm=0, window_low=240.0))
    card = card_of(drawn)
    assert (card.pixel_mm, card.window) == (None, None)


def test_a_label_with_a_line_break_is_put_in_one_line_and_markup_is_refused(drawn):
    summary = drawn["clean"].with_name("sampling.json")
    summary.write_text(json.dumps({**SUMMARY, "licence": "Images of Mayo\nmay not be shared.\n"}))
    assert card_of(drawn).licence == "Images of Mayo may not be shared."
    summary.write_text(json.dumps({**SUMMARY, "label": "<b>Mayo</b>"}))
    with pytest.raises(InputError, match=r"The dataset_label in the card of the training on .*: it holds markup"):
        card_of(drawn)


def test_an_older_summary_is_completed_by_the_loader(drawn):
    drawn["clean"].with_name("sampling.json").write_text(json.dumps({"dataset": "lits", "persons_known": False}))
    card = card_of(drawn)
    assert (card.dataset_label, card.modalities, card.hounsfield) == (LOADERS["lits"].label, ("CT",), True)
    assert card.licence == LOADERS["lits"].sharing and card.patients is None


def test_stacks_without_any_record_have_a_card_of_their_pixels(tmp_path):
    write_stack(tmp_path / "noisy.npy", np.full((2, 64, 48), 128, np.uint8))
    card = card_of({"clean": tmp_path / "noisy.npy", "noisy": tmp_path / "noisy.npy"})
    assert (card.size, card.images, card.dataset, card.noise, card.window, card.pixel_mm) == (64, 2, "", "", None, None)


def test_a_training_without_clean_images_finds_the_index_of_the_noisy_ones(drawn):
    expected = card_of(drawn)
    drawn["clean"].with_name("sampling.json").unlink()
    alone = card_of({"noisy": drawn["noisy"]})
    assert (alone.pixel_mm, alone.window, alone.patients) == (expected.pixel_mm, expected.window, expected.patients)
    assert alone.dataset == "mayo"


def test_a_damaged_summary_is_named(drawn):
    drawn["clean"].with_name("sampling.json").write_text("{")
    with pytest.raises(InputError, match=r"sampling\.json is not a readable summary"):
        card_of(drawn)


def test_the_card_does_not_depend_on_the_place_of_the_files(drawn, tmp_path):
    copy = shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    moved = {name: copy / path.relative_to(tmp_path) for name, path in drawn.items()}
    assert card_of(moved) == card_of(drawn)


def test_a_card_takes_less_than_a_second():
    images = np.random.default_rng(0).integers(1, 255, (100, 256, 256), np.uint8)
    noise_level(images[:1])  # imports
    began = time.process_time()
    noise_level(images)
    assert time.process_time() - began < 1


def test_every_training_that_learns_a_noise_has_a_label():
    denoisers = [name for name, training in TRAININGS.items() if "noise" in training.per]
    assert {"fpl", "residual_same_steps", "noise2void", "neighbor2neighbor", *PEERS} <= set(denoisers)
    labels = {name: label_of(name) for name in denoisers}
    assert all(label != name for name, label in labels.items()) and labels["red_cnn"] == "RED-CNN"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, training in TRAININGS.items() if "noise" in training.per])
def test_the_header_of_a_weight_file_has_the_card(stacks, tmp_path, name):
    if name in PEERS and PEERS[name].unusable():
        pytest.skip(PEERS[name].unusable())
    train(name, given(stacks, name), tmp_path / "out.safetensors", tiny(name), seed=1, device="cpu")
    card = Card(**weights.read_metadata(tmp_path / "out.safetensors")[CARD_KEY])
    assert (card.method, card.noise, card.size, card.images) == (name, "gaussian", 32, 6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["restoration", "drunet"])
def test_what_learns_no_noise_has_no_card(stacks, tmp_path, name):
    train(name, given(stacks, name), tmp_path / "out.safetensors", tiny(name), seed=1, device="cpu")
    assert CARD_KEY not in weights.read_metadata(tmp_path / "out.safetensors")
