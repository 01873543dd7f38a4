"""Pairs: the noisy image is the one that was acquired, and a training learns how it differs from the clean one."""

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.methods import denoise
from fplbench.noise import NOISES, draw_again, read_record, synthesize, synthesize_stack
from fplbench.stacks import open_stack, read_index, write_stack
from fplbench.training import train
from fplbench.training.loop.draws import allowed_flips, load_draws
from tests.helpers.files import names, replace_array

OFFSET = 20  # grey levels


def write_pairs(folder, images=11, seed=1, size=16, split="train"):
    """Write a clean stack and the noisy one beside it, brighter by OFFSET; returns the clean file."""
    clean = np.random.default_rng(seed).integers(20, 200, (images, size, size)).astype(np.uint8)
    rows = [{"image_id": f"{split}-{k}", "patient": k % 3, "source": f"{k}.dcm", "slice": k} for k in range(images)]
    write_stack(folder / f"{split}.npy", clean, rows)
    write_stack(folder / f"{split}_noisy.npy", clean + np.uint8(OFFSET), rows)
    return folder / f"{split}.npy"


def test_the_noisy_stack_is_the_one_beside_the_clean_one_bit_for_bit_whatever_the_seed(tmp_path):
    clean = write_pairs(tmp_path)
    every_level = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(11, axis=0)
    replace_array(tmp_path / "train_noisy.npy", every_level)
    for seed, threads in ((1, 1), (2, 3)):
        noisy = tmp_path / str(seed) / "train.npy"
        synthesize_stack("as_acquired", clean, noisy, {}, seed=seed, axes="mayo/train", threads=threads)
        assert np.array_equal(open_stack(noisy), every_level)
        assert read_index(noisy) == read_index(clean)
        record = read_record(noisy)
        assert (record.noise, record.options, record.axes) == ("as_acquired", {}, "mayo/train")


def test_the_command_copies_the_noisy_images_of_every_split(tmp_path):
    files = [write_pairs(tmp_path, split=split, seed=seed) for seed, split in enumerate(("train", "validation", "test"))]
    result = CliRunner().invoke(app, ["noise", "as_acquired", *map(str, files), "--out-dir", str(tmp_path / "noisy")])
    assert result.exit_code == 0, result.output
    for file in files:
        assert np.array_equal(open_stack(tmp_path / "noisy" / file.name), open_stack(file).astype(int) + OFFSET)
    assert names(tmp_path / "noisy") == sorted(
        f"{split}.{kind}" for split in ("train", "validation", "test") for kind in ("npy", "csv", "json")
    )


def test_images_in_memory_are_given_back_as_they_are():
    clean, noisy = np.random.default_rng(0).random((2, 9, 8, 8), np.float32)
    found = synthesize("as_acquired", clean, seed=1, pair=noisy)
    assert found.dtype == np.float32 and np.array_equal(found, noisy)
    assert not np.shares_memory(found, noisy)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("as_acquired", {}, "as_acquired needs the noisy images that were acquired with the clean ones: give them as pair"),
        ("as_acquired", {"pair": np.zeros((3, 8, 8), np.float32)}, r"shape \(3, 8, 8\), but must be a float32 array"),
        ("as_acquired", {"pair": np.zeros((2, 8, 8), np.uint8)}, "pair is an array of uint8"),
        ("as_acquired", {"pair": [1]}, "pair is list, but must be a float32 array"),
        ("as_acquired", {"pair": np.full((2, 8, 8), 2, np.float32)}, "pair has values from 2 to 2"),
        ("as_acquired", {"pair": np.full((2, 8, 8), np.nan, np.float32)}, "pair has values from nan to nan"),
        ("as_acquired", {"hu": np.zeros((2, 8, 8), np.float32)}, "as_acquired does not use Hounsfield units; leave out hu"),
        ("gaussian", {"pair": np.zeros((2, 8, 8), np.float32)}, "gaussian is made from the clean images alone; leave out pair"),
        ("as_acquired", {"pair": np.zeros((2, 8, 8), np.float32), "sigma": 0.1}, "sigma is not a known key"),
    ],
)
def test_a_pair_that_is_missing_wrong_or_given_in_vain_is_named(name, arguments, words):
    with pytest.raises(InputError, match=words):
        synthesize(name, np.zeros((2, 8, 8), np.float32), seed=1, **arguments)


def test_a_noisy_stack_that_is_missing_or_of_other_images_is_named(tmp_path):
    clean = write_pairs(tmp_path)

    def refused(words):
        with pytest.raises(InputError, match=words):
            synthesize_stack("as_acquired", clean, tmp_path / "noisy.npy", {}, seed=1)
        assert not (tmp_path / "noisy.npy").exists()

    rows = read_index(clean)
    write_stack(tmp_path / "train_noisy.npy", open_stack(clean), rows[::-1])
    refused("train_noisy.csv does not list the same images as .*train.csv: they differ from image 0 on")
    (tmp_path / "train_noisy.csv").unlink()
    replace_array(tmp_path / "train_noisy.npy", np.zeros((11, 16, 17), np.uint8))
    refused(r"train_noisy\.npy has the shape \(11, 16, 17\) and .*train\.npy has \(11, 16, 16\)")
    replace_array(tmp_path / "train_noisy.npy", np.zeros((11, 16, 16)))
    refused("train_noisy.npy holds float64 values; a stack holds uint8")
    (tmp_path / "train_noisy.npy").unlink()
    refused("train_noisy.npy, which has the noisy images of the pairs, does not exist: only a data set with loader: paired")


def test_there_is_one_realisation_and_a_training_with_more_draws_sees_that_one(tmp_path):
    import torch

    clean, noisy = write_pairs(tmp_path), tmp_path / "noisy.npy"
    synthesize_stack("as_acquired", clean, noisy, {}, seed=1)
    with pytest.raises(InputError, match="cannot be drawn again: it holds the images as they were acquired"):
        draw_again(clean, noisy, tmp_path / "again.npy", 1)
    images, hashes = load_draws(clean, noisy, 8, tmp_path / "a.safetensors", torch.device("cpu"))
    assert images.shape == (11, 16, 16) and len(hashes) == 1


def test_pairs_may_be_flipped_along_both_axes(tmp_path):
    synthesize_stack("as_acquired", write_pairs(tmp_path), tmp_path / "noisy.npy", {}, seed=1)
    assert allowed_flips(tmp_path / "noisy.npy") == NOISES["as_acquired"].flips == ("horizontal", "vertical")


def test_a_training_on_pairs_learns_that_the_noisy_images_are_brighter(tmp_path):
    """Noisy minus clean is OFFSET everywhere, so the denoised image has to be the clean one, of images never seen too."""
    clean, noisy = write_pairs(tmp_path), tmp_path / "noisy.npy"
    synthesize_stack("as_acquired", clean, noisy, {}, seed=1)
    out = tmp_path / "residual.safetensors"
    options = {"width": 4, "steps": 150, "batch": 4, "draws": 8, "learning_rate": 0.01}
    train("residual_same_steps", {"clean": clean, "noisy": noisy}, out, options, seed=1, device="cpu")
    unseen = open_stack(write_pairs(tmp_path / "other", images=4, seed=9))
    denoised = denoise("residual_same_steps", unseen + np.uint8(OFFSET), weights=out, device="cpu")
    difference = denoised.astype(int) - unseen
    assert np.abs(difference).max() <= 2
