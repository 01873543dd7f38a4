"""The realisations of the noise that a training sees."""

import json

import numpy as np
import pytest
import torch

from fplbench.errors import InputError
from fplbench.noise import NOISES, draw_again
from fplbench.stacks import open_stack, write_stack
from fplbench.training import train
from fplbench.training.loop.draws import allowed_flips, load_draws, noisy_stacks
from fplbench.training.loop.trainer import Batches
from tests.helpers.training import TINY, given

CPU = torch.device("cpu")


def test_the_first_realisation_is_the_stack_on_disk_and_the_others_are_those_of_the_noise(stacks, tmp_path):
    clean, noisy = stacks / "clean.npy", stacks / "noisy.npy"
    with noisy_stacks(clean, noisy, 3, tmp_path / "a.safetensors") as files:
        images = load_draws(files, CPU)
    draw_again(clean, noisy, tmp_path / "again.npy", 2)
    expected = np.array(open_stack(noisy)), np.array(open_stack(tmp_path / "again.npy"))
    assert images.dtype == torch.uint8
    assert np.array_equal(images[:6], expected[0]) and np.array_equal(images[12:], expected[1])
    assert not torch.equal(images[:6], images[6:12])


def test_the_scratch_folder_is_hidden_and_gone_in_the_end_even_after_an_error(stacks, tmp_path):
    with pytest.raises(KeyError), noisy_stacks(stacks / "clean.npy", stacks / "noisy.npy", 2, tmp_path / "a.safetensors"):
        assert [path.name for path in tmp_path.iterdir()] == [".a.draws"]
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_training_left_is_drawn_again(stacks, tmp_path):
    left = tmp_path / ".a.draws" / "1.npy"
    left.parent.mkdir()
    left.write_bytes(b"cut short")
    with noisy_stacks(stacks / "clean.npy", stacks / "noisy.npy", 2, tmp_path / "a.safetensors") as files:
        assert files[1] == left and open_stack(left).shape == (6, 32, 32)


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
