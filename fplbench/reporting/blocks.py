"""The blocks of a table: a metric each, with a row for each noise and a cell for each method."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fplbench.reporting.cells import Cell, summarise
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import METRICS
from fplbench.reporting.lesion_scores import INSERTED, LesionScores
from fplbench.reporting.missing import Expected, Trainings, needs
from fplbench.reporting.score_checks import check_finite, check_lesions
from fplbench.reporting.scores import NoiseScores
from fplbench.seeds import generator

Block = dict[str, dict[str, Cell]]


@dataclass(frozen=True)
class Units:
    """What the values of a block belong to, as far as intervals are concerned.

    Attributes:
        name: patients, or what stands for them where persons are not known, such as images; lesions, if all are of one patient.
        count: their number, the largest of any noise.
    """

    name: str
    count: int


@dataclass(frozen=True)
class Source:
    """What a row is made of: the block that it belongs to, the name of the metric in its scores, and the name of their units."""

    block: str
    noise: str
    metric: str
    scores: NoiseScores
    units: str


def gather(
    dataset: str,
    scores: Mapping[str, NoiseScores],
    noises: Sequence[str],
    facts: Facts,
    lesions: Mapping[str, LesionScores],
    inserted: Mapping[str, LesionScores],
) -> dict[str, list[Source]]:
    """What the rows of each block are made of, in the order of the noises.

    Raises:
        InputError: a score is infinite, or the lesions are of other images.
    """
    check_lesions(dataset, scores, lesions, inserted=False)
    check_lesions(dataset, scores, inserted, inserted=True)
    found: dict[str, list[Source]] = {}
    for noise in noises:
        for source in _of_noise(noise, scores, facts, {"": lesions, INSERTED: inserted}):
            check_finite(dataset, noise, source.metric, source.scores)
            found.setdefault(source.block, []).append(source)
    return found


def scored_trainings(sources: Mapping[str, Sequence[Source]]) -> Trainings:
    """The number of trainings that were scored, by metric, noise and method."""
    return {
        metric: {
            source.noise: {name: len(source.scores.trained(source.metric, name)) for name in source.scores.values[source.metric]}
            for source in own
        }
        for metric, own in sources.items()
    }


def summarised(
    sources: Mapping[str, Sequence[Source]], methods: Sequence[str], reference: str, axes: tuple[int, str], shown: Sequence[str]
) -> dict[str, tuple[Block, Units]]:
    """The blocks and what their intervals are over; those that are shown first, in that order.

    Args:
        sources: what the rows are made of, from `gather`.
        methods: the columns.
        reference: the method whose lead over the others is computed.
        axes: the seed of the run and the data set.
        shown: the metrics that are shown.
    """
    found = {metric: _block(sources[metric], methods, reference, axes) for metric in _ordered(sources, shown)}
    return {metric: (block, units) for metric, (block, units) in found.items() if block}


def with_empty_rows(metric: str, block: Block, noises: Sequence[str], found: Trainings, wanted: Expected | None) -> Block:
    """The block, with a row without cells for each noise that needs one."""
    return {noise: block.get(noise, {}) for noise in noises if noise in block or needs(found, metric, noise, wanted)}


def _of_noise(
    noise: str, scores: Mapping[str, NoiseScores], facts: Facts, lesions: Mapping[str, Mapping[str, LesionScores]]
) -> Iterator[Source]:
    """The rows of a noise: metrics of images, then those of real and of inserted lesions, by what their names start with."""
    if noise in scores:
        for metric in scores[noise].values:
            yield Source(metric, noise, metric, scores[noise], facts.units)
    for prefix, found in lesions.items():
        if noise in found:
            units = "lesions" if found[noise].unit == "lesion" else facts.units
            for metric, block in found[noise].blocks.items():
                yield Source(f"{prefix}{metric}", noise, metric, block, units)


def _block(sources: Sequence[Source], methods: Sequence[str], reference: str, axes: tuple[int, str]) -> tuple[Block, Units]:
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
