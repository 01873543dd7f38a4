"""The values of a published table beside those of a run."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fplbench import published
from fplbench.published import COUNTERPARTS, TEXT, Erratum, Published
from fplbench.reporting.labels import Labels
from fplbench.reporting.scores import NoiseScores


@dataclass(frozen=True)
class Value:
    """A published value and the mean of a run.

    Attributes:
        printed: the published value, None if it is missing.
        ours: the mean over the test images, None if it was not scored.
        errata: what is wrong with the published value, without what the paper's text alone has wrong.
        bold: whether the published value is printed in bold face.
    """

    printed: float | None
    ours: float | None
    errata: tuple[Erratum, ...] = ()
    bold: bool = False

    @property
    def difference(self) -> float | None:
        """Ours minus published, None where there are not both."""
        return None if self.printed is None or self.ours is None else self.ours - self.printed


@dataclass(frozen=True)
class Row:
    """A noise and a method of the published table.

    Attributes:
        noise: name of the noise.
        method: name of the method.
        values: by published metric, psnr (beside which stands the wrapped PSNR) and ssim; one that the paper has no row of is
            missing.
        true: mean true PSNR of the run in dB, None if it was not scored.
    """

    noise: str
    method: str
    values: Mapping[str, Value]
    true: float | None


@dataclass(frozen=True)
class Comparison:
    """A published table beside a run.

    Attributes:
        dataset: name of the data set.
        rows: in the order of the tables, all methods of a noise together; empty if the paper does not have the data set.
        absent_noises: noises of the paper that the run does not have.
        absent_methods: methods of the paper that the run does not have on any of the other noises.
        other_noises: noises of the run that the paper does not have.
        other_methods: methods of the run that the paper does not have, the unprocessed image among them.
    """

    dataset: str
    rows: tuple[Row, ...]
    absent_noises: tuple[str, ...] = ()
    absent_methods: tuple[str, ...] = ()
    other_noises: tuple[str, ...] = ()
    other_methods: tuple[str, ...] = ()
    labels: Labels = field(default_factory=Labels)

    @property
    def noises(self) -> list[str]:
        """The noises of the rows, in order."""
        return list(dict.fromkeys(row.noise for row in self.rows))

    def of(self, noise: str) -> list[Row]:
        """The rows of a noise."""
        return [row for row in self.rows if row.noise == noise]

    def printed(self, metric: str) -> int:
        """How many values the paper has of a metric."""
        return sum(row.values[metric].printed is not None for row in self.rows if metric in row.values)

    def pairs(self, metric: str, noise: str) -> dict[str, tuple[float, float]]:
        """Published value and ours by method, of those methods of a noise that have both."""
        found = {row.method: row.values[metric] for row in self.of(noise) if metric in row.values}
        return {
            method: (value.printed, value.ours)
            for method, value in found.items()
            if value.printed is not None and value.ours is not None
        }


def compare(dataset: str, scores: Mapping[str, NoiseScores], labels: Labels | None = None) -> Comparison:
    """Put the scores of a run beside the published table of a data set.

    Args:
        dataset: name of the data set.
        scores: its scores by noise and column, from `read_columns`.
        labels: labels, which set the order of the rows.
    """
    labels = labels or Labels()
    entries = {entry[1:4]: entry for entry in published.tables() if entry.dataset == dataset}
    noises, methods = {noise for _, noise, _ in entries}, {method for *_, method in entries}
    means = dict(_means(scores))
    own = {method for noise in scores.values() for method in noise.values["psnr"]}
    shared = {method for noise in noises & scores.keys() for method in scores[noise].values["psnr"]}
    rows = []
    for noise in labels.noises(noises):
        for method in labels.methods(methods):
            values = {
                metric: _value(entries[metric, noise, method], means.get((counterpart, noise, method)))
                for metric, counterpart in COUNTERPARTS.items()
                if (metric, noise, method) in entries
            }
            rows.append(Row(noise, method, values, means.get(("psnr", noise, method))))
    return Comparison(
        dataset=dataset,
        rows=tuple(rows),
        absent_noises=tuple(labels.noises(noises - scores.keys())),
        absent_methods=tuple(labels.methods(methods - shared)),
        other_noises=tuple(labels.noises(scores.keys() - noises)),
        other_methods=tuple(labels.methods(own - methods)),
        labels=labels,
    )


def _means(scores: Mapping[str, NoiseScores]) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Means over the images by metric, noise and method, of the metrics that are compared and of the true PSNR."""
    for noise, found in scores.items():
        for metric in ("psnr", *COUNTERPARTS.values()):
            for method, values in found.values[metric].items():
                yield (metric, noise, method), float(values.mean())


def _value(entry: Published, ours: float | None) -> Value:
    found = [erratum for erratum in published.errata() if erratum.kind != TEXT and erratum.covers(*entry[:4])]
    return Value(None if math.isnan(entry.value) else entry.value, ours, tuple(found), entry.bold)
