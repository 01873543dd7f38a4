"""A data set with made-up annotations: LIDC's files, with masks that follow instructions."""

import os
import signal

import numpy as np

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.marks import Annotations, Lesion, Mark
from tests.helpers.loaders import change_loader


def masks(path, wanted, options):
    """Draw what each mark says, in a worker process: a box (top, left, bottom, right), or a way to fail."""
    for one in wanted:
        found = []
        for mark in one.marks:
            match mark.drawing:
                case "unreadable":
                    raise Unreadable("its mask is truncated")
                case "crash":
                    os.kill(os.getpid(), signal.SIGSEGV)
                case "other shape":
                    found.append((mark.lesion, np.ones((3, 4), bool)))
                case "many":
                    found += [(Lesion(f"{number}", "nodule"), np.ones(one.shape, bool)) for number in range(256)]
                case "missing":
                    return
                case top, left, bottom, right:
                    mask = np.zeros(one.shape, bool)
                    mask[top:bottom, left:right] = True
                    found.append((mark.lesion, mask))
        yield one.slice.image_id, found


def nodule(patient, drawing=(4, 6, 16, 18)):
    """A nodule of a patient, the same in all slices; by default a box of 12x12 pixels."""
    return Mark(Lesion(f"{patient}-nodule", "nodule", readers=3, size_mm=8.4, malignancy=2.5), drawing)


def annotate_with(monkeypatch, marks_of, faults=(), read=0, notes=()):
    """Let the data set lidc have the annotations that `marks_of` gives for a slice; None: no annotation."""

    def annotate(headers, slices, options):
        assert headers  # they are freed only afterwards
        marks = {one.image_id: marks_of(one) for one in slices}
        marks = {name: found for name, found in marks.items() if found is not None}
        return Annotations(marks, list(faults), read or len(marks), list(notes))

    change_loader(monkeypatch, "lidc", annotate=annotate, lesion_masks=masks)
