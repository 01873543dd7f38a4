"""What a training does when memory runs out: micro-batches of half the size, which add up to the same batch.

Memory runs out in a loss that refuses more than so many images at once, after it has moved what a real one would have moved.
"""

import csv
import logging

import pytest
import torch
from torch import nn

from fplbench import device
from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.training import train
from fplbench.training.loop import micro_batches
from fplbench.training.loop.trainer import Job, Trainer
from fplbench.training.loop.validation import Validation
from fplbench.training.options import TrainingOptions
from tests.helpers.training import TINY, given

CPU = torch.device("cpu")
free = device._free
OPTIONS = TrainingOptions(width=1, steps=8, batch=8, warm_up=2, learning_rate=0.1, log_every=2, save_every=2)


@pytest.fixture(autouse=True)
def nothing_to_free(monkeypatch):
    """The search for garbage is slow among all that the tests have loaded."""
    monkeypatch.setattr(device, "_free", lambda: None)


def job(folder):
    return Job("test", 5, CPU, {"config": "a", "data": "b", "code version": "1"}, folder / "state.safetensors")


def small_network(norm: bool = False) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4) if norm else nn.Tanh(), nn.Linear(4, 1))


class Limited:
    """Squared error of a network, for which there is only memory for so many images at once, from a step on.

    It remembers how many images it has seen, which a failed attempt must not change.
    """

    def __init__(self, network, room, since=0, backward=False, interrupted_at=None):
        self.network, self.room, self.since, self.backward, self.interrupted_at = network, room, since, backward, interrupted_at
        self.inputs = torch.arange(30.0).view(10, 3) / 30
        self.seen = torch.zeros(())
        self.sizes = []

    def __call__(self, positions, step):
        if step == self.interrupted_at:
            raise KeyboardInterrupt
        self.seen = self.seen + len(positions)
        self.sizes.append(len(positions))
        images = self.inputs[positions]
        loss = (self.network(images) - images.sum(1, keepdim=True)).square().mean()
        if len(positions) > self.room and step >= self.since:
            if self.backward:  # memory may also run out when some parameters have their gradients
                loss.backward(retain_graph=True)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return {"error": (loss, 1.0)}

    def state(self):
        return {"seen": self.seen}

    def load(self, state):
        self.seen = state["seen"]


def trained(folder, room=100, since=0, norm=False, backward=False, **options):
    """A network after a training, its loss and its trainer."""
    network = small_network(norm)
    loss = Limited(network, room, since, backward)
    trainer = Trainer(network, loss, ["error"], 10, OPTIONS.model_copy(update=options), job(folder))
    trainer.run()
    return network, loss, trainer


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("room", "since"), [(4, 0), (3, 3), (1, 5)])
def test_the_result_is_that_of_whole_batches_up_to_rounding(tmp_path, room, since, backward):
    whole, reference, _ = trained(tmp_path / "whole")
    parts, loss, trainer = trained(tmp_path / "parts", room, since, backward=backward)
    for name, expected in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], expected, rtol=1e-4, atol=1e-6)
    assert trainer.micro_batches.size == {4: 4, 3: 2, 1: 1}[room]
    assert loss.seen == reference.seen == 64  # 8 steps of 8 images: failed attempts do not count
    logs = [list(csv.DictReader(job(tmp_path / name).log_path.open())) for name in ("whole", "parts")]
    for row, expected in zip(*reversed(logs), strict=True):
        assert float(row["loss_error"]) == pytest.approx(float(expected["loss_error"]), rel=1e-4)


def test_it_is_as_if_the_training_had_begun_with_the_smaller_micro_batches_to_the_bit(tmp_path):
    """With batch norm too, whose running statistics a failed attempt has moved before it failed."""
    asked, _, _ = trained(tmp_path / "asked", norm=True, micro_batch=2)
    halved, loss, _ = trained(tmp_path / "halved", room=2, norm=True)
    assert loss.sizes[:4] == [8, 4, 2, 2]
    assert all(torch.equal(halved.state_dict()[name], expected) for name, expected in asked.state_dict().items())


def test_batch_norm_makes_micro_batches_another_training(tmp_path):
    """The statistics of two images are not those of eight: this is what the documentation says, and no more can be had."""
    whole, _, _ = trained(tmp_path / "whole", norm=True)
    halved, _, _ = trained(tmp_path / "halved", room=2, norm=True)
    assert not torch.allclose(whole[0].weight, halved[0].weight, rtol=1e-2)
    assert whole[1].num_batches_tracked == 8 and halved[1].num_batches_tracked == 32


@pytest.mark.parametrize(("batch", "room", "expected"), [(6, 5, 3), (6, 2, 1), (9, 8, 3), (7, 6, 1), (12, 5, 3)])
def test_micro_batches_have_the_same_size(tmp_path, batch, room, expected):
    _, loss, trainer = trained(tmp_path, room, batch=batch)
    assert trainer.micro_batches.size == expected
    assert set(loss.sizes[-batch // expected :]) == {expected}


def test_a_resumed_training_keeps_the_micro_batches(tmp_path):
    """On a machine with more memory as well: its weights are then those of a training that was not interrupted."""
    straight, _, _ = trained(tmp_path / "straight", room=2, norm=True)
    network = small_network(norm=True)
    with pytest.raises(KeyboardInterrupt):
        Trainer(network, Limited(network, 2, interrupted_at=5), ["error"], 10, OPTIONS, job(tmp_path / "resumed")).run()
    resumed, loss, trainer = trained(tmp_path / "resumed", room=100, norm=True)
    assert trainer.micro_batches.size == 2 and set(loss.sizes) == {2}
    assert all(torch.equal(resumed.state_dict()[name], value) for name, value in straight.state_dict().items())


def test_the_log_says_so_once_for_each_halving(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        trained(tmp_path, room=2)
    assert [record.message for record in caplog.records] == [
        "test: out of memory with 8 images at once; it goes on with 4.",
        "test: out of memory with 4 images at once; it goes on with 2.",
    ]


def test_a_single_image_that_does_not_fit_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="test: there is not enough memory for a single image"):
        trained(tmp_path, room=0)


def test_another_error_of_torch_is_not_taken_for_one_of_memory(tmp_path):
    def wrong(positions, step):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Trainer(small_network(), wrong, ["error"], 10, OPTIONS, job(tmp_path)).run()


def test_what_torch_says_when_the_processor_has_no_more_memory_is_known(tmp_path):
    def large(positions, step):
        return {"error": (torch.empty(2**60), 1.0)}

    with pytest.raises(InputError, match="not enough memory for a single image"):
        Trainer(small_network(), large, ["error"], 10, OPTIONS, job(tmp_path)).run()


def test_validation_goes_on_in_smaller_batches_and_finds_the_same(tmp_path):
    images = torch.randint(0, 256, (7, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    sizes = []

    def denoise(given):
        sizes.append(len(given))
        if len(given) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return given * 0.9

    validation = Validation(nn.Identity(), denoise, images, images, batch=16)
    found = validation.psnr()
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1] and validation.batch == 1
    assert found == Validation(nn.Identity(), lambda given: given * 0.9, images, images, batch=1).psnr()


@pytest.mark.slow
def test_a_weight_file_says_to_how_many_images_a_training_went_down(stacks, tmp_path, monkeypatch):
    """A denoiser with L_FP, whose running mean is put back, equals one that began with the smaller micro-batches."""
    options = {**TINY, "batch": 4, "balance": 0.1}
    train("fpl", given(stacks, "fpl"), tmp_path / "asked.safetensors", {**options, "micro_batch": 2}, seed=1, device="cpu")
    monkeypatch.setattr(device, "_free", free)
    original = micro_batches.total_loss
    room = iter([False])

    def once(terms):  # the first attempt runs out of memory after its forward pass
        if next(room, True):
            return original(terms)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(micro_batches, "total_loss", once)
    train("fpl", given(stacks, "fpl"), tmp_path / "halved.safetensors", options, seed=1, device="cpu")
    (asked, _), (halved, metadata) = (weights.load(tmp_path / f"{name}.safetensors") for name in ("asked", "halved"))
    assert metadata["micro_batch"] == 2 and metadata["options"]["micro_batch"] is None
    assert "micro_batch" not in weights.load(tmp_path / "asked.safetensors")[1]
    assert all(torch.equal(halved.state_dict()[name], value) for name, value in asked.state_dict().items())
