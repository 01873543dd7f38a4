"""Which slices become training, validation and test images."""

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, pairwise, zip_longest
from typing import Literal

from pydantic import Field

from fplbench.datasets.parts import Part
from fplbench.datasets.registry import Slice
from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.seeds import generator

SPLITS = ("train", "validation", "test")


class SamplingOptions(Options):
    """How many images of which size are drawn, and how the parts are kept apart."""

    train: int = Field(5000, ge=1, description="Training images.")
    validation: int = Field(500, ge=1, description="Validation images.")
    test: int = Field(500, ge=1, description="Test images.")
    size: int = Field(256, ge=16, le=4096, description="Side of the square images, pixels.")
    split: Literal["patient", "random_slice", "blocks"] = Field(
        "patient",
        description="patient: no patient in two parts; random_slice: the paper's draw, which leaks; "
        "blocks: for one patient, runs of neighbouring slices with gaps between the parts.",
    )
    blocks: int = Field(3, ge=1, description="With split blocks: runs of each of validation and test.")
    gap: int = Field(2, ge=0, description="With split blocks: slices left out between runs of different parts.")

    def counts(self) -> dict[str, int]:
        """Images asked for, by part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def candidates(slices: Sequence[Slice], options: SamplingOptions, seed: int, name: str) -> dict[str, Part]:
    """Draw the slices of each part, and order those that may replace them.

    The result depends on the slices, not on their order.

    Args:
        slices: every slice of the data set.
        options: the numbers asked for and the kind of split.
        seed: the seed of the run.
        name: the data set, one axis of the seed.

    Raises:
        InputError: there are too few slices or patients; the message gives the numbers asked and found.
    """
    slices = sorted(slices, key=lambda one: (one.patient, one.series, one.number, one.image_id))
    asked = options.counts()
    if len(slices) < sum(asked.values()):
        raise InputError(
            f"{name}: sampling asks for {_sum(asked)} images and finds {len(slices)}; lower the numbers in sampling."
        )
    draw = {"patient": _by_patient, "random_slice": _at_random, "blocks": _in_blocks}[options.split]
    return draw(slices, asked, options, seed, name)


def leak(parts: dict[str, Sequence[Slice]]) -> float:
    """Share of the test slices whose patient is in the training part."""
    known = {one.patient for one in parts["train"]}
    return sum(one.patient in known for one in parts["test"]) / max(len(parts["test"]), 1)


def _by_patient(slices, asked, options, seed, name) -> dict[str, Part]:
    """Share the patients out in proportion to the images asked for, then draw evenly over the patients of each part."""
    by_patient = defaultdict(list)
    for one in slices:
        by_patient[one.patient].append(one)
    patients = sorted(by_patient)
    if len(patients) < len(asked):
        raise InputError(
            f"{name}: a split by patient into {len(asked)} parts needs as many patients and finds {len(patients)}; "
            f"set sampling.split to blocks to split the slices of one patient."
        )
    patients = [patients[index] for index in generator(seed, "patients", name).permutation(len(patients))]
    parts, start = {}, 0
    for part, share in apportion(len(patients), asked).items():
        members = {patient: by_patient[patient] for patient in patients[start : start + share]}
        start += share
        found = sum(map(len, members.values()))
        if found < asked[part]:
            raise InputError(
                f"{name}: sampling.{part} asks for {asked[part]} images; the {share} of {len(patients)} patients that "
                f"fall to it have {found}."
            )
        parts[part] = spread(members, asked[part], seed, name, part)
    return parts


def apportion(total: int, weights: dict[str, int]) -> dict[str, int]:
    """Divide a total in proportion to weights by largest remainders, with at least one for each."""
    exact = {part: total * weight / sum(weights.values()) for part, weight in weights.items()}
    result = {part: math.floor(value) for part, value in exact.items()}
    by_remainder = sorted(exact, key=lambda part: result[part] - exact[part])
    for part in by_remainder[: total - sum(result.values())]:
        result[part] += 1
    for part in [part for part, share in result.items() if share == 0]:
        result[max(result, key=result.get)] -= 1
        result[part] = 1
    return result


def spread(members: dict[str, list[Slice]], count: int, seed: int, *axes: str) -> Part:
    """Draw `count` slices, evenly over the patients and over each patient's slices.

    Each patient's slices are cut into as many equal runs as it has slices to give; one slice is drawn from each run.
    """
    patients = sorted(members)
    patients = [patients[index] for index in generator(seed, "order", *axes).permutation(len(patients))]
    quotas = even_quotas([len(members[patient]) for patient in patients], count)
    groups = [
        _shuffled_runs(members[patient], quota, generator(seed, "slices", *axes, patient))
        for patient, quota in zip(patients, quotas, strict=True)
    ]
    drawn = [[run[0] for run in runs] if quota else [] for runs, quota in zip(groups, quotas, strict=True)]
    spare = [_in_turn([run[1:] if quota else run for run in runs]) for runs, quota in zip(groups, quotas, strict=True)]
    return Part(_in_turn(drawn), _in_turn(spare), groups)


def even_quotas(available: Sequence[int], count: int) -> list[int]:
    """Divide `count` as evenly as what is available allows; the first ones get what is left over."""
    quotas = [0] * len(available)
    left = count
    open_ones = [index for index, number in enumerate(available) if number]
    while left and open_ones:
        share = max(left // len(open_ones), 1)
        for index in open_ones[:left]:
            given = min(share, available[index] - quotas[index])
            quotas[index] += given
            left -= given
        open_ones = [index for index in open_ones if quotas[index] < available[index]]
    return quotas


def _shuffled_runs(slices: Sequence[Slice], count: int, random) -> list[list[Slice]]:
    """`count` equal runs of neighbours, at least one, each in random order."""
    count = max(count, 1)
    edges = [len(slices) * number // count for number in range(count + 1)]
    return [[slices[low + index] for index in random.permutation(high - low)] for low, high in pairwise(edges)]


def _in_turn(queues: Sequence[Sequence[Slice]]) -> list[Slice]:
    """The first of each queue, then the second of each, until all are empty."""
    return [one for one in chain.from_iterable(zip_longest(*queues)) if one is not None]


def _at_random(slices, asked, options, seed, name) -> dict[str, Part]:
    """The paper's draw: images at random, whatever their patient."""
    order = [slices[index] for index in generator(seed, "random_slice", name).permutation(len(slices))]
    spare = order[sum(asked.values()) :]
    parts, start = {}, 0
    for number, (part, count) in enumerate(asked.items()):
        parts[part] = Part(order[start : start + count], spare[number :: len(asked)])
        start += count
    return parts


def _in_blocks(slices, asked, options, seed, name) -> dict[str, Part]:
    """Cut the slices, in anatomical order, into runs that alternate between the parts, with gaps between the runs.

    The pattern train, validation, test repeats `blocks` times and ends with train: every part sees every region.
    The runs' lengths are in proportion to the images asked for; within a run the images are spread evenly. No seed.
    """
    pattern = [*list(asked) * options.blocks, "train"]
    usable = len(slices) - options.gap * (len(pattern) - 1)
    if usable < sum(asked.values()):
        raise InputError(
            f"{name}: sampling asks for {_sum(asked)} images in {len(pattern)} runs, which with gaps of {options.gap} "
            f"slices needs {sum(asked.values()) + options.gap * (len(pattern) - 1)}, and finds {len(slices)}; lower "
            f"the numbers, sampling.gap or sampling.blocks."
        )
    room = apportion(usable, asked)
    if any(room[part] < asked[part] for part in asked):
        room = dict(asked)
        room["train"] += usable - sum(asked.values())
    lengths = {part: _divide(room[part], pattern.count(part)) for part in asked}
    runs, start = defaultdict(list), 0
    for part in pattern:
        length = lengths[part].pop(0)
        runs[part].extend(slices[start : start + length])
        start += length + options.gap
    return {part: _evenly(runs[part], count) for part, count in asked.items()}


def _divide(total: int, number: int) -> list[int]:
    return [total * (index + 1) // number - total * index // number for index in range(number)]


def _evenly(run: Sequence[Slice], count: int) -> Part:
    """`count` slices at equal distances; each of the others stands in for the nearest of them, the nearest ones first."""
    chosen = [(2 * index + 1) * len(run) // (2 * count) for index in range(count)]
    others = sorted(set(range(len(run))) - set(chosen))
    borders = [(low + high) / 2 for low, high in pairwise(chosen)]
    near: list[list[int]] = [[] for _ in chosen]
    for index in others:
        near[bisect(borders, index)].append(index)
    neighbours = [
        [run[index] for index in sorted([centre, *indices], key=lambda index, centre=centre: abs(index - centre))]
        for centre, indices in zip(chosen, near, strict=True)
    ]
    return Part([run[index] for index in chosen], [run[index] for index in others], [neighbours])


def _sum(asked: dict[str, int]) -> str:
    return f"{' + '.join(str(count) for count in asked.values())} = {sum(asked.values())}"
