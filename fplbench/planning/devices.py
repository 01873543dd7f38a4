"""How fast known devices are, and the hours that the networks of a run take on each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fplbench.planning.counts import Counts, Operations
from fplbench.planning.images import SPLITS, denoised_in_all, joined_splits, signals
from fplbench.planning.jobs import ABLATION, TRAIN_ABLATION, networks

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.planning.asking import Job

SHARE = 0.3
"""Share of its published peak that a device is assumed to reach. Nothing here was measured on a GPU."""


@dataclass(frozen=True)
class Device:
    """A device and its speed, in 1e12 floating-point operations a second, dense matrices.

    Attributes:
        name: what it is.
        half: in bfloat16, or float16.
        single: in float32.
        tf32: in TF32; where a device has none, its float32.
        share: share of these that a run is assumed to reach; 1 where the numbers were measured with the networks of this package.
        source: where the numbers come from.
    """

    name: str
    half: float
    single: float
    tf32: float
    share: float
    source: str

    def hours(self, operations: Operations, tf32: bool) -> float:
        """Hours that some operations take.

        Args:
            operations: floating-point operations.
            tf32: whether float32 matrices are multiplied in TF32 (the config's numerics.tf32).
        """
        single = self.tf32 if tf32 else self.single
        return (operations.half / self.half + operations.single / single) / (self.share * 1e12 * 3600)


DEVICES = (
    Device("H100 or H200, SXM", 989.4, 66.9, 494.7, SHARE, "published peak x 0.3: NVIDIA, H100 Tensor Core GPU Architecture"),
    Device("A100, SXM", 312, 19.5, 156, SHARE, "published peak x 0.3: NVIDIA, A100 Tensor Core GPU Architecture"),
    Device("L40S", 362, 91.6, 183, SHARE, "published peak x 0.3: NVIDIA, L40S data sheet, without sparsity"),
    Device("RTX 4090", 165.2, 82.6, 82.6, SHARE, "published peak x 0.3: NVIDIA, Ada GPU Architecture"),
    Device("RTX 3090", 71, 35.6, 35.6, SHARE, "published peak x 0.3: NVIDIA, Ampere GA102 GPU Architecture"),
)


def operations_of_run(config: "Config", counts: Counts, jobs: "Sequence[Job]") -> dict[str, Operations]:
    """Operations of a run by what computes them: each training, features, and each method that is a network.

    Those of alignments, of comparisons of explanations and of figures, few, are left out.
    """
    trained = {name: each for name, each in networks(config, jobs).items() if name in counts.trainings}
    found = {f"training {name}": counts.trainings[name].all * each.count for name, each in trained.items()}
    found |= {f"rule {rule}": operations for rule, operations in counts.features.items()}
    images = denoised_in_all(config, jobs)
    for name, forward in counts.methods.items():
        found[f"method {name}"] = Operations(single=forward * images[name])
    for rule, number in _applied(config, jobs).items():
        found[f"rule {rule}"] = Operations(single=_of_fpl(counts) * number)
    return found


def _of_fpl(counts: Counts) -> float:
    """Operations of FPL's denoiser for one image; that of every variant of the ablation is alike."""
    return next(cost.forward for name, cost in counts.trainings.items() if name == "fpl" or name.startswith(ABLATION))


def _applied(config: "Config", jobs: "Sequence[Job]") -> dict[str, int]:
    """Images that FPL's denoisers and the variants of the ablation denoise outside of the tables, by rule."""
    found: Counter[str] = Counter()
    across = {"apply_across_datasets": config.compared, "apply_across_noises": config.generalisation or ()}
    trained = [job.wildcards for job in jobs if job.rule == TRAIN_ABLATION]
    for job in jobs:
        if job.rule in across:
            found[job.rule] += len(across[job.rule]) * config.sampling.test
        elif job.rule in ("apply_ablation", "observe_ablation"):
            of_cell = [each for each in trained if {**each, **job.wildcards} == {**job.wildcards, **each}]
            stage, first = job.wildcards.get("stage"), str(config.ablation.seeds[0])
            networks = sum(stage != "screening" or each["seed"] == first for each in of_cell)
            split = SPLITS.index("test" if stage == "test" else "validation")
            scored = config.ablation.draws * joined_splits(config)[split]
            found[job.rule] += networks * (scored if stage else signals(config))
    return found


def hours(operations: Mapping[str, Operations], tf32: bool) -> dict[str, float]:
    """Hours that these operations take on each device, one after the other; `tf32` as in `Device.hours`."""
    everything = sum(operations.values(), Operations())
    return {device.name: device.hours(everything, tf32) for device in DEVICES}
