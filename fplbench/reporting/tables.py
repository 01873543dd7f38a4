"""The table of a data set, as in Tables 2 to 4 of the paper, independent of the file format."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fplbench.denoising.columns import TUNED_MARK
from fplbench.errors import InputError, nearest
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.sentences import sentences
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
        dataset: name of the data set.
        blocks: cells by metric, noise and method, in the order of rows and columns; those that were not scored are missing.
        methods: the columns.
        images: number of test images, the largest of any noise.
        patients: number of their patients.
        labels: labels of rows and columns.
        reference: the method whose lead over the others is shown.
        note: sentences for the caption, or "".
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
        """The caption: what the numbers are, the number of images and patients, and the note."""
        names = " and ".join(METRICS[metric].label for metric in self.blocks if metric in ("psnr", "ssim"))
        patients = "one patient" if self.patients == 1 else f"{self.patients} patients"
        text = f"{self.labels.dataset(self.dataset)} {names} comparison: "
        text += f"mean over {self.images} test images of {patients}. The best of each row is in bold."
        if "noisy" in self.methods:
            text += " Noisy: the unprocessed image."
        if any(self.labels.method(name).endswith(TUNED_MARK) for name in self.methods):
            text += f" {TUNED_MARK}: with the options that were best on training images."
        return sentences(text, self.note)

    @property
    def interval_note(self) -> str:
        """How the intervals were computed, for the formats that show them."""
        if self.patients == 1:
            return "Intervals: 95 %, paired bootstrap over images of one patient; they say nothing about other patients."
        few = " With so few patients, they are too narrow." if self.patients < FEW_PATIENTS else ""
        return f"Intervals: 95 %, paired bootstrap over patients.{few}"


@dataclass(frozen=True)
class Verdict:
    """How the reference method compares with the best other one, or the unprocessed image, in one row.

    Attributes:
        noise: the row.
        rival: the best other method.
        lead: by how much the reference method is better.
        p: p-value, adjusted for the number of rows in the block.
    """

    noise: str
    rival: str
    lead: Lead
    p: float

    @property
    def outcome(self) -> str:
        """Either `better` or `worse` if the adjusted p-value is below 0.05, else `undecided`."""
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
        dataset: name of the data set.
        scores: scores by noise, from `read_scores`.
        seed: seed of the run. The bootstrap draws depend on it, the data set and the noise.
        labels: labels of rows and columns, which also set their order.
        note: sentences for the caption.
        reference: the method whose lead over the others is computed; None is fpl, if it was scored.

    Raises:
        InputError: the reference was not scored.
    """
    labels = labels or Labels()
    methods = labels.methods(name for noise in scores.values() for metric in noise.values.values() for name in metric)
    if reference is not None and reference not in methods:
        raise InputError(f"The reference method {reference!r} has no scores on {dataset}: {nearest(reference, methods)}")
    reference = reference or REFERENCE
    blocks: dict[str, Block] = {}
    for metric in METRICS:
        for noise in labels.noises(scores):
            if metric in scores[noise].values:
                rng = generator(seed, "bootstrap", dataset, noise)
                blocks.setdefault(metric, {})[noise] = _row(scores[noise], metric, methods, rng, reference)
    return Table(
        dataset=dataset,
        blocks=blocks,
        methods=tuple(methods),
        images=max(len(noise.image_ids) for noise in scores.values()),
        patients=max(len(set(noise.patients)) for noise in scores.values()),
        labels=labels,
        reference=reference,
        note=note,
    )


def verdicts(table: Table, metric: str) -> list[Verdict]:
    """Compare the reference method with the best other one in every row of a block; empty if it was not scored."""
    sign = 1 if METRICS[metric].higher_is_better else -1
    found: list[tuple[str, str, Lead]] = []
    for noise, cells in table.blocks.get(metric, {}).items():
        rivals = [(sign * cell.mean, method, cell.lead) for method, cell in cells.items() if cell.lead is not None]
        if rivals:
            _, rival, lead = max(rivals, key=lambda row: row[0])
            found.append((noise, rival, lead))
    adjusted = holm([lead.p for _, _, lead in found])
    return [Verdict(*row, p) for row, p in zip(found, adjusted, strict=True)]


def _row(scores: NoiseScores, metric: str, methods: list[str], rng: np.random.Generator, reference: str) -> dict[str, Cell]:
    values = scores.values[metric]
    ordered = {method: values[method] for method in methods if method in values}
    return summarise(ordered, scores.patients, rng, METRICS[metric].higher_is_better, reference)
