"""What is known about lesions before the draw: checked, logged and counted."""

import logging
from collections.abc import Mapping, Sequence

from fplbench.datasets.registry import DatasetOptions, Slice
from fplbench.errors import InputError
from fplbench.lesions.marks import Annotations

log = logging.getLogger(__name__)

FAULTS_LISTED = 20


def lesion_slices(annotations: Annotations) -> frozenset[str]:
    """The image_ids of the slices with a lesion."""
    return frozenset(name for name, marks in annotations.marks.items() if marks)


def report_annotations(annotations: Annotations) -> None:
    """Log what was left out on purpose, and the annotations that cannot be used, the first 20 by name."""
    for note in annotations.notes:
        log.info("Annotations: %s", note)
    for line in _fault_lines(annotations.faults):
        log.warning("Annotations: %s", line)


def _fault_lines(faults: Sequence[str]) -> list[str]:
    """The sentences on annotations that cannot be used, the first 20 of them."""
    more = [f"and {len(faults) - FAULTS_LISTED} more that cannot be used."] if len(faults) > FAULTS_LISTED else []
    return [*faults[:FAULTS_LISTED], *more]


def check_annotations(unusable: int, read: int, options: DatasetOptions, name: str) -> None:
    """Raise InputError if the share of annotations that cannot be used exceeds the limit.

    Args:
        unusable: number of annotations that cannot be used.
        read: number of annotations that were read, these included.
        options: options of the data set, with the limit.
        name: name of the data set.
    """
    total = max(read, unusable)
    if total and unusable / total > options.max_unreadable:
        raise InputError(
            f"{name}: {unusable} of {count(total, 'annotation')} cannot be used ({unusable / total:.1%}; the limit, "
            f"datasets.{name}.max_unreadable, is {options.max_unreadable:.1%}). They are listed above. Get the annotations "
            f"again, take the damaged ones out of the folder, or raise the limit."
        )


def annotation_lines(annotations: Annotations, slices: Sequence[Slice], persons_known: bool) -> list[str]:
    """Lines of a report: numbers of lesions, patients, slices and annotated images; notes; what cannot be used and why."""
    marks = annotations.marks
    with_lesion = [one for one in slices if marks.get(one.image_id)]
    if marks:
        lesions = {mark.lesion.lesion_id for one in with_lesion for mark in marks[one.image_id]}
        annotated = sum(one.image_id in marks for one in slices)
        patients = len({one.patient for one in with_lesion})
        of = f" of {count(patients, 'patient')}" if persons_known else ""
        lines = [
            f"Lesions:  {len(lesions)} in {count(len(with_lesion), 'image')}{of}",
            f"Annotated images: {annotated} of {len(slices)}",
        ]
    else:
        lines = ["Lesions:  no annotations found, so lesions can neither be drawn on purpose nor scored"]
    if annotations.faults:
        lines.append(f"Annotations that cannot be used: {len(annotations.faults)} of {_read(annotations)}")
    return [
        *lines,
        *(f"  {line}" for line in _fault_lines(annotations.faults)),
        *(f"  {note}" for note in annotations.notes),
    ]


def lesions_in(drawn: Mapping[str, Sequence[Slice]], annotations: Annotations) -> str:
    """How many of the drawn images show a lesion: `4 train + 1 validation + 2 test`."""
    return " + ".join(
        f"{sum(bool(annotations.marks.get(one.image_id)) for one in chosen)} {split}" for split, chosen in drawn.items()
    )


def count(number: int, noun: str) -> str:
    """A number with its noun in the singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _read(annotations: Annotations) -> int:
    return max(annotations.read, len(annotations.faults))
