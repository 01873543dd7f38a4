"""A data set's table, as Tables 2 to 4 of the paper, before it takes a file format."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fplbench.denoising.columns import TUNED_MARK
from fplbench.errors import InputError, nearest
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.statistics import Cell, Lead, holm, summarise
from fplbench.seeds import generator

Block = dict[str, dict[str, Cell]]
REFERENCE = "fpl"
SIGNIFICANCE = 0.05
FEW_PATIENTS = 10


@dataclass(frozen=True)
class Table:
    """Means with intervals of every method on every noise of one data set.

    Attributes:
        dataset: its name.
        blocks: cells by metric, noise and method; rows and columns in the order they are printed. A cell that was not
            scored is missing.
        methods: the columns.
        images: number of test images, the largest of any noise.
        patients: number of their patients.
        labels: labels of rows and columns.
        reference: the method whose lead over the others is shown.
        note: a sentence for the caption, or "".
    """

    dataset: str
    blocks: dict[str, Block]
    methods: tuple[str, ...]
    images: int
    patients: int
    labels: Labels
    reference: str
    note: str = ""

    @property
    def caption(self) -> str:
        """The caption: what the numbers are, over how many images, and the note."""
        names = " and ".join(METRICS[metric].label for metric in self.blocks if metric in ("psnr", "ssim"))
        patients = "one patient" if self.patients == 1 else f"{self.patients} patients"
        text = f"{self.labels.dataset(self.dataset)} {names} comparison: "
        text += f"mean over {self.images} test images of {patients}. The best of each row is bold."
        if "noisy" in self.methods:
            text += " Noisy is the image as it came."
        if any(self.labels.method(name).endswith(TUNED_MARK) for name in self.methods):
            text += f" {TUNED_MARK}: with the options that were best on training images."
        return f"{text} {self.note}".strip()

    @property
    def interval_note(self) -> str:
        """How the intervals were made, for the formats that show them."""
        if self.patients == 1:
            return "Intervals: 95 %, paired bootstrap over images of one patient; they say nothing about other patients."
        few = " With so few patients they are too narrow." if self.patients < FEW_PATIENTS else ""
        return f"Intervals: 95 %, paired bootstrap over patients.{few}"


@dataclass(frozen=True)
class Verdict:
    """How the reference method stands against the best other one, the unprocessed image included, in one row.

    `p` is adjusted for the number of rows of the block.
    """

    noise: str
    rival: str
    lead: Lead
    p: float

    @property
    def outcome(self) -> str:
        """Better or worse where the adjusted p is below 0.05, else undecided."""
        if self.p >= SIGNIFICANCE:
            return "undecided"
        return "better" if self.lead.value > 0 else "worse"


def build_table(
    dataset: str,
    scores: Mapping[str, NoiseScores],
    seed: int,
    labels: Labels | None = None,
    note: str = "",
    reference: str | None = None,
) -> Table:
    """Summarise the scores of a data set.

    Args:
        dataset: its name.
        scores: scores by noise, from `read_scores`.
        seed: seed of the run; the bootstrap draws depend on it, on the data set and on the noise.
        labels: labels and order of rows and columns.
        note: a sentence for the caption.
        reference: the method whose lead over the others is wanted; None is fpl, where it was scored.

    Raises:
        InputError: the reference was not scored.
    """
    labels = labels or Labels()
    methods = labels.methods({name for noise in scores.values() for metric in noise.values.values() for name in metric})
    if reference is not None and reference not in methods:
        raise InputError(f"The reference method {reference!r} has no scores on {dataset}: {nearest(reference, methods)}")
    reference = reference or REFERENCE
    noises = labels.noises(scores)
    blocks = {
        metric: {
            noise: _row(scores[noise], metric, methods, generator(seed, "bootstrap", dataset, noise), reference)
            for noise in noises
            if metric in scores[noise].values
        }
        for metric in METRICS
    }
    return Table(
        dataset=dataset,
        blocks={metric: block for metric, block in blocks.items() if block},
        methods=tuple(methods),
        images=max(len(noise.image_ids) for noise in scores.values()),
        patients=max(len(set(noise.patients)) for noise in scores.values()),
        labels=labels,
        reference=reference,
        note=note,
    )


def verdicts(table: Table, metric: str) -> list[Verdict]:
    """Compare the reference method with the best other one in every row of a block; empty without the reference."""
    sign = 1 if METRICS[metric].higher_is_better else -1
    found = []
    for noise, cells in table.blocks.get(metric, {}).items():
        rivals = {method: cell for method, cell in cells.items() if cell.lead is not None}
        if rivals:
            rival = max(rivals, key=lambda method: sign * rivals[method].mean)
            found.append((noise, rival, rivals[rival].lead))
    adjusted = holm([lead.p for _, _, lead in found])
    return [Verdict(*row, p) for row, p in zip(found, adjusted, strict=True)]


def _row(scores: NoiseScores, metric: str, methods: list[str], rng: np.random.Generator, reference: str) -> dict[str, Cell]:
    values = scores.values[metric]
    ordered = {method: values[method] for method in methods if method in values}
    return summarise(ordered, scores.patients, rng, METRICS[metric].higher_is_better, reference)
