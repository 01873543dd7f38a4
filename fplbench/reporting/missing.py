"""The cells that a table needs and does not have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fplbench.errors import InputError
from fplbench.reporting.columns import method_of
from fplbench.reporting.labels import METRICS
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.lesion_scores import METRICS as LESION_METRICS
from fplbench.reporting.sentences import listed, sentences

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.reporting.tables import Table

IMAGE_SCORES, LESION_SCORES, INSERTED_SCORES = "image scores", "lesion scores", "scores of inserted lesions"
FEATURE_ERROR = "feature_error"
NAMED = 3
"""How many missing cells a message names, and how many methods or noises each group in a caption."""
TOLD = 6
"""How many groups of missing cells a caption names."""

Trainings = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Number of trainings that were scored by metric, noise and column."""


@dataclass(frozen=True)
class Expected:
    """What the table of a data set needs, as the config of the run has it: every column on every noise.

    Attributes:
        columns: the columns.
        noises: the noises.
        trainings: number of trainings of those columns that have several.
        features: the noises on which feature_error is scored.
        inserted: the noises on which inserted lesions are scored.
        elsewhere: the columns that rule files make, which have no images with inserted lesions.
    """

    columns: Sequence[str]
    noises: Sequence[str]
    trainings: Mapping[str, int] = field(default_factory=dict)
    features: Sequence[str] = ()
    inserted: Sequence[str] = ()
    elsewhere: Sequence[str] = ()


@dataclass(frozen=True)
class Missing:
    """A cell that was not scored, or not completely.

    Attributes:
        noise: the row.
        method: the column.
        what: the metric, or the group of metrics, that is missing; "" if all scores of images are.
        trained: the number of trainings that were scored and that of all, where some are missing.
    """

    noise: str
    method: str
    what: str = ""
    trained: tuple[int, int] | None = None

    def __str__(self) -> str:
        cell = f"{self.what} of {self.method}" if self.what else self.method
        trained = f" ({self.trained[0]} of {self.trained[1]} trainings)" if self.trained else ""
        return f"{cell} on {self.noise}{trained}"


def expected(config: "Config | None", dataset: str, fair: bool = False) -> Expected | None:
    """What the table of a data set, or that of its fair comparison, needs; None without a config that has the data set."""
    if config is None or dataset not in config.datasets:
        return None
    columns = {**config.columns, **(config.fair_columns if fair else {})}
    noises = [noise for noise in config.noises_of(dataset) if not fair or noise in (config.fair.noises or ())]
    inserted = config.inserted.noises if dataset in (config.inserted.datasets or ()) else ()
    return Expected(
        columns=list(columns),
        noises=noises,
        trainings={name: config.repeats for name, column in columns.items() if config.repeats > 1 and config.training_of(column)},
        features=[noise for noise in noises if noise in (config.feature_error or ())],
        inserted=[noise for noise in noises if noise in (inserted or ())],
        elsewhere=[name for name, column in columns.items() if column.method is None],
    )


def group_of(metric: str) -> str:
    """The group of a metric: image scores, lesion scores, or scores of inserted lesions."""
    if metric.startswith(INSERTED):
        return INSERTED_SCORES
    return LESION_SCORES if metric in LESION_METRICS.values() else IMAGE_SCORES


def needs(found: Trainings, metric: str, noise: str, wanted: Expected | None) -> bool:
    """Whether a metric has a row for a noise: those that are not limited to some noises have one for each, or none at all."""
    if metric == FEATURE_ERROR or metric.startswith(INSERTED):
        chosen = None if wanted is None else wanted.features if metric == FEATURE_ERROR else wanted.inserted
        return noise in found.get(metric, {}) or (chosen is not None and noise in chosen)
    return metric in found


def find_missing(found: Trainings, columns: Sequence[str], noises: Sequence[str], wanted: Expected | None) -> list[Missing]:
    """The cells of a table that were not scored.

    Args:
        found: what was scored.
        columns: the columns of the table.
        noises: its noises.
        wanted: what it needs, where a config says so; else each column has the largest number of trainings of any noise.
    """
    return [missing for noise in noises for name in columns for missing in _missing(found, noise, name, wanted)]


def check_complete(dataset: str, missing: Sequence[Missing]) -> None:
    """Raise InputError where cells are missing, with the first of them."""
    if missing:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise InputError(
            f"The table of {dataset} lacks {len(missing)} {'cell' if len(missing) == 1 else 'cells'}: "
            f"{', '.join(map(str, missing[:NAMED]))}{more}. Score what is missing, or set tables.partial: true in the config, so "
            "that dashes stand there."
        )


def check_datasets(config: "Config | None", scored: Iterable[str]) -> None:
    """Raise InputError where a whole data set of the config was not scored, unless tables may lack cells."""
    if config is None or config.tables.partial:
        return
    if absent := [name for name in config.datasets if name not in set(scored)]:
        raise InputError(
            f"There are no scores of {listed(absent)}: score what is missing, or set tables.partial: true in the config, so that "
            "the report leaves it out."
        )


def missing_note(table: "Table", metrics: Sequence[str]) -> str:
    """Which cells of some metrics were not scored, for a caption; "" if all were.

    Args:
        table: the table.
        metrics: the metrics that are shown.
    """
    shown = {*metrics, *map(group_of, metrics), ""}
    kinds: dict[tuple[str, tuple[int, int] | None], list[Missing]] = {}
    for missing in table.missing:
        if missing.what in shown:
            kinds.setdefault((missing.what, missing.trained), []).append(missing)
    told = [text for kind, found in kinds.items() for text in _told(table, *kind, found)]
    more = f"; {len(told) - TOLD} more" if len(told) > TOLD else ""
    inserted = any(group_of(metric) == INSERTED_SCORES for metric in metrics)
    elsewhere = [table.labels.method(name) for name in table.elsewhere if inserted]
    return sentences(
        f"Not scored, with a dash where there is no number: {'; '.join(told[:TOLD])}{more}" if told else "",
        f"Without scores of inserted lesions, as rule files make their images: {', '.join(elsewhere)}" if elsewhere else "",
    )


def without_inserted(found: Trainings, columns: Sequence[str], wanted: Expected | None) -> list[str]:
    """The columns that have no scores of inserted lesions and need none, as no method of the package makes them."""
    blocks = [noises for metric, noises in found.items() if metric.startswith(INSERTED)]
    scored = {name for noises in blocks for names in noises.values() for name in names}
    return [name for name in columns if blocks and name not in scored and _is_elsewhere(name, wanted)]


def _is_elsewhere(name: str, wanted: Expected | None) -> bool:
    if wanted is not None and name in wanted.columns:
        return name in wanted.elsewhere
    return method_of(name) is None


def _missing(found: Trainings, noise: str, name: str, wanted: Expected | None) -> Iterator[Missing]:
    """What is missing of one cell."""
    needed = [metric for metric in found if needs(found, metric, noise, wanted)]
    if name in without_inserted(found, [name], wanted):
        needed = [metric for metric in needed if not metric.startswith(INSERTED)]
    lacking = [metric for metric in needed if name not in found[metric].get(noise, {})]
    images = [metric for metric in needed if group_of(metric) == IMAGE_SCORES]
    if images and set(images) <= set(lacking):
        yield Missing(noise, name)
        return
    for what in dict.fromkeys(metric if group_of(metric) == IMAGE_SCORES else group_of(metric) for metric in lacking):
        yield Missing(noise, name, what)
    yield from _trainings(found, noise, name, wanted)


def _trainings(found: Trainings, noise: str, name: str, wanted: Expected | None) -> Iterator[Missing]:
    """The cell, if there are scores of some of its trainings alone."""
    scored = [(row, names[name]) for noises in found.values() for row, names in noises.items() if name in names]
    needed = max(number for _, number in scored)
    if wanted is not None:
        needed = max(needed, wanted.trainings.get(name, 1))
    number = min((number for row, number in scored if row == noise), default=needed)
    if number < needed:
        yield Missing(noise, name, trained=(number, needed))


def _told(table: "Table", what: str, trained: tuple[int, int] | None, found: Sequence[Missing]) -> Iterator[str]:
    """Missing cells of one kind in a sentence: rows without any method, then columns with the noises that they lack."""
    names: dict[str, list[str]] = {}
    for missing in found:
        names.setdefault(missing.noise, []).append(missing.method)
    empty = tuple(noise for noise, own in names.items() if set(own) == set(table.methods))
    groups: dict[tuple[str, ...], list[str]] = {empty: list(table.methods)} if empty else {}
    for name in table.methods:
        if noises := tuple(noise for noise, own in names.items() if name in own and noise not in empty):
            groups.setdefault(noises, []).append(name)
    every = {noise for block in table.blocks.values() for noise in block}
    of = f"{METRICS[what].label if what in METRICS else what} of " if what else ""
    having = f" with {trained[0]} of {trained[1]} trainings" if trained else ""
    for noises, methods in groups.items():
        whose = _few([table.labels.method(name) for name in methods], len(table.methods), "method")
        yield f"{of}{whose}{having} on {_few([table.labels.noise_title(noise) for noise in noises], len(every), 'noise')}"


def _few(words: Sequence[str], total: int, kind: str) -> str:
    """A list of words; their number where there are many."""
    if 1 < len(words) == total:
        return f"every {kind}"
    return listed(words) if len(words) <= NAMED else f"{len(words)} of {total} {kind}s"
