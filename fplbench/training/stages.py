"""The training stages: from stacks on disk to a weight file."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.features import open_features
from fplbench.networks import UNet, weights
from fplbench.stacks import check_same_images, file_hash, open_stack
from fplbench.training import TRAINING_VERSION
from fplbench.training.loop import Job, LossFunction, Trainer
from fplbench.training.networks import DenoiserLoss, DrunetLoss, RestorationLoss, new_denoiser, new_drunet, seeded
from fplbench.training.options import (
    DenoiserOptions,
    DrunetOptions,
    ExplanationOptions,
    TrainingOptions,
    check_gradient,
)

log = logging.getLogger(__name__)
PathLike = str | os.PathLike


def train_restoration(clean: PathLike, out: PathLike, options: TrainingOptions, seed: int, device: str = "auto") -> None:
    """Train the restoration network, which maps clean images to themselves.

    Args:
        clean: stack of clean training images.
        out: the .safetensors file; its log is written beside it, ending in .csv.
        options: width, steps, rates.
        seed: seed of the initial weights and the batches.
        device: auto, cpu or cuda.
    """
    target = choose_device(device)
    images = load_images(clean, target)
    network = seeded(lambda: UNet(options.width), seed, target)
    loss = RestorationLoss(network, images)
    run_training(network, loss, ["restoration"], len(images), options, {"output": "image"}, [clean], out, seed)


def train_denoiser(
    clean: PathLike,
    noisy: PathLike,
    out: PathLike,
    options: DenoiserOptions,
    explanation: ExplanationOptions,
    seed: int,
    restoration: PathLike | None = None,
    features: PathLike | None = None,
    device: str = "auto",
) -> None:
    """Train a denoiser with the residual loss and the feature preserving loss.

    Args:
        clean, noisy: stacks of the same training images.
        out: the .safetensors file; its log is written beside it, ending in .csv.
        options: width, steps, rates, weight and schedule of L_FP.
        explanation: how the maps are made.
        seed: seed of the initial weights and the batches.
        restoration, features: the explained network and F_clean; not needed where the weight is 0.
        device: auto, cpu or cuda.

    Raises:
        InputError: the stacks do not belong together, the features are of another network or explanation, or L_FP has no
            gradient.
    """
    target = choose_device(device)
    clean_images, noisy_images = load_images(clean, target), load_images(noisy, target)
    if clean_images.shape != noisy_images.shape:
        raise InputError(f"{noisy} has shape {tuple(noisy_images.shape)}, and {clean} {tuple(clean_images.shape)}.")
    check_same_images(clean, noisy)
    network = new_denoiser(options.width, seed, target)
    explained: dict[str, Any] = {}
    files = [clean, noisy]
    if options.weight:
        check_gradient(options, explanation)
        if restoration is None or features is None:
            raise InputError("weight is not 0, so the training needs the restoration network and the features.")
        maps = open_features(features, restoration, clean, explanation.model_dump())
        network_explained, _ = weights.load(restoration, device=str(target))
        network_explained.to(memory_format=torch.channels_last)
        explained = {
            "restoration": network_explained,
            "clean_maps": torch.from_numpy(np.array(maps)).to(target),
            "explanation": explanation,
        }
        files += [restoration, features]
    loss = DenoiserLoss(network, clean_images, noisy_images, options, **explained)
    terms = ["residual", "feature"]
    record = {"output": "noise", "explanation": explanation.model_dump()}
    run_training(network, loss, terms, len(clean_images), options, record, files, out, seed, options.every if explained else 1)


def train_drunet(clean: PathLike, out: PathLike, options: DrunetOptions, seed: int, device: str = "auto") -> None:
    """Train DPIR's denoiser on clean images with Gaussian noise of random, known levels.

    Args:
        clean: stack of clean training images.
        out: the .safetensors file; its log is written beside it, ending in .csv.
        options: width, blocks, steps, rates, patch, highest level.
        seed: seed of the initial weights, batches and noise.
        device: auto, cpu or cuda.
    """
    target = choose_device(device)
    images = load_images(clean, target)
    network = new_drunet(options, seed, target)
    loss = DrunetLoss(network, images, options, seed)
    run_training(network, loss, ["absolute"], len(images), options, {}, [clean], out, seed)


def load_images(path: PathLike, device: torch.device) -> torch.Tensor:
    """A whole stack as a uint8 tensor (N, H, W) on the device."""
    return torch.from_numpy(np.array(open_stack(path))).to(device)


def run_training(
    network: nn.Module,
    loss: LossFunction,
    terms: list[str],
    count: int,
    options: TrainingOptions,
    record: Mapping[str, Any],
    files: list[PathLike],
    out: PathLike,
    seed: int,
    every: int = 1,
) -> None:
    """Run or resume a training, then write its weights and log in one piece each, and remove its state."""
    out = Path(out)
    data = hashlib.sha256("".join(file_hash(file) for file in files).encode()).hexdigest()
    described = {"options": options.model_dump(), **record, "seed": seed}
    identity = {
        "config": hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest(),
        "data": data,
        "code version": str(TRAINING_VERSION),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    state_path = out.with_name(f".{out.stem}.state.safetensors")
    device = next(network.parameters()).device
    job = Job(str(out), seed, device, identity, state_path)
    Trainer(network, loss, terms, count, options, job, every).run()
    weights.save(network, out, {**described, "data": data, "training_version": TRAINING_VERSION})
    job.log_path.replace(out.with_suffix(".csv"))
    state_path.unlink(missing_ok=True)
