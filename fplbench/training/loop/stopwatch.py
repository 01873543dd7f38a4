"""The seconds of the steps of a training, without its log, its validation and its files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fplbench.training.loop import run
from fplbench.training.loop.losses import LossFunction, gauges_of
from fplbench.training.loop.meter import Meter
from fplbench.training.loop.trainer import Job, Trainer
from fplbench.training.options import TrainingOptions


class Stopwatch(Trainer):
    """A trainer that takes single steps, times them, and writes nothing.

    Attributes:
        interval: the loss has all its terms only in every step that this number divides.
    """

    interval = 1

    def seconds(self, steps: range) -> float:
        """Take steps, and return the seconds of all of them together."""
        self.network.train()
        meter = Meter(self.term_names, self.job.device, gauges_of(self.losses))
        batches = torch.from_numpy(self.batches.of(steps)).to(self.job.device)
        self._synchronise()
        began = time.perf_counter()
        for step, batch in zip(steps, batches, strict=True):
            self._train_step(step, batch, meter, measure=False)
        self._synchronise()
        return time.perf_counter() - began

    def _synchronise(self) -> None:
        """Wait until the GPU has done what it was told to do."""
        if self.job.device.type == "cuda":
            torch.cuda.synchronize(self.job.device)


@contextmanager
def instead_of_training() -> Iterator[list[Stopwatch]]:
    """Context in which trainings are set up but not run: it yields a list that gets a stopwatch for each.

    What a training hands to `run_training` goes to its stopwatch. Trainings import that function when they are called,
    because torch is imported then, so that they find this one.
    """
    found: list[Stopwatch] = []

    def collect(
        network: nn.Module,
        loss: LossFunction,
        terms: list[str],
        count: int,
        options: TrainingOptions,
        files: Any,
        out: Path,
        seed: int,
        record: Any = None,
        interval: int = 1,
        *,
        validation: Any = None,
        draws: int = 1,
        hashes: Any = None,
        card: Any = None,
    ) -> None:
        job = Job(str(out), seed, next(network.parameters()).device, {}, out)
        watch = Stopwatch(network, loss, terms, count, options, job, interval, draws=draws)
        watch.interval = interval
        found.append(watch)

    original = run.run_training
    run.run_training = collect  # type: ignore[assignment]
    try:
        yield found
    finally:
        run.run_training = original
