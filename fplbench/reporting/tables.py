"""The table of a data set, as in Tables 2 to 4 of the paper, independent of the file format."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fplbench.config.sections import TableOptions
from fplbench.errors import InputError, nearest
from fplbench.reporting.cells import Cell, summarise
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.lesion_scores import INSERTED, LesionScores
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.validation import Means
from fplbench.seeds import generator

Block = dict[str, dict[str, Cell]]
REFERENCE = "fpl"
SHOWN = TableOptions().metrics
"""The metrics that pages show, in the order of their blocks, where they were scored."""
LATEX = TableOptions().latex
"""The metrics in LaTeX tables."""


@dataclass(frozen=True)
class Units:
    """What the values of a block belong to, as far as intervals are concerned.

    Attributes:
        name: patients; images, where it is not known which show the same person; or lesions, where all are of one patient.
        count: their number, the largest of any noise.
    """

    name: str
    count: int


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

    Raises:
        InputError: the reference was not scored, a metric is not known, or none of those to show was scored.
    """
    labels, facts = labels or Labels(), facts or Facts()
    scored = labels.methods(name for noise in scores.values() for metric in noise.values.values() for name in metric)
    methods = scored if columns is None else [name for name in columns if name in scored]
    if reference is not None and reference not in methods:
        raise InputError(f"The reference method {reference!r} has no scores on {dataset}: {nearest(reference, methods)}")
    reference = reference or REFERENCE
    for metric in shown:
        METRICS[metric]  # an unknown name raises
    sources: dict[str, list[_Source]] = {}
    for noise in labels.noises(scores):
        for source in _sources(noise, scores[noise], facts, {"": lesions or {}, INSERTED: inserted or {}}):
            sources.setdefault(source.block, []).append(source)
    found = {metric: _block(sources[metric], methods, reference, (seed, dataset)) for metric in _ordered(sources, shown)}
    blocks = {metric: block for metric, (block, _) in found.items() if block}
    if not any(metric in blocks for metric in shown):
        raise InputError(f"None of the metrics of the table was scored on {dataset}: {', '.join(shown)}.")
    return Table(
        dataset=dataset,
        blocks=blocks,
        methods=tuple(methods),
        images=max(len(noise.image_ids) for noise in scores.values()),
        patients=max(len(set(noise.patients)) for noise in scores.values()),
        labels=labels,
        reference=reference,
        note=note,
        units={metric: found[metric][1] for metric in blocks},
        shown=tuple(shown),
        facts=facts,
        lesions=_largest(lesions),
        inserted=_largest(inserted),
        validation=validation or {},
        protocol=protocol,
    )


@dataclass(frozen=True)
class _Source:
    """What a row is made of: the block that it belongs to, the name of the metric in its scores, and the name of their units."""

    block: str
    noise: str
    metric: str
    scores: NoiseScores
    units: str


def _sources(
    noise: str, scores: NoiseScores, facts: Facts, lesions: Mapping[str, Mapping[str, LesionScores]]
) -> Iterator[_Source]:
    """The rows of a noise: metrics of images, then those of real and of inserted lesions, by what their names start with."""
    person = "patients" if facts.persons_known else "images"
    for metric in scores.values:
        yield _Source(metric, noise, metric, scores, person)
    for prefix, found in lesions.items():
        if noise in found:
            units = "lesions" if found[noise].unit == "lesion" else person
            for metric, block in found[noise].blocks.items():
                yield _Source(f"{prefix}{metric}", noise, metric, block, units)


def _block(sources: Sequence[_Source], methods: Sequence[str], reference: str, axes: tuple[int, str]) -> tuple[Block, Units]:
    """The rows of a metric, and what their intervals are over."""
    seed, dataset = axes
    block: Block = {}
    count = 0
    for source in sources:
        found = source.scores.values[source.metric]
        ordered = {method: source.scores.trained(source.metric, method) for method in methods if method in found}
        rng = generator(seed, "bootstrap", dataset, source.noise)
        row = summarise(ordered, source.scores.patients, rng, METRICS[source.metric].direction, reference)
        if row:
            block[source.noise] = row
            count = max(count, len(set(source.scores.patients)))
    return block, Units(sources[0].units, count)


def _ordered(metrics: Iterable[str], shown: Sequence[str]) -> list[str]:
    """The metrics that are shown, in that order, then the others by name."""
    found = set(metrics)
    return [*(metric for metric in shown if metric in found), *sorted(found - set(shown))]


def _largest(scores: Mapping[str, LesionScores] | None) -> LesionScores | None:
    """The scores on the noise with most lesions; all noises have the same ones, unless some were not scored."""
    return max(scores.values(), key=lambda found: found.lesions) if scores else None
