"""Counting what becomes of the slices and files that are tried, and the summary of a draw."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, TypeGuard

from fplbench.datasets.identity import Identity
from fplbench.datasets.percentiles import percentiles_of
from fplbench.datasets.persons import patients_counted_by, patients_identified, persons_known
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice
from fplbench.datasets.sampling.display import content
from fplbench.datasets.sampling.lesion_drawing import LesionTally
from fplbench.datasets.sampling.pixels import Image
from fplbench.datasets.sampling.splits import SPLITS, SamplingOptions, leak
from fplbench.datasets.scan import Scan, check_readable, files

log = logging.getLogger(__name__)

PERSONS_UNKNOWN = (
    "It is not known which images show the same person: images of one person may be in two splits, and the leakage is unknown."
)


@dataclass
class Tally:
    """Counts over all splits of a draw.

    Attributes:
        options: options of the data set.
        name: name of the data set.
        planned: files that have been read or will be read.
        used: the slices that are used, by split.
        near_empty: number of near-empty images.
        unreadable: files that cannot be read.
        given_up: files that took too long to read.
    """

    options: DatasetOptions
    name: str
    planned: set[str] = field(default_factory=set)
    used: dict[str, list[Slice]] = field(default_factory=dict)
    near_empty: int = 0
    unreadable: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def plan(self, slices: Iterable[Slice]) -> None:
        """Record files that will be read."""
        self.planned.update(one.source for one in slices)

    def accept(self, answer: Image | Failure, one: Slice) -> TypeGuard[Image]:
        """Record the result of reading a slice; returns whether it is an image that can be used.

        Raises:
            InputError: the share of unreadable files among the planned ones exceeds the limit.
        """
        if isinstance(answer, Failure):
            self.reject(one.source, answer)
            return False
        usable = content(answer.pixels) >= self.options.min_content
        self.near_empty += not usable
        return usable

    def reject(self, source: str, failure: Failure) -> None:
        """Record a file that cannot be read; each is logged once.

        Raises:
            InputError: the share of unreadable files among the planned ones exceeds the limit.
        """
        if source in self.unreadable:
            return
        self.unreadable.add(source)
        if failure.cause == "time":
            self.given_up.add(source)
        private = self.options.pseudonymise
        words = failure.words(self.options.root, source, private)
        log.warning("Unreadable: %s: %s.", Identity(private).of(source), words)
        # The share refers to all planned files, so that the order in which they are read does not matter.
        check_readable(len(self.unreadable), len(self.planned) - len(self.unreadable), self.options, self.name)


class Arranged(NamedTuple):
    """What the headers of a data set say: its slices, and the number of images left out."""

    slices: Sequence[Slice]
    omitted: int


def summarise(
    dataset: Dataset,
    sampling: SamplingOptions,
    seed: int,
    arranged: Arranged,
    found: Scan,
    tally: Tally,
    lesions: LesionTally,
    noise: float,
) -> dict[str, Any]:
    """Collect the numbers that tables and reports quote, and log them.

    Args:
        dataset: the data set.
        sampling: what was drawn.
        seed: seed of the draw.
        arranged: what the headers say.
        found: the header scan.
        tally: the counts of the draw.
        lesions: the counts of lesions and annotations.
        noise: standard deviation of the noise in the clean test images, grey levels; NaN if it cannot be measured.
    """
    known = persons_known(arranged.slices)
    given_up = found.given_up | tally.given_up
    summary = {
        **_described(dataset, tally.options, sampling),
        "split": sampling.split,
        "seed": seed,
        "persons_known": known,
        "patients_found": len({one.patient for one in arranged.slices}) if known else None,
        "patients_identified": patients_identified(arranged.slices),
        "patients_counted_by": patients_counted_by(arranged.slices),
        "images_found": len(arranged.slices),
        "patients": {split: len({one.patient for one in tally.used[split]}) if known else None for split in SPLITS},
        "images": {split: len(tally.used[split]) for split in SPLITS},
        "test_images_of_training_patients": leak(tally.used) if known else None,
        "files_left_out": found.files_left_out + arranged.omitted,
        "files_unreadable": len(found.unreadable) + len(tally.unreadable),
        "files_given_up": len(given_up),
        "reproducible": not given_up,
        "images_near_empty": tally.near_empty,
        **lesions.summary(known),
        "reference_noise": None if math.isnan(noise) else round(noise, 3),
    }
    _log(summary, tally)
    return summary


def _described(dataset: Dataset, options: DatasetOptions, sampling: SamplingOptions) -> dict[str, Any]:
    """What the images are: those who train on the stacks or show them need not know the data set."""
    window, percentiles = options.window, percentiles_of(options)
    return {
        "dataset": dataset.name,
        "loader": dataset.loader or dataset.name,
        "label": dataset.label,
        "modalities": list(dataset.modalities),
        "hounsfield": dataset.hounsfield,
        "paired": dataset.paired,
        "window": None if window is None else list(window),
        "percentiles": None if percentiles is None else list(percentiles),
        "fit": sampling.fit,
        "size": sampling.size,
        "licence": options.licence or dataset.sharing,
    }


def _log(summary: dict[str, Any], tally: Tally) -> None:
    drawn = " + ".join(f"{number} {split}" for split, number in summary["images"].items())
    if summary["persons_known"]:
        patients = len({one.patient for one in chain.from_iterable(tally.used.values())})
        log.info("Drew %s images from %d of %d patients.", drawn, patients, summary["patients_found"])
        share = 100 * summary["test_images_of_training_patients"]
        log.info("Split %s: %.1f %% of the test images show a patient of the training split.", summary["split"], share)
    else:
        log.info("Drew %s of %d images (persons unknown). %s", drawn, summary["images_found"], PERSONS_UNKNOWN)
    if sum(summary["images_annotated"].values()):
        shown = ", ".join(
            f"{number} in {summary['lesion_images'][split]} {split} images" for split, number in summary["lesions"].items()
        )
        log.info("Lesions: %s. Too small for a pixel: %d.", shown, summary["lesions_too_small"])
    if summary["reference_noise"] is not None:
        log.info("Noise of the clean test images: %.1f grey levels.", summary["reference_noise"])
    if summary["files_given_up"]:
        log.warning(
            "This draw may not be reproducible: %s took too long to read, and a faster machine may be able to read them. "
            "Raise datasets.%s.seconds_per_file and draw again.",
            files(summary["files_given_up"]),
            summary["dataset"],
        )
