"""The plan of a run as text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fplbench.planning.counts import Operations
from fplbench.planning.devices import DEVICES
from fplbench.planning.disk import DENOISED, SCRATCH, gigabytes
from fplbench.planning.plan import Plan


def describe(plan: Plan) -> str:
    """The plan in sections, each a small table."""
    sections = [
        (f"Jobs: {sum(plan.jobs.values())}", _table((rule, str(number)) for rule, number in plan.jobs.items())),
        ("Disk", _table(_disk(plan))),
        ("Main memory that the largest job asks for", _table(_memory(plan))),
        ("Trainings", _table(_trainings(plan), HEADING)),
        ("Operations of the whole run", _table(_operations(plan))),
        ("Time of the networks on one device; small ones stay far below its speed", _hours(plan)),
    ]
    if plan.seconds is not None:
        sections.append(("Measured on this machine: time of all jobs, one after the other", _table(_measured(plan.seconds))))
        if plan.unmeasured:
            sections.append(("Not measured", [f"  {', '.join(plan.unmeasured)}"]))
    return "\n\n".join("\n".join([title, *lines]) for title, lines in sections)


HEADING = ("", "networks", "parameters", "operations of each", "of a step, an image", "with features")
TF32, SPEED = "numerics.tf32: true", "where the speed comes from"
SOURCES = {SPEED, *(device.source for device in DEVICES)}


def hours_text(hours: float) -> str:
    """A duration for people."""
    if hours < 1 / 60:
        return f"{hours * 3600:.3g} s"
    return f"{hours * 60:.3g} min" if hours < 1 else f"{hours:.3g} h"


def _disk(plan: Plan) -> Iterator[Sequence[str]]:
    kinds = {kind: size for kind, size in plan.disk.items() if kind != SCRATCH}
    kept = plan.needed_without_denoised < plan.needed
    for kind, size in kinds.items():
        yield f"{kind}, deleted when they are used" if kind == DENOISED and not kept else kind, gigabytes(size)
    yield "all results", gigabytes(sum(size for kind, size in kinds.items() if kept or kind != DENOISED))
    yield SCRATCH, gigabytes(plan.disk[SCRATCH])
    yield "needed, with one training at a time", gigabytes(plan.needed)
    if kept:
        yield "the same with keep_denoised: false", gigabytes(plan.needed_without_denoised)


def _memory(plan: Plan) -> Iterator[Sequence[str]]:
    for place, (rule, megabytes) in plan.memory.items():
        yield f"networks on the {place}: {rule}", gigabytes(megabytes * 2**20)


def _trainings(plan: Plan) -> Iterator[Sequence[str]]:
    for name, training in plan.trainings.items():
        numbers = (training.operations, training.step, training.feature_step)
        yield name, str(training.networks), f"{training.parameters:,}", *(f"{number:.3g}" for number in numbers)


def _operations(plan: Plan) -> Iterator[Sequence[str]]:
    for name, operations in plan.operations.items():
        yield name, f"{operations.total:.3g}"
    yield "all", f"{sum(plan.operations.values(), Operations()).total:.3g}"


def _hours(plan: Plan) -> list[str]:
    """The second column is left out where the config has TF32 already."""
    columns = {"as the config has it": plan.hours} | ({TF32: plan.hours_tf32} if plan.hours != plan.hours_tf32 else {})
    rows = [(one.name, *(hours_text(hours[one.name]) for hours in columns.values()), one.source) for one in DEVICES]
    return _table(rows, ("", *columns, SPEED))


def _measured(seconds: Mapping[str, float]) -> Iterator[Sequence[str]]:
    for rule, value in seconds.items():
        yield rule, hours_text(value / 3600)
    yield "all", hours_text(sum(seconds.values()) / 3600)


def _table(rows: Iterable[Sequence[str]], heading: Sequence[str] = ()) -> list[str]:
    """Rows of words in columns: names and sources to the left, numbers to the right."""
    lines = [*([heading] if heading else []), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(min(map(len, lines), default=0))]
    return ["  " + "  ".join(_aligned(line, widths)).rstrip() for line in lines]


def _aligned(words: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, (word, width) in enumerate(zip(words, widths, strict=True)):
        yield word.rjust(width) if 0 < column < len(words) - (words[-1] in SOURCES) else word.ljust(width)
