"""The one training loop: Adam over seeded batches, logged, and resumable to the bit on the CPU."""

import logging
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from fplbench.errors import InputError
from fplbench.numerics import compile_if_asked, compiling, eager
from fplbench.training.loop.adam import Adam
from fplbench.training.loop.batches import Batches
from fplbench.training.loop.log import TrainingLog
from fplbench.training.loop.losses import LossFunction, gauges_of, load_into, state_of
from fplbench.training.loop.meter import Meter
from fplbench.training.loop.micro_batches import MicroBatches
from fplbench.training.loop.state import load_state, save_state
from fplbench.training.loop.validation import Best, Scorer
from fplbench.training.options import TrainingOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What one training belongs to, and where it keeps its files.

    Args:
        name: what is trained, for messages.
        seed: seed of the batches.
        device: where the network is.
        identity: what a state must have in common with this training to be resumed: config, data, version.
        state_path: the file to resume from; the log grows beside it, ending in .csv.
    """

    name: str
    seed: int
    device: torch.device
    identity: Mapping[str, str]
    state_path: Path

    @property
    def log_path(self) -> Path:
        """The csv file of the log."""
        return self.state_path.with_suffix(".csv")


class Trainer:
    """Trains a network in place.

    Every draw depends on the seed and the step alone, so a training that was killed and started again goes on from its last
    state as if nothing had happened. It also keeps the micro-batches to which it had to go down when memory ran out.

    Args:
        network: what is trained, on the device of the job.
        losses: the loss function; see `fplbench.training.loop.losses` for what it may have beside its terms.
        term_names: all the terms it can return.
        count: number of training images.
        options: steps, batch, rates.
        job: seed, device, files.
        interval: the loss has all its terms only in every step that this number divides; rows of the log start with
            such a step.
        validation: scores the network during training; None: it is not scored.
        draws: realisations of the images, one for each epoch in turn; see `Batches`.
    """

    def __init__(
        self,
        network: nn.Module,
        losses: LossFunction,
        term_names: list[str],
        count: int,
        options: TrainingOptions,
        job: Job,
        interval: int = 1,
        validation: Scorer | None = None,
        draws: int = 1,
    ):
        compile_if_asked(network)
        self.network, self.losses, self.term_names, self.options, self.job = network, losses, term_names, options, job
        self.group = math.ceil(options.log_every / interval) * interval
        self.batches = Batches(count, options.batch, job.seed, draws)
        self.validation, self.best = validation, Best()
        self.scores: Mapping[str, float] = {}
        size = options.micro_batch or options.batch
        self.micro_batches = MicroBatches(network, losses, options.batch, size, job.name)
        self.optimizer = Adam(network.parameters(), lr=options.learning_rate, fused=True)
        self.step = 0
        self.limit = math.inf

    def run(self) -> None:
        """Train to the last step, and go back to the best weights if the options say so.

        `scores` are then those of the validation images with the weights that are kept.

        Raises:
            InputError: the loss is not finite or has diverged (the step is named, the last good state is kept), or the state to
                resume from belongs to another training.
        """
        self._resume()
        columns = Meter.columns(self.term_names, self._metrics, gauges_of(self.losses))
        log_rows = TrainingLog(self.job.log_path, columns, self.step)
        self.network.train()
        saved, steps_in_all = self.step, self.options.steps
        with tqdm(total=steps_in_all, initial=self.step, desc=self.job.name, disable=not sys.stderr.isatty()) as bar:
            while self.step < steps_in_all:
                steps = range(self.step, min(self.step + self.group, steps_in_all))
                meter = self._train_group(steps)
                self.step = steps.stop
                self._validate(steps, meter)
                log_rows.append(meter.row())
                bar.update(len(steps))
                if bar.disable:
                    log.info("%s: step %d of %d, %s", self.job.name, self.step, steps_in_all, meter)
                if self.step - saved >= self.options.save_every and self.step < steps_in_all:
                    self._check_last_update()
                    self._save()
                    saved = self.step
        self._check_last_update()
        self._keep()

    @property
    def _metrics(self) -> tuple[str, ...]:
        """Names of the scores of validation images, which are columns of the log whether there are such images or not."""
        return self.validation.metrics if self.validation else ("psnr",)

    def _resume(self) -> None:
        state = load_state(self.job.state_path, self.network, self.optimizer, self.job.identity)
        if state is not None:
            progress, self.best.tensors, remembered = state
            load_into(self.losses, remembered)
            self.step, self.limit = int(progress["step"]), progress["limit"]
            self.best.step = int(progress["best_step"])
            self.micro_batches.size = int(progress.get("micro_batch", self.micro_batches.size))
            self.best.scores = {name: progress[f"best_{name}"] for name in self._metrics if self.best.tensors}
            log.info("%s: resuming after step %d", self.job.name, self.step)

    def _save(self) -> None:
        progress = {"step": self.step, "limit": self.limit, "best_step": self.best.step}
        progress["micro_batch"] = self.micro_batches.size
        progress |= {f"best_{name}": score for name, score in self.best.scores.items()}
        best, remembered = self.best.tensors, state_of(self.losses)
        save_state(self.job.state_path, self.network, self.optimizer, progress, self.job.identity, best, remembered)

    def _validate(self, steps: range, meter: Meter) -> None:
        """Score the network on validation images, if one of these steps is due or the last of all."""
        interval = self.options.validation_interval
        due = steps.stop // interval > steps.start // interval or steps.stop == self.options.steps
        if self.validation is None or not due:
            return
        with eager():
            self.scores = self.validation.scores()
        meter.validated(self.scores)
        if self.options.keep == "best":
            self.best.see(self.scores, steps.stop, self.network)

    def _keep(self) -> None:
        """Go back to the best weights, if they are to be kept; and say what became of the validation images."""
        if self.options.keep == "best":
            self.network.load_state_dict(self.best.tensors)
            self.scores = self.best.scores
            log.info("%s: the weights after step %d of %d are kept", self.job.name, self.best.step, self.options.steps)
        for name, score in self.scores.items():
            log.info("%s: %s of validation images %.4g", self.job.name, name, score)

    def _train_group(self, steps: range) -> Meter:
        """Train the steps of one row of the log; nothing is copied between host and device before the last of them."""
        began = time.perf_counter()
        meter = Meter(self.term_names, self.job.device, gauges_of(self.losses))
        positions = torch.from_numpy(self.batches.of(steps)).to(self.job.device)
        for step, batch in zip(steps, positions, strict=True):
            rate = learning_rate(self.options, step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self._train_step(step, batch, meter, measure=step == steps.start)
        totals = torch.stack([meter.totals[step] for step in steps]).cpu()
        if math.isinf(self.limit):
            # The median: a first batch may be one that its noise left as it was.
            self.limit = self.options.divergence_factor * max(float(totals.nanmedian()), 1e-3)
        self._check(steps, totals)
        meter.finish(steps.stop, rate, len(steps) * self.options.batch / (time.perf_counter() - began))
        return meter

    def _train_step(self, step: int, batch: torch.Tensor, meter: Meter, measure: bool) -> None:
        """One optimiser step over a batch, in micro-batches whose gradients add up."""
        with compiling(self.job.name):
            self.micro_batches.take_gradients(step, batch, meter, measure)
        self.optimizer.step()

    def _check_last_update(self) -> None:
        """Check the loss that the last update led to, which no step has seen; network and loss function stay as they are.

        It is the loss of images of the last step: only with that step's number may a loss draw once more.
        """
        last = self.step - 1
        positions = torch.from_numpy(self.batches.of(range(last, self.step))[0]).to(self.job.device)
        with compiling(self.job.name):
            total = self.micro_batches.loss(last, positions)
        self._check(range(self.step, self.step + 1), total[None].cpu())

    def _check(self, steps: range, totals: torch.Tensor) -> None:
        """Raise InputError at the first loss that is not finite or beyond the limit."""
        bad = (~torch.isfinite(totals) | (totals > self.limit)).nonzero()
        if len(bad):
            first = int(bad[0])
            state = self.job.state_path
            kept = f"the last good state is kept in {state}" if state.exists() else "no earlier state was saved"
            raise InputError(
                f"the training of {self.job.name} stopped: its loss is {float(totals[first]):.4g} at step {steps[first]}; "
                f"{kept}. A lower learning_rate or feature_weight may help; to train with other options, delete that state first."
            )


def learning_rate(options: TrainingOptions, step: int) -> float:
    """Rate of a step: linear rise over the warm-up, then linear fall to the final rate."""
    warm_up = options.warm_up_steps
    if step < warm_up:
        return options.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / max(1, options.steps - warm_up)
    return options.learning_rate * (1 - (1 - options.final_rate) * done)
