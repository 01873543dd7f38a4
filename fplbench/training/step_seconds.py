"""What an optimiser step of each training costs on a device, measured on random images."""

import logging
import math
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.registry import parse_options
from fplbench.training.registry import TRAININGS, Input

if TYPE_CHECKING:
    from fplbench.training.loop.stopwatch import Stopwatch

log = logging.getLogger(__name__)

SEED = 1
WARM_UP = 2  # rounds that do not count


def step_seconds(
    trainings: Mapping[str, Mapping[str, Any]],
    size: int,
    explained_width: int,
    explanation: Mapping[str, Any],
    rounds: int,
    device: str = "auto",
) -> dict[str, float]:
    """Measure the seconds of an optimiser step of each training: all that it does between two batches, L_FP in its interval.

    Logs, validation and the files are left out, and so is what is done once, such as weights of the pixels from features.

    Args:
        trainings: options by the name of the training; a network is trained for each noise.
        size: side of the square images, pixels.
        explained_width: channels of the first level of the network that the features are of.
        explanation: fields of `ExplanationOptions`.
        rounds: repetitions, of which the median is taken; see `in_turns`.
        device: auto, cpu or cuda.

    Returns:
        Seconds of a step by name; those of a network with L_FP are the mean over an interval, once L_FP has started.

    Raises:
        InputError: a training or an option is unknown, or a package that a network needs cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="fplbench-") as folder:
        images = max(int(options["batch"]) for options in trainings.values())
        needs = {name: TRAININGS[name].needs(options) for name, options in trainings.items()}
        files = _write_stacks(Path(folder), images, size)
        if any("features" in inputs for inputs in needs.values()):
            files |= _write_features(files["clean"], explained_width, explanation, device)
        watches = {}
        for name, options in trainings.items():
            inputs = {key: path for key, path in files.items() if key in needs[name]}
            watches[name] = _set_up(name, inputs, Path(folder), options, device)
    steps = math.lcm(*(watch.interval for watch in watches.values()))
    start = max(int(options.get("feature_start", 0)) for options in trainings.values())
    first = math.ceil(start / steps) * steps
    return in_turns({name: watch.seconds for name, watch in watches.items()}, first, steps, rounds)


def in_turns(watches: Mapping[str, Callable[[range], float]], first: int, steps: int, rounds: int) -> dict[str, float]:
    """Measure several trainings in turns, so that a slow phase of the machine hits all alike.

    Args:
        watches: for each training, a function that takes some steps and returns the seconds of all of them.
        first: the first step.
        steps: steps of each training in a round.
        rounds: number of rounds that count, after WARM_UP others.

    Returns:
        The median of the rounds, in seconds a step.
    """
    found: dict[str, list[float]] = {name: [] for name in watches}
    for number in range(WARM_UP + rounds):
        for name, seconds in watches.items():
            found[name].append(seconds(range(first, first + steps)) / steps)
            if number == 0:  # it may take long: say so early
                log.info("%s: about %.2g s a step, %d steps in each of %d rounds", name, found[name][0], steps, WARM_UP + rounds)
    return {name: statistics.median(values[WARM_UP:]) for name, values in found.items()}


def _write_stacks(folder: Path, images: int, size: int) -> dict[Input, Path]:
    """Write random images, and the same with Gaussian noise and its record."""
    from fplbench.noise import synthesize_stack
    from fplbench.stacks import write_stack

    pixels = np.random.default_rng(SEED).integers(0, 256, (images, size, size), dtype=np.uint8)
    index = [{"image_id": number, "patient": number, "source": "random", "slice": 0} for number in range(images)]
    files: dict[Input, Path] = {"clean": folder / "clean.npy", "noisy": folder / "noisy.npy"}
    write_stack(files["clean"], pixels, index)
    synthesize_stack("gaussian", files["clean"], files["noisy"], {}, seed=SEED)
    return files


def _write_features(clean: Path, width: int, explanation: Mapping[str, Any], device: str) -> dict[Input, Path]:
    """Write features of the images, and an untrained network that they are of.

    A step takes as long with it as with a trained one. If the features are annotated lesions, the images have none.
    """
    from fplbench.device import choose_device
    from fplbench.explaining.maps import OUTPUTS, write_features
    from fplbench.explaining.options import ExplanationOptions
    from fplbench.lesions.stack import write_lesions
    from fplbench.networks import UNet, weights
    from fplbench.stacks import open_stack
    from fplbench.training.loop.tensors import seeded

    options = parse_options(ExplanationOptions, explanation, "explanation")
    explained, features = clean.with_name("explained.safetensors"), clean.with_name("features.npy")
    header = {"output": OUTPUTS[options.network]}
    weights.save(seeded(lambda: UNet(width), SEED, choose_device(device)), explained, header)
    if not options.of_images:
        write_lesions(clean, np.zeros_like(open_stack(clean)), [])
    write_features(explained, clean, features, device, **explanation)
    return {"explained": explained, "features": features}


def _set_up(name: str, inputs: Mapping[Input, Path], folder: Path, options: Mapping[str, Any], device: str) -> "Stopwatch":
    """A stopwatch for a training."""
    from fplbench.training.loop.stopwatch import instead_of_training

    parsed = parse_options(TRAININGS[name].options, options, f"training.{name}")
    with instead_of_training() as found:
        TRAININGS[name].function(inputs, folder / f"{name}.safetensors", parsed, SEED, device)
    if len(found) != 1:
        raise InputError(f"The training {name!r} does not use the training loop of fplbench, so its steps cannot be timed.")
    return found[0]
