"""The plan of a run: everything that can be said of it before it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fplbench.numerics import eager
from fplbench.planning.counts import Operations
from fplbench.planning.devices import DEVICES, hours, operations_of_run
from fplbench.planning.disk import SCRATCH, disk, needed, scratch, without_denoised
from fplbench.planning.jobs import count_by_rule, networks
from fplbench.planning.measuring import measure
from fplbench.planning.operations import count_operations
from fplbench.planning.resources import JobNeeds

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.planning.asking import Job


UNITS = {
    "size": "pixels",
    "disk": "bytes",
    "memory": "MiB",
    "needed": "bytes",
    "needed_without_denoised": "bytes",
    "operations": "floating-point operations",
    "hours": "hours",
    "hours_tf32": "hours",
    "seconds": "seconds",
    "trainings": "floating-point operations; networks and parameters are counts",
    "methods": "floating-point operations for one image",
}
"""Units of the numbers of a plan; everything else is a count."""


@dataclass(frozen=True)
class TrainingPlan:
    """What a training takes.

    Attributes:
        networks: how many are trained.
        parameters: of each.
        operations: floating-point operations of each.
        step: of a step without features, for one image.
        feature_step: of a step with features, for one image; that of `step` where there are none.
    """

    networks: int
    parameters: int
    operations: float
    step: float
    feature_step: float


@dataclass(frozen=True)
class Plan:
    """What a run takes.

    Attributes:
        size: side of the images, pixels.
        cells: number of data sets times their noises that are denoised.
        jobs: by rule.
        disk: bytes by kind, the scratch of one running training last.
        memory: MiB that the largest job asks for, by the rule: where networks run on a GPU, and where all is on the CPU.
        needed: bytes that a run takes with one training at a time.
        needed_without_denoised: the same with keep_denoised: false.
        trainings: by name.
        methods: operations for one image of each method that is a network.
        operations: of the whole run, by what computes them.
        hours: of the networks alone, one after the other, by device.
        hours_tf32: the same with numerics.tf32: true.
        seconds: of all jobs of each rule on this machine, one after the other on one core or its GPU, if they were measured.
        unmeasured: rules whose jobs are not among these seconds.
    """

    size: int
    cells: int
    jobs: Mapping[str, int]
    disk: Mapping[str, float]
    memory: Mapping[str, tuple[str, int]]
    needed: float
    needed_without_denoised: float
    trainings: Mapping[str, TrainingPlan]
    methods: Mapping[str, float]
    operations: Mapping[str, Operations]
    hours: Mapping[str, float]
    hours_tf32: Mapping[str, float]
    seconds: Mapping[str, float] | None
    unmeasured: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON values, with their units and the sources of the speeds of the devices."""
        return {**asdict(self), "units": UNITS, "sources": {device.name: device.source for device in DEVICES}}


def make_plan(config: "Config", jobs: "Sequence[Job]", device: str | None = None) -> Plan:
    """Plan a run. It reads no data.

    Args:
        config: the config of the run.
        jobs: all its jobs.
        device: auto, cpu or cuda, on which seconds are measured; None measures nothing.

    Raises:
        InputError: a package that a network needs cannot be used.
    """
    with eager():  # torch counts no operations of compiled networks
        counts = count_operations(config, jobs)
    operations = operations_of_run(config, counts, jobs)
    by_rule = count_by_rule(jobs)
    seconds = None if device is None else measure(config, counts, jobs, device)
    trainings = {
        name: TrainingPlan(network.count, cost.parameters, cost.all.total, cost.plain.total, cost.feature.total)
        for name, network in networks(config, jobs).items()
        if name in counts.trainings
        for cost in [counts.trainings[name]]
    }
    return Plan(
        size=config.sampling.size,
        cells=len({(job.wildcards["dataset"], job.wildcards["noise"]) for job in jobs if "noise" in job.wildcards}),
        jobs=by_rule,
        disk={**disk(config, jobs), SCRATCH: scratch(config, jobs)},
        memory={place: JobNeeds(config, gpu).largest(by_rule) for place, gpu in (("GPU", True), ("CPU", False))},
        needed=needed(config, jobs),
        needed_without_denoised=needed(without_denoised(config), jobs),
        trainings=trainings,
        methods=counts.methods,
        operations=operations,
        hours=hours(operations, config.numerics.tf32),
        hours_tf32=hours(operations, tf32=True),
        seconds=seconds,
        unmeasured=sorted(by_rule.keys() - seconds.keys()) if seconds else [],
    )
