"""Choosing which slices become training, validation and test images."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.blocks import in_blocks
from fplbench.datasets.sampling.draws import Split, spread
from fplbench.datasets.sampling.options import SPLITS, SamplingOptions
from fplbench.datasets.sampling.quotas import apportion, apportion_scarce
from fplbench.errors import InputError
from fplbench.seeds import generator

__all__ = ["SPLITS", "SamplingOptions", "Split", "candidates", "leak"]

SCARCE = ("test", "train", "validation")  # which split gets the lesions of one or two patients


def candidates(
    slices: Sequence[Slice], options: SamplingOptions, seed: int, name: str, lesions: Collection[str] = frozenset()
) -> dict[str, Split]:
    """Draw the slices of each split, and order those that may replace them.

    The result depends on the slices, not on their order.

    Args:
        slices: every slice of the data set.
        options: the numbers of images and the kind of split.
        seed: seed of the run.
        name: name of the data set; each data set has a random stream of its own.
        lesions: image_ids of the slices with a lesion. They influence the draw only if `options` asks for a share of them.

    Raises:
        InputError: there are too few slices or patients. The message gives the numbers.
    """
    slices = sorted(slices, key=lambda one: (one.patient, one.series, one.number, one.image_id))
    counts = options.counts()
    total = sum(counts.values())
    if len(slices) < total:
        numbers = " + ".join(map(str, counts.values()))
        raise InputError(
            f"{name}: sampling asks for {numbers} = {total} images and finds {len(slices)}; lower the numbers in sampling."
        )
    lesions = frozenset(lesions if options.lesions.share else ())
    if options.split == "patient":
        return _by_patient(slices, options, seed, name, lesions)
    if options.split == "random_slice":
        return _at_random(slices, options, seed, name, lesions)
    return in_blocks(slices, options, name, lesions)


def leak(splits: Mapping[str, Sequence[Slice]]) -> float:
    """Share of the test slices whose patient is in the training split too."""
    known = {one.patient for one in splits["train"]}
    return sum(one.patient in known for one in splits["test"]) / max(len(splits["test"]), 1)


def _by_patient(
    slices: Sequence[Slice], options: SamplingOptions, seed: int, name: str, lesions: frozenset[str]
) -> dict[str, Split]:
    """Divide the patients, by their own shares or in proportion to the numbers of images, then draw evenly over them."""
    counts, wanted = options.counts(), options.lesion_counts()
    by_patient = defaultdict(list)
    for one in slices:
        by_patient[one.patient].append(one)
    patients = sorted(by_patient)
    if len(patients) < len(counts):
        raise InputError(
            f"{name}: splitting by patient needs at least {len(counts)} patients and finds {len(patients)}; "
            f"set sampling.split to blocks to split the slices of one patient."
        )
    patients = [patients[index] for index in generator(seed, "patients", name).permutation(len(patients))]
    shares = apportion(len(patients), options.patients.model_dump() if options.patients else counts)
    marked = {one.patient for one in slices if one.image_id in lesions}
    splits = {}
    for split, chosen in _share_out(patients, shares, marked).items():
        members = {patient: by_patient[patient] for patient in chosen}
        found = sum(map(len, members.values()))
        if found < counts[split]:
            more = " or raise sampling.patients" if options.patients else ""
            raise InputError(
                f"{name}: sampling.{split} asks for {counts[split]} images, but its patients, {len(chosen)} of {len(patients)}, "
                f"have only {found}; lower the number{more}."
            )
        splits[split] = spread(members, counts[split], seed, name, split, lesions=lesions, wanted=wanted[split])
    return splits


def _share_out(patients: Sequence[str], shares: Mapping[str, int], marked: Collection[str]) -> dict[str, list[str]]:
    """The patients of each split, in the order given; those with lesions are divided in the same proportion as all."""
    with_lesion = [patient for patient in patients if patient in marked]
    others = [patient for patient in patients if patient not in marked]
    split_patients = {}
    for split, first in apportion_scarce(len(with_lesion), shares, SCARCE).items():
        rest = shares[split] - first
        split_patients[split] = with_lesion[:first] + others[:rest]
        with_lesion, others = with_lesion[first:], others[rest:]
    return split_patients


def _at_random(
    slices: Sequence[Slice], options: SamplingOptions, seed: int, name: str, lesions: frozenset[str]
) -> dict[str, Split]:
    """Draw images at random, whichever patient they show, as in the paper."""
    counts, wanted = options.counts(), options.lesion_counts()
    order = [slices[index] for index in generator(seed, "random_slice", name).permutation(len(slices))]
    marked = [one for one in order if one.image_id in lesions]
    if len(marked) < sum(wanted.values()):
        wanted = apportion_scarce(len(marked), wanted, SCARCE)
    first, start = {}, 0
    for split, count in wanted.items():
        first[split] = marked[start : start + count]
        start += count
    taken = {one.image_id for one in marked[:start]}
    rest = [one for one in order if one.image_id not in taken]
    drawn, start = {}, 0
    for split, count in counts.items():
        more = count - len(first[split])
        drawn[split] = first[split] + rest[start : start + more]
        start += more
    return {split: Split(drawn[split], rest[start:][number::3], lesions=lesions) for number, split in enumerate(counts)}
