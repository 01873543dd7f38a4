"""What becomes of the slices and files that are tried in the second pass, and the summary of a draw."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from fplbench.datasets.display import content
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import Image
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice
from fplbench.datasets.scan import Scan, check_readable, files
from fplbench.datasets.splits import SPLITS, SamplingOptions, leak

log = logging.getLogger(__name__)

PERSONS_UNKNOWN = (
    "Which images show one person is not known without a mapping file: images of a person can be in two parts, and the "
    "leak is not known."
)


@dataclass
class Tally:
    """Counts of a draw over all its parts; `planned` are the files that it reads or has read."""

    options: DatasetOptions
    name: str
    planned: set[str] = field(default_factory=set)
    used: dict[str, list[Slice]] = field(default_factory=dict)
    near_empty: int = 0
    unreadable: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def plan(self, slices: Iterable[Slice]) -> None:
        """Note files that are to be read."""
        self.planned.update(one.source for one in slices)

    def accept(self, one: Slice, answer: Image | Failure) -> bool:
        """Note what became of a slice; whether it can be used.

        Raises:
            InputError: a larger share of the planned files is unreadable than the options allow.
        """
        if isinstance(answer, Failure):
            self._reject(one.source, answer)
            return False
        usable = content(answer.pixels) >= self.options.min_content
        self.near_empty += not usable
        return usable

    def _reject(self, source: str, failure: Failure) -> None:
        if source in self.unreadable:
            return
        self.unreadable.add(source)
        if failure.cause == "time":
            self.given_up.add(source)
        private = self.options.pseudonymise
        words = failure.words(self.options.root, source, private)
        log.warning("Unreadable: %s: %s.", Identity(private).of(source), words)
        # As a share of all that is planned, so that the order in which files come does not matter.
        check_readable(len(self.unreadable), len(self.planned) - len(self.unreadable), self.options, self.name)


def summarise(
    dataset: Dataset, sampling: SamplingOptions, seed: int, slices: Sequence[Slice], omitted: int, found: Scan, tally: Tally
) -> dict:
    """Numbers that tables and reports quote; logged as sentences."""
    known = dataset.persons_known(tally.options)
    given_up = found.given_up | tally.given_up
    summary = {
        "dataset": dataset.name,
        "split": sampling.split,
        "seed": seed,
        "persons_known": known,
        "patients_found": len({one.patient for one in slices}) if known else None,
        "images_found": len(slices),
        "patients": {part: len({one.patient for one in tally.used[part]}) if known else None for part in SPLITS},
        "images": {part: len(tally.used[part]) for part in SPLITS},
        "test_images_of_training_patients": leak(tally.used) if known else None,
        "files_left_out": found.files_left_out + omitted,
        "files_unreadable": len(found.unreadable) + len(tally.unreadable),
        "files_given_up": len(given_up),
        "reproducible": not given_up,
        "images_near_empty": tally.near_empty,
    }
    drawn = " + ".join(f"{number} {part}" for part, number in summary["images"].items())
    if known:
        patients = len({one.patient for one in chain.from_iterable(tally.used.values())})
        log.info("Drew %s images from %d of %d patients (%s); %.1f %% of the test images are of a patient in the training part.",
                 drawn, patients, summary["patients_found"], sampling.split, 100 * leak(tally.used))  # fmt: skip
    else:
        log.info("Drew %s of %d images (persons unknown). %s", drawn, len(slices), PERSONS_UNKNOWN)
    if given_up:
        log.warning(
            "This draw may not be repeatable: %s took too long, and a faster machine may read them. Raise "
            "datasets.%s.seconds_per_file and draw again.", files(len(given_up)), dataset.name
        )  # fmt: skip
    return summary
