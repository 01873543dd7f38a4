"""Small stacks to train on, and trainings of a few steps."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fplbench.explaining.maps import write_features
from fplbench.noise import synthesize_stack
from fplbench.peers import PEERS
from fplbench.stacks import write_stack
from fplbench.training import TRAININGS, train
from fplbench.training.denoiser import DenoiserOptions
from fplbench.training.registry import Input

TINY = {"width": 2, "steps": 6, "batch": 2, "warm_up": 2, "log_every": 2, "save_every": 2}
EXPLANATION = {"readout": "sum", "activation": "softplus", "beta": 100.0}

# Trains in processes of their own, each of which kills itself in its fourth step: between two rows of the log, after a state.
KILLED = """
import json, os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from fplbench.numerics import Computing, use_numerics
from fplbench.training import train
from fplbench.training.loop.trainer import Adam
from tests.helpers.training import given

stacks, folder = map(Path, sys.argv[1:3])
use_numerics(Computing(**json.loads(sys.argv[4])))
step, steps = Adam.step, []

def killing(self):
    steps.append(None)
    if len(steps) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self)

def signal_of(name, training, options):
    child = os.fork()
    if child == 0:
        Adam.step = killing
        train(training, given(stacks, training), folder / f"{name}.safetensors", options, seed=1, device="cpu")
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])

print(json.dumps({name: signal_of(name, *each) for name, each in json.loads(sys.argv[3]).items()}))
"""


def write_stacks(folder: Path) -> None:
    """Write clean and noisy stacks and lesions for training and validation, a restoration network, and its features."""
    rows, columns = np.mgrid[:32, :32]
    for part, frequencies in [("", range(1, 7)), ("validation_", range(7, 10))]:
        images = np.stack([128 + 100 * np.sin((rows * i + columns) / 9) for i in frequencies]).astype(np.uint8)
        index = [{"image_id": i, "patient": 0, "source": "made up", "slice": i} for i in frequencies]
        write_stack(folder / f"{part}clean.npy", images, index)
        lesions = np.zeros_like(images)
        lesions[::2, 8:14, 8:14] = 1
        write_stack(folder / f"{part}lesions.npy", lesions)
        clean, noisy = folder / f"{part}clean.npy", folder / f"{part}noisy.npy"
        synthesize_stack("gaussian", clean, noisy, {"sigma": 0.08}, seed=0)
    restoration = folder / "restoration.safetensors"
    train("restoration", {"clean": folder / "clean.npy"}, restoration, TINY, seed=1, device="cpu")
    write_features(restoration, folder / "clean.npy", folder / "features.npy", device="cpu", **EXPLANATION)


def train_fpl(stacks: Path, out: Path, seed: int = 1, **options: object) -> None:
    """Train a denoiser on the stacks of `write_stacks`, for six steps unless the options say otherwise."""
    train("fpl", given(stacks, "fpl"), out, {**TINY, **options}, seed=seed, device="cpu")


def tiny(name: str) -> dict[str, object]:
    """Options with which a training takes six steps of a small network, using whatever it has: draws, crops, the best weights."""
    training = TRAININGS[name]
    options: dict[str, object] = {**TINY, "validate_every": 2}
    if issubclass(training.options, DenoiserOptions):
        options |= {"draws": 2, "patch": 16, "feature_interval": 2}
    if "validation_clean" in training.inputs:
        options |= {"keep": "best"}
    if "blocks" in training.options.model_fields:
        options |= {"blocks": 1}
    options = {key: value for key, value in options.items() if key in training.options.model_fields}
    return options | dict(PEERS[name].small if name in PEERS else {})


def given(stacks: Path, name: str) -> dict[Input, Path]:
    """The inputs that a training declares, from the files of `write_stacks`."""
    return {key: stacks / ("restoration.safetensors" if key == "explained" else f"{key}.npy") for key in TRAININGS[name].inputs}


def kill(
    stacks: Path, folder: Path, trainings: Mapping[str, tuple[str, Mapping[str, object]]], **numerics: bool
) -> dict[str, int]:
    """Start trainings on the stacks of `write_stacks`, each of which is killed in its fourth step; the signals that ended them.

    Args:
        stacks: the folder of the stacks.
        folder: where they write {name}.safetensors.
        trainings: the training and its options by name.
        numerics: how networks compute, beside the defaults.
    """
    command = [sys.executable, "-c", KILLED, str(stacks), str(folder), json.dumps(trainings), json.dumps(numerics)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
