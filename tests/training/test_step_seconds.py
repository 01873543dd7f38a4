"""Seconds of a training step: of which trainings, of which steps, and how they are measured."""

import json
from itertools import count

import pytest
import yaml

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.peers import PEERS
from fplbench.training.step_seconds import WARM_UP, in_turns, step_seconds
from tests.helpers.scores import run
from tests.helpers.training import EXPLANATION, TINY

TRAININGS = ("fpl", "residual_same_steps", "red_cnn", "noise2void", "neighbor2neighbor")
FAIR = {"residual_same_seconds": {}, "red_cnn": {}, "noise2void": {}, "neighbor2neighbor": {}}


def write_config(folder, **more):
    """A tiny config whose budget of seconds waits for the seconds that are to be measured."""
    config = {
        "protocol": "fair",
        "datasets": ["lidc"],
        "noises": ["gaussian"],
        "sampling": {"size": 32},
        "methods": {"noisy": {}, "fpl": {}, "median_filter": {}},
        "fair": {"methods": FAIR, "budgets": ["steps", "seconds"]},
        "training": {
            "restoration": TINY,
            "fpl": {**TINY, "feature_interval": 2},
            "red_cnn": dict(PEERS["red_cnn"].small),
            **{name: {"width": 2} for name in ("noise2void", "neighbor2neighbor")},
        },
        **more,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return config


def test_a_slow_phase_of_the_machine_hits_all_alike_and_does_not_count():
    """Steps of 1 and 3 s; the machine is five times as slow in two rounds of five, and in those that warm up."""
    calls = []
    speed = [5] * WARM_UP + [1, 5, 5, 1, 1]

    def watch(name, seconds):
        turn = count()

        def take(steps):
            calls.append((name, steps))
            return seconds * len(steps) * speed[next(turn)]

        return take

    found = in_turns({"fast": watch("fast", 1), "slow": watch("slow", 3)}, 8, 4, 5)
    assert found == {"fast": 1, "slow": 3}
    assert calls == [("fast", range(8, 12)), ("slow", range(8, 12))] * len(speed)


def test_the_steps_of_an_interval_are_timed_one_of_which_has_the_feature_loss(monkeypatch):
    """With an interval of 3 and a start at step 4, they are 6, 7 and 8; with micro-batches L_FP is computed once for each."""
    from fplbench.training.explained import Explained
    from fplbench.training.loop.stopwatch import Stopwatch

    timed, losses, explained, seconds = [], [], Explained.loss, Stopwatch.seconds
    monkeypatch.setattr(Stopwatch, "seconds", lambda self, steps: timed.append(steps) or seconds(self, steps))
    monkeypatch.setattr(Explained, "loss", lambda *arguments: losses.append(len(arguments[1])) or explained(*arguments))
    options = {**TINY, "feature_interval": 3, "feature_start": 4, "micro_batch": 1, "draws": 1}
    found = step_seconds({"fpl": options}, 32, 2, EXPLANATION, 1, "cpu")
    assert timed == [range(6, 9)] * (WARM_UP + 1)
    assert losses == [1, 1] * (WARM_UP + 1)
    assert found["fpl"] > 0


@pytest.mark.parametrize(
    ("options", "explanation"),
    [
        ({"balance": 0.5}, {"feature": "sobel"}),
        ({"feature_use": "weight"}, {"feature": "mask"}),
        ({"feature_use": "weight"}, {"network": "lesion", "readout": "sigmoid_sum", "activation": "relu"}),
    ],
)
def test_steps_with_other_features_and_uses_are_timed(options, explanation):
    found = step_seconds({"fpl": {**TINY, **options, "draws": 1}}, 32, 2, explanation, 1, "cpu")
    assert found["fpl"] > 0


def test_a_network_of_more_operations_takes_longer():
    """Four times the width, sixteen times the operations."""
    wide = {**TINY, "width": 16, "draws": 1}
    trainings = {"fpl": {**wide, "width": 4, "features": False}, "residual_same_steps": wide}
    found = step_seconds(trainings, 128, 2, EXPLANATION, 3, "cpu")
    assert found["residual_same_steps"] > 2 * found["fpl"]


@pytest.mark.parametrize("kind", ["yaml", "resolved"])
def test_the_command_prints_what_the_config_needs_for_its_budget_of_seconds(tmp_path, kind):
    config = write_config(tmp_path)
    path = tmp_path / "config.yaml"
    if kind == "resolved":
        path = tmp_path / "config.json"
        filled = {**config["fair"], "seconds_per_step": dict.fromkeys(TRAININGS, 7.0)}  # of another machine
        path.write_text(json.dumps(load_config({**config, "fair": filled}).resolved()))
    printed = run("step-seconds", "--config", path, "--rounds", 1, "--device", "cpu")
    fair = yaml.safe_load(printed[printed.index("fair:") :])["fair"]
    assert fair["device"].endswith(", 1 thread")
    seconds = fair["seconds_per_step"]
    assert sorted(seconds) == sorted(TRAININGS)
    assert all(0 < value < 7 for value in seconds.values())
    steps = load_config({**config, "fair": {**config["fair"], **fair}}).fits["red_cnn_same_seconds"].options["steps"]
    assert steps == max(1, round(TINY["steps"] * seconds["fpl"] / seconds["red_cnn"]))


def test_what_is_not_a_config_is_refused(tmp_path):
    (tmp_path / "list.yaml").write_text("- fpl\n")
    (tmp_path / "broken.yaml").write_text("fair: {\n")
    for name, message in {"none": "does not exist", "list": "does not hold a mapping", "broken": "is not a YAML file"}.items():
        with pytest.raises(InputError, match=message):
            run("step-seconds", "--config", tmp_path / f"{name}.yaml")
