"""The table of a data set, as in Tables 2 to 4 of the paper, independent of the file format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fplbench.config.sections import TableOptions
from fplbench.errors import InputError, nearest
from fplbench.reporting.blocks import Block, Units, gather, scored_trainings, summarised, with_empty_rows
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.missing import Expected, Missing, check_complete, find_missing, without_inserted
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.validation import Means

REFERENCE = "fpl"
SHOWN = TableOptions().metrics
"""The metrics that pages show, in the order of their blocks, where they were scored."""
LATEX = TableOptions().latex
"""The metrics in LaTeX tables."""


@dataclass(frozen=True)
class Table:
    """Means of every method on every noise of one data set, with intervals where there are enough patients.

    Attributes:
        dataset: name of the data set.
        blocks: cells by metric, noise and method, in the order of rows and columns; those that were not scored are missing.
        methods: the columns.
        images: number of test images, the largest of any noise.
        patients: number of their patients.
        labels: labels of rows and columns.
        reference: the method whose lead over the others is shown.
        note: sentences for the caption, or "".
        units: what the intervals of each metric are over.
        shown: the metrics that pages show, in the order of their blocks; the .csv file has all.
        facts: what the sampling says about the images.
        lesions: the annotated lesions that were scored, on the noise with most of them.
        inserted: the inserted ones.
        validation: means on validation images, by which rivals are chosen; a noise without any is missing.
        protocol: sentence that says which protocol made the scores, or "".
        title: what the caption starts with; "" for the data set and the scores.
        details: further remarks.
        missing: the cells that were not scored.
        elsewhere: columns that have no scores of inserted lesions, and need none, as rule files make their images.
    """

    dataset: str
    blocks: dict[str, Block]
    methods: tuple[str, ...]
    images: int
    patients: int
    labels: Labels
    reference: str
    note: str = ""
    units: Mapping[str, Units] = field(default_factory=dict)
    shown: tuple[str, ...] = SHOWN
    facts: Facts = field(default_factory=Facts)
    lesions: LesionScores | None = None
    inserted: LesionScores | None = None
    validation: Means = field(default_factory=dict)
    protocol: str = ""
    title: str = ""
    details: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def seeds(self) -> dict[str, int]:
        """With how many seeds each method was trained, of those that were trained with several, in the order of columns."""
        rows = [row for block in self.blocks.values() for row in block.values()]
        numbers = {name: max((row[name].seeds for row in rows if name in row), default=1) for name in self.methods}
        return {name: number for name, number in numbers.items() if number > 1}

    @property
    def shown_blocks(self) -> list[str]:
        """The metrics that pages show, without those that were not scored."""
        return [metric for metric in self.shown if metric in self.blocks]


def build_table(
    dataset: str,
    scores: Mapping[str, NoiseScores],
    seed: int,
    labels: Labels | None = None,
    note: str = "",
    reference: str | None = None,
    *,
    shown: Sequence[str] = SHOWN,
    facts: Facts | None = None,
    lesions: Mapping[str, LesionScores] | None = None,
    inserted: Mapping[str, LesionScores] | None = None,
    validation: Means | None = None,
    protocol: str = "",
    columns: Sequence[str] | None = None,
    wanted: Expected | None = None,
    partial: bool = False,
) -> Table:
    """Summarise the scores of a data set.

    Args:
        dataset: name of the data set.
        scores: scores by noise and column, from `read_columns`.
        seed: seed of the run. The bootstrap draws depend on it, the data set and the noise.
        labels: labels of rows and columns, which also set their order.
        note: sentences for the caption.
        reference: the method whose lead over the others is computed; None is fpl, if it was scored.
        shown: the metrics that pages show, in the order of their blocks.
        facts: what the sampling says about the images, from `read_facts`.
        lesions: scores of annotated lesions by noise, from `read_lesion_scores`.
        inserted: scores of inserted lesions by noise; in the table, the names of their metrics start with "inserted_".
        validation: means on validation images, from `read_validation`.
        protocol: sentence that says which protocol made the scores, or "".
        columns: the columns in their order; None has all of the scores, as `Labels.methods` orders them.
        wanted: the columns and noises that the table needs beside those of the scores, from `missing.expected`.
        partial: whether cells may be missing.

    Raises:
        InputError: the reference was not scored, a metric is not known, none of those to show was scored, cells are missing, a
            score is not finite, or the lesions are of other images.
    """
    labels, facts, lesions, inserted = labels or Labels(), facts or Facts(), lesions or {}, inserted or {}
    methods = _columns(scores, labels, columns, wanted)
    if reference is not None and reference not in methods:
        raise InputError(f"The reference method {reference!r} has no scores on {dataset}: {nearest(reference, methods)}")
    reference = reference or REFERENCE
    for metric in shown:
        METRICS[metric]  # an unknown name raises
    noises = labels.noises({*scores, *(() if wanted is None else wanted.noises)})
    sources = gather(dataset, scores, noises, facts, lesions, inserted)
    found = scored_trainings(sources)
    missing = find_missing(found, methods, noises, wanted)
    if not partial:
        check_complete(dataset, missing)
    blocks = summarised(sources, methods, reference, (seed, dataset), shown)
    if not any(metric in blocks for metric in shown):
        raise InputError(f"None of the metrics of the table was scored on {dataset}: {', '.join(shown)}.")
    return Table(
        dataset=dataset,
        blocks={metric: with_empty_rows(metric, block, noises, found, wanted) for metric, (block, _) in blocks.items()},
        methods=tuple(methods),
        images=max(len(noise.image_ids) for noise in scores.values()),
        patients=max(len(set(noise.patients)) for noise in scores.values()),
        labels=labels,
        reference=reference,
        note=note,
        units={metric: units for metric, (_, units) in blocks.items()},
        shown=tuple(shown),
        facts=facts,
        lesions=_largest(lesions),
        inserted=_largest(inserted),
        validation=validation or {},
        protocol=protocol,
        missing=tuple(missing),
        elsewhere=tuple(without_inserted(found, methods, wanted)),
    )


def _columns(
    scores: Mapping[str, NoiseScores], labels: Labels, columns: Sequence[str] | None, wanted: Expected | None
) -> list[str]:
    """The columns that were scored or are wanted, in their order."""
    scored = {name for noise in scores.values() for metric in noise.values.values() for name in metric}
    names = scored.union(() if wanted is None else wanted.columns)
    return labels.methods(names) if columns is None else [name for name in columns if name in names]


def _largest(scores: Mapping[str, LesionScores] | None) -> LesionScores | None:
    """The scores on the noise with most lesions; all noises have the same ones, unless some were not scored."""
    return max(scores.values(), key=lambda found: found.lesions) if scores else None
