"""The realisations of the noise that a training sees."""

import hashlib
import json

import numpy as np
import pytest
import torch

from fplbench.errors import InputError
from fplbench.noise import NOISES, draw_again
from fplbench.stacks import open_stack, write_stack
from fplbench.training import train
from fplbench.training.loop.draws import allowed_flips, load_draws
from fplbench.training.loop.trainer import Batches
from tests.helpers.training import TINY, given

CPU = torch.device("cpu")


def test_the_first_realisation_is_the_stack_on_disk_and_the_others_are_those_of_the_noise(stacks, tmp_path):
    clean, noisy = stacks / "clean.npy", stacks / "noisy.npy"
    images, hashes = load_draws(clean, noisy, 3, tmp_path / "a.safetensors", CPU)
    draw_again(clean, noisy, tmp_path / "again.npy", 2)
    files = [noisy, tmp_path / "again.npy"]
    expected = [np.array(open_stack(file)) for file in files]
    assert images.dtype == torch.uint8
    assert np.array_equal(images[:6], expected[0]) and np.array_equal(images[12:], expected[1])
    assert not torch.equal(images[:6], images[6:12])
    assert [hashes[0], hashes[2]] == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_the_disk_has_one_further_realisation_at_a_time_in_a_hidden_folder_that_goes_even_after_an_error(
    stacks, tmp_path, monkeypatch
):
    seen = []

    def watched(clean, noisy, out, draw, threads):
        seen.append([path.name for path in tmp_path.rglob("*")])
        draw_again(clean, noisy, out, draw, threads)
        assert [path.name for path in tmp_path.iterdir()] == [".a.draws"]

    monkeypatch.setattr("fplbench.training.loop.draws.draw_again", watched)
    load_draws(stacks / "clean.npy", stacks / "noisy.npy", 4, tmp_path / "a.safetensors", CPU)
    assert seen == [[], [], []] and not list(tmp_path.iterdir())

    def failing(clean, noisy, out, draw, threads):
        draw_again(clean, noisy, out, draw, threads)
        raise KeyError

    monkeypatch.setattr("fplbench.training.loop.draws.draw_again", failing)
    with pytest.raises(KeyError):
        load_draws(stacks / "clean.npy", stacks / "noisy.npy", 2, tmp_path / "a.safetensors", CPU)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_training_left_is_drawn_again(stacks, tmp_path):
    left = tmp_path / ".a.draws" / "1.npy"
    left.parent.mkdir()
    left.write_bytes(b"cut short")
    images, _ = load_draws(stacks / "clean.npy", stacks / "noisy.npy", 2, tmp_path / "a.safetensors", CPU)
    assert images.shape == (12, 32, 32) and not left.exists()


def test_each_epoch_takes_the_next_realisation_and_the_first_after_the_last():
    """Seven images, three draws: image p of draw d is at 7 d + p."""
    places = Batches(count=7, size=7, seed=1, draws=3).of(range(5))
    assert (places // 7).tolist() == [[draw] * 7 for draw in (0, 1, 2, 0, 1)]
    assert np.array_equal(places % 7, Batches(count=7, size=7, seed=1).of(range(5)))


def copy_without_record(stacks, folder):
    index = [{"image_id": i, "patient": 0} for i in range(6)]
    for name in ("clean", "noisy"):
        write_stack(folder / f"{name}.npy", open_stack(stacks / f"{name}.npy"), index)
    return {name: folder / f"{name}.npy" for name in ("clean", "noisy")}


def test_a_stack_without_record_can_be_trained_on_with_one_draw_only(stacks, tmp_path):
    inputs = copy_without_record(stacks, tmp_path)
    with pytest.raises(InputError, match="set draws: 1, or make the stack with `fplbench noise`"):
        train("residual_same_steps", inputs, tmp_path / "a.safetensors", {**TINY, "draws": 2}, seed=1, device="cpu")
    train("residual_same_steps", inputs, tmp_path / "a.safetensors", {**TINY, "draws": 1}, seed=1, device="cpu")


@pytest.mark.parametrize("noise", ["gaussian", "motion", "wrap_around"])
def test_the_noise_says_how_its_images_may_be_flipped(tmp_path, noise):
    record = {"noise": noise, "options": {}, "seed": 1, "axes": ""}
    (tmp_path / "noisy.json").write_text(json.dumps(record))
    assert allowed_flips(tmp_path / "noisy.npy") == NOISES[noise].flips


def test_images_of_an_unknown_noise_are_not_flipped(tmp_path):
    assert allowed_flips(tmp_path / "noisy.npy") == ()


def test_draws_are_part_of_what_a_training_belongs_to(stacks, tmp_path):
    """The same noisy stack with another record has other further draws, so it is other data."""
    from fplbench.networks import weights

    folder = tmp_path / "other"
    inputs = copy_without_record(stacks, folder)
    record = json.loads((stacks / "noisy.json").read_text())
    (folder / "noisy.json").write_text(json.dumps({**record, "seed": record["seed"] + 1}))
    inputs = [{name: given(stacks, "fpl")[name] for name in ("clean", "noisy")}, inputs]
    hashes = []
    for number, files in enumerate(inputs):
        out = tmp_path / f"{number}.safetensors"
        train("residual_same_steps", files, out, {**TINY, "draws": 2}, seed=1, device="cpu")
        hashes.append(weights.read_metadata(out)["data"])
    assert hashes[0] != hashes[1]
