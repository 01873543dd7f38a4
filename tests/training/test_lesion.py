"""The network that finds lesions: its loss, its score, which images it learns from, and that it learns."""

import csv
import logging

import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.stacks import write_stack
from fplbench.training import train
from fplbench.training.lesion import LesionLoss, LesionOptions
from fplbench.training.loop.segmentation import Annotated, LesionValidation, load_annotated, soft_dice_loss
from tests.helpers.training import TINY

CPU = torch.device("cpu")
BOTH = ("clean", "lesions")


def write(folder, part="", count=24, lesions=True, annotated=None, seed=0):
    """Grey images with blurred texture; each but every third has a bright disc, which is its lesion."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:32, :32]
    images, marks = [], []
    for number in range(count):
        centre = random.uniform(8, 24, 2)
        disc = (np.hypot(rows - centre[0], columns - centre[1]) < 3) & bool(number % 3) & lesions
        images.append(80 + 20 * np.sin(rows / 5 + number) + random.normal(0, 5, (32, 32)) + 90 * disc)
        marks.append(disc * random.integers(1, 4))
    index = [{"image_id": f"{part}{i}", "patient": 0} for i in range(count)]
    if annotated is not None:
        index = [row | {"annotated": int(known)} for row, known in zip(index, annotated, strict=True)]
    write_stack(folder / f"{part}clean.npy", np.clip(images, 0, 255).astype(np.uint8), index)
    write_stack(folder / f"{part}lesions.npy", np.array(marks, np.uint8))


def paths(folder, *names):
    return {name: folder / f"{name}.npy" for name in names}


def test_the_soft_dice_loss_by_hand():
    """Two pixels in a lesion, found with 0.5 and 1, and one false alarm of 0.2: 1 - (2 1.5 + 1) / (0.25 + 1 + 0.04 + 2 + 1)."""
    shares, lesions = torch.tensor([0.5, 1.0, 0.2, 0.0]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert float(soft_dice_loss(shares, lesions)) == pytest.approx(1 - 4 / 4.29, abs=1e-6)
    assert float(soft_dice_loss(lesions, lesions)) == 0
    assert float(soft_dice_loss(torch.zeros(4), torch.zeros(4))) == 0
    assert soft_dice_loss(torch.cat([shares, torch.zeros(1000)]), torch.cat([lesions, torch.zeros(1000)])) == soft_dice_loss(
        shares, lesions
    )


def test_the_loss_of_a_network_that_knows_nothing_by_hand():
    """Logit 0 is a probability of 1/2: each of the 16 pixels, two of which are of a lesion, has log 2."""
    images = torch.zeros(1, 4, 4, dtype=torch.uint8)
    lesions = images.clone()
    lesions[0, 0, :2] = 1
    network = nn.Conv2d(1, 1, 1)
    nn.init.zeros_(network.weight), nn.init.zeros_(network.bias)
    loss = LesionLoss(network, Annotated(images, lesions, ()), LesionOptions(dice_weight=0.5))
    with torch.no_grad():
        terms = loss(torch.tensor([0]), 0)
    assert float(terms["cross_entropy"][0]) == pytest.approx(np.log(2), rel=1e-6)
    assert float(terms["dice"][0]) == pytest.approx(1 - (2 * 2 / 2 + 1) / (16 / 4 + 2 + 1), rel=1e-6)
    assert [weight for _, weight in terms.values()] == [1.0, 0.5]


def test_an_image_and_its_lesions_are_flipped_and_cropped_together():
    """A lesion is wherever the image is white: a network that returns the image as a sharp logit has no loss, in any view."""

    class White(nn.Module):
        def forward(self, images):
            return 40 * (images - 0.5)

    images = (torch.rand(6, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.2).to(torch.uint8)
    loss = LesionLoss(White(), Annotated(images * 255, images, ()), LesionOptions(patch=8), seed=1)
    for step in range(5):
        assert all(float(value) < 1e-6 for value, _ in loss(torch.arange(6), step).values())


def test_the_dice_coefficients_by_hand():
    """Three images: 4 pixels of a lesion, of which 2 are found and 1 beside it; a missed lesion of 2; a false alarm of 3."""
    images, lesions = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    lesions[0, 0], images[0, 0, :2], images[0, 1, 0] = 1, 255, 255
    lesions[1, 0, :2], images[2, 3, :3] = 1, 255
    network = nn.Conv2d(1, 1, 1)
    nn.init.ones_(network.weight), nn.init.constant_(network.bias, -0.5)
    network.train()
    scores = LesionValidation(network, Annotated(images, lesions, ()), batch=2).scores()
    assert scores["dice"] == pytest.approx(2 * 2 / (3 + 3 + 4 + 2))
    assert scores["dice_of_images"] == pytest.approx((2 * 2 / (3 + 4) + 0) / 2)
    assert tuple(scores) == LesionValidation.metrics and network.training


def test_images_that_no_annotation_covers_are_left_out(tmp_path):
    write(tmp_path, count=6, annotated=[1, 0, 1, 1, 0, 1])
    found = load_annotated(tmp_path / "clean.npy", tmp_path / "lesions.npy", CPU)
    np.testing.assert_array_equal(found.images, np.load(tmp_path / "clean.npy")[[0, 2, 3, 5]])
    np.testing.assert_array_equal(found.lesions, np.load(tmp_path / "lesions.npy")[[0, 2, 3, 5]] > 0)
    write(tmp_path, count=6, annotated=[0] * 6)
    with pytest.raises(InputError, match="No annotation covers any of the images"):
        load_annotated(tmp_path / "clean.npy", tmp_path / "lesions.npy", CPU)


def test_of_a_share_of_the_annotations_the_other_images_with_lesions_are_left_out(tmp_path):
    write(tmp_path, count=8)
    lesions = np.load(tmp_path / "lesions.npy")
    found = load_annotated(tmp_path / "clean.npy", tmp_path / "lesions.npy", CPU, share=0.25)
    with_lesions = np.flatnonzero(lesions.any(axis=(1, 2)))
    left_out = set(with_lesions) - set(with_lesions[::4])
    kept = [number for number in range(8) if number not in left_out]
    np.testing.assert_array_equal(found.images, np.load(tmp_path / "clean.npy")[kept])


@pytest.mark.slow
def test_it_learns_to_find_lesions_and_says_how_well(tmp_path, caplog):
    write(tmp_path)
    write(tmp_path, "validation_", 12, seed=1)
    options = {"width": 4, "steps": 80, "batch": 4, "learning_rate": 1e-2, "log_every": 20, "validate_every": 20}
    out = tmp_path / "lesion.safetensors"
    inputs = paths(tmp_path, *BOTH, "validation_clean", "validation_lesions")
    train("lesion", inputs, out, options, seed=1, device="cpu")
    network, metadata = weights.load(out)
    with open(out.with_suffix(".csv"), newline="") as stream:
        last = list(csv.DictReader(stream))[-1]
    with torch.inference_mode():
        found = network(torch.from_numpy(np.load(tmp_path / "validation_clean.npy")).unsqueeze(1) / 255).squeeze(1).numpy() > 0
    lesions = np.load(tmp_path / "validation_lesions.npy") > 0
    dice = 2 * (found & lesions).sum() / (found.sum() + lesions.sum())
    assert dice > 0.8
    assert float(last["validation_dice"]) == metadata["validation"]["dice"] == pytest.approx(dice, abs=2e-4)
    assert float(last["validation_dice_of_images"]) == metadata["validation"]["dice_of_images"]
    assert metadata["output"] == "lesion"
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_a_network_that_finds_too_little_is_warned_of(tmp_path, caplog, limit):
    write(tmp_path, count=6)
    write(tmp_path, "validation_", 6)
    inputs = paths(tmp_path, *BOTH, "validation_clean", "validation_lesions")
    train("lesion", inputs, tmp_path / "a.safetensors", {**TINY, "warn_below": limit}, seed=1, device="cpu")
    assert ["finds the lesions of the validation images" in record.getMessage() for record in caplog.records] == [True] * int(
        limit
    )


def test_without_lesions_there_is_nothing_to_learn_and_nothing_to_score(tmp_path, caplog):
    write(tmp_path, count=4, lesions=False)
    write(tmp_path, "validation_", 4, lesions=False)
    with pytest.raises(InputError, match="has no lesion in any of its 4 annotated images"):
        train("lesion", paths(tmp_path, *BOTH), tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    write(tmp_path, count=4)
    inputs = paths(tmp_path, *BOTH, "validation_clean", "validation_lesions")
    train("lesion", inputs, tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    assert "None of the validation images" in caplog.text
    assert "validation" not in weights.read_metadata(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="keep is best, which needs validation images with lesions"):
        train("lesion", inputs, tmp_path / "b.safetensors", {**TINY, "keep": "best"}, seed=1, device="cpu")


def test_files_that_are_missing_or_do_not_belong_together_are_refused(tmp_path):
    write(tmp_path, count=4)
    write(tmp_path, "validation_", 6)
    with pytest.raises(InputError, match="needs --lesions, the lesion stack of the training images"):
        train("lesion", paths(tmp_path, "clean"), tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    with pytest.raises(InputError, match="needs --validation-clean and --validation-lesions: one of them"):
        train("lesion", paths(tmp_path, *BOTH, "validation_clean"), tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
    with pytest.raises(InputError, match=r"validation_lesions\.npy holds 6 images of 32x32 pixels, but .* 4 images"):
        inputs = paths(tmp_path, "clean") | {"lesions": tmp_path / "validation_lesions.npy"}
        train("lesion", inputs, tmp_path / "a.safetensors", TINY, seed=1, device="cpu")
