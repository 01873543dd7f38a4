"""From stacks on disk to a weight file: what every training does around the loop."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from fplbench.files import file_hash, seal_path
from fplbench.networks import weights
from fplbench.networks.card import CARD_KEY, Card
from fplbench.numerics import changed_numerics
from fplbench.stacks import open_stack
from fplbench.training import TRAINING_VERSION
from fplbench.training.loop.losses import LossFunction
from fplbench.training.loop.trainer import Job, Trainer
from fplbench.training.loop.validation import Scorer
from fplbench.training.options import TrainingOptions


def load_images(path: str | os.PathLike, device: torch.device) -> torch.Tensor:
    """A whole stack as a uint8 tensor (N, H, W) on the device."""
    return torch.from_numpy(np.array(open_stack(path))).to(device)


def run_training(
    network: nn.Module,
    loss: LossFunction,
    terms: list[str],
    count: int,
    options: TrainingOptions,
    files: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    seed: int,
    record: Mapping[str, Any] | None = None,
    interval: int = 1,
    *,
    validation: Scorer | None = None,
    draws: int = 1,
    hashes: Sequence[str] = (),
    card: Card | None = None,
) -> Mapping[str, float]:
    """Run or resume a training, then write its weights and log in one piece each, and remove its state.

    Args:
        network: what is trained, on its device.
        loss: the loss function.
        terms: names of all the terms that it can return.
        count: number of training images.
        options: steps, batch, rates.
        files: what the training reads; a state is resumed only with the same content.
        out: the .safetensors file; the log is written beside it, ending in .csv.
        seed: seed of the batches.
        record: further entries of the weight file's header.
        interval: the loss has all its terms only in every step that this number divides.
        validation: scores the network during training.
        draws: realisations of the images; see `Batches`.
        hashes: SHA-256 of further files that it read, which may be gone.
        card: what the denoiser is for, which the header of the weight file gets too; the weights do not depend on it.

    Returns:
        The scores of the validation images with the weights that were written; none where there are no such images.

    Raises:
        InputError: the training diverged, or the state to resume from belongs to another training.
    """
    out = Path(out)
    read = [*map(file_hash, files), *hashes, *map(file_hash, validation.files if validation else ())]
    data = hashlib.sha256("".join(read).encode()).hexdigest()
    described = {"options": options.model_dump(), **(record or {}), "seed": seed}
    if changed := changed_numerics():
        described["numerics"] = changed
    identity = {
        "config": hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest(),
        "data": data,
        "code version": str(TRAINING_VERSION),
    }
    state_path = out.with_name(f".{out.stem}.state.safetensors")
    device = next(network.parameters()).device
    job = Job(str(out), seed, device, identity, state_path)
    trainer = Trainer(network, loss, terms, count, options, job, interval, validation, draws)
    trainer.run()
    metadata = {**described, "data": data, "training_version": TRAINING_VERSION}
    if trainer.micro_batches.size != (options.micro_batch or options.batch):
        metadata["micro_batch"] = trainer.micro_batches.size  # to which it went down when memory ran out
    if trainer.scores:
        metadata["validation"] = {name: round(score, 4) for name, score in trainer.scores.items()}
    if card is not None:
        metadata[CARD_KEY] = card.model_dump(mode="json")
    weights.save(network, out, metadata)
    job.log_path.replace(out.with_suffix(".csv"))
    state_path.unlink(missing_ok=True)
    seal_path(state_path).unlink(missing_ok=True)
    return trainer.scores
