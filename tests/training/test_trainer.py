import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.training.loop.trainer import Batches, Job, Trainer, learning_rate
from fplbench.training.options import TrainingOptions

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(width=1, steps=8, batch=4, warm_up=2, learning_rate=0.1, log_every=2, save_every=2)


def job(folder: Path, **identity: str) -> Job:
    return Job("test", 5, CPU, {"config": "a", "data": "b", "code version": "1", **identity}, folder / "state.safetensors")


def linear_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def squared_error(network: nn.Module):
    inputs = torch.arange(30.0).view(10, 3) / 30

    def loss(positions: torch.Tensor, step: int):
        return {"error": ((network(inputs[positions]) - inputs[positions].sum(1, keepdim=True)).square().mean(), 1.0)}

    return loss


def test_every_epoch_has_every_image_once_and_batches_do_not_depend_on_the_grouping():
    batches = Batches(count=7, size=3, seed=1)
    together = batches.of(range(14))
    epochs = together.ravel().reshape(-1, 7)
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert not np.array_equal(epochs[0], epochs[1])
    apart = np.concatenate([batches.of(range(step, step + 1)) for step in range(14)])
    assert np.array_equal(together, apart)


def test_the_rate_rises_to_its_peak_and_falls_to_its_end_linearly():
    options = TrainingOptions(steps=12, warm_up=2, learning_rate=1.0, final_rate=0.5)
    assert [learning_rate(options, step) for step in (0, 1, 2, 7)] == pytest.approx([0.5, 1.0, 1.0, 0.75])


def test_training_follows_torchs_adam(tmp_path):
    network, reference = linear_network(), linear_network()
    Trainer(network, squared_error(network), ["error"], 10, OPTIONS, job(tmp_path)).run()
    optimizer = torch.optim.Adam(reference.parameters())
    loss = squared_error(reference)
    for step, positions in enumerate(torch.from_numpy(Batches(10, 4, 5).of(range(8)))):
        optimizer.param_groups[0]["lr"] = learning_rate(OPTIONS, step)
        optimizer.zero_grad()
        loss(positions, step)["error"][0].backward()
        optimizer.step()
    assert torch.allclose(network.weight, reference.weight, rtol=1e-5)


def test_micro_batches_add_up_to_the_batch(tmp_path):
    whole, parts = linear_network(), linear_network()
    Trainer(whole, squared_error(whole), ["error"], 10, OPTIONS, job(tmp_path / "whole")).run()
    options = OPTIONS.model_copy(update={"micro_batch": 2})
    Trainer(parts, squared_error(parts), ["error"], 10, options, job(tmp_path / "parts")).run()
    assert torch.allclose(whole.weight, parts.weight, rtol=1e-5)


def test_the_log_has_a_row_for_each_group_of_steps(tmp_path):
    network = linear_network()
    Trainer(network, squared_error(network), ["error"], 10, OPTIONS, job(tmp_path)).run()
    rows = list(csv.DictReader(job(tmp_path).log_path.open()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8]
    assert set(rows[0]) == {
        "step", "loss_error", "gradient_norm_error", "learning_rate", "validation_psnr", "images_per_second",
        "peak_memory_mb",
    }  # fmt: skip


def test_the_gradient_norm_of_the_log_is_the_weighted_terms(tmp_path):
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(2.0)

    def loss(positions, step):  # d/dw of 3 w^2 is 6 w = 12
        return {"square": (network.weight.square().sum(), 3.0)}

    Trainer(network, loss, ["square"], 4, OPTIONS, job(tmp_path)).run()
    first = next(csv.DictReader(job(tmp_path).log_path.open()))
    assert float(first["gradient_norm_square"]) == pytest.approx(12.0)


class Interruption(Exception):
    pass


def interrupt_at(network: nn.Module, last: int):
    loss = squared_error(network)

    def interrupted(positions, step):
        if step == last:
            raise Interruption
        return loss(positions, step)

    return interrupted


@pytest.mark.parametrize("last", [1, 3, 6])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, last):
    straight, resumed = linear_network(), linear_network()
    Trainer(straight, squared_error(straight), ["error"], 10, OPTIONS, job(tmp_path / "straight")).run()
    with pytest.raises(Interruption):
        Trainer(resumed, interrupt_at(resumed, last), ["error"], 10, OPTIONS, job(tmp_path / "resumed")).run()
    resumed = linear_network()
    Trainer(resumed, squared_error(resumed), ["error"], 10, OPTIONS, job(tmp_path / "resumed")).run()
    assert torch.equal(straight.weight, resumed.weight) and torch.equal(straight.bias, resumed.bias)
    logs = [list(csv.DictReader(job(tmp_path / name).log_path.open())) for name in ("straight", "resumed")]
    assert [row["loss_error"] for row in logs[0]] == [row["loss_error"] for row in logs[1]]


@pytest.mark.parametrize("key", ["config", "data", "code version"])
def test_a_state_of_another_training_is_refused_by_name(tmp_path, key):
    network = linear_network()
    with pytest.raises(Interruption):
        Trainer(network, interrupt_at(network, 5), ["error"], 10, OPTIONS, job(tmp_path)).run()
    with pytest.raises(InputError, match=f"another {key}"):
        Trainer(network, squared_error(network), ["error"], 10, OPTIONS, job(tmp_path, **{key: "x"})).run()


def test_a_first_batch_without_any_noise_is_no_measure_of_an_explosion(tmp_path):
    network = linear_network()
    loss = squared_error(network)

    def nothing_at_first(positions, step):
        terms = loss(positions, step)
        return {"error": (terms["error"][0] * (step > 0), 1.0)}

    options = OPTIONS.model_copy(update={"log_every": 4})
    Trainer(network, nothing_at_first, ["error"], 10, options, job(tmp_path)).run()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_a_loss_that_is_not_finite_or_explodes_stops_at_its_step_and_keeps_the_last_good_state(tmp_path, value):
    network = linear_network()
    loss = squared_error(network)

    def bad(positions, step):
        terms = loss(positions, step)
        return {"error": (terms["error"][0] * value, 1.0)} if step == 5 else terms

    with pytest.raises(InputError, match=r"at step 5; the last good state is kept in .*state\.safetensors"):
        Trainer(network, bad, ["error"], 10, OPTIONS, job(tmp_path)).run()
    assert job(tmp_path).state_path.exists()


@pytest.mark.parametrize("rate", [1e6, 1e30])
@pytest.mark.parametrize("save_every", [1, 1000])
def test_an_update_that_no_later_step_sees_is_checked_before_it_is_kept(tmp_path, rate, save_every):
    """The first update already ruins the network; the loss of the step that makes it is still a good one."""
    network = linear_network()
    changes = {"steps": 1 if save_every > 1 else 8, "warm_up": 0, "log_every": 1, "learning_rate": rate, "save_every": save_every}
    options = OPTIONS.model_copy(update=changes)
    with pytest.raises(InputError, match="at step 1; no earlier state was saved"):
        Trainer(network, squared_error(network), ["error"], 10, options, job(tmp_path)).run()
    assert not job(tmp_path).state_path.exists()


def test_the_check_of_the_last_update_leaves_running_statistics_alone(tmp_path):
    """Batch norm has seen as many batches as there were steps, though every second step is followed by a check."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    Trainer(network, squared_error(network), ["error"], 10, OPTIONS, job(tmp_path)).run()
    assert int(network[1].num_batches_tracked) == OPTIONS.steps
