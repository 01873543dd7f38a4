"""The front page of a report, in five lines: what ran, on what data, what won, what lost, and what was not run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fplbench.config import Config
from fplbench.datasets.annotations import count
from fplbench.reporting import html
from fplbench.reporting.labels import METRICS, UNPROCESSED
from fplbench.reporting.not_run import not_run
from fplbench.reporting.notes import GREY_MAP
from fplbench.reporting.seeds import trainings
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.summary import compared
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import rivals
from fplbench.reporting.wins import Wins, count_wins, row_groups

MAIN = 2
"""The first so many metrics that are compared are told of in sentences."""
NAMED = 12
"""Up to so many lost rows are named."""


def front(tables: Sequence[Table], run: Mapping[str, Any], config: Config | None = None) -> str:
    """The five lines, as HTML.

    Args:
        tables: the table of each data set.
        run: the manifest of the run.
        config: the config of the run, if there is one.
    """
    lines = {
        "What ran": [_ran(tables, run, config)],
        "On what data": [_data(tables, config)],
        "What won": [_won(tables)],
        "What lost": [_lost(tables)],
        "What was not run": not_run(tables, config),
    }
    return html.element("dl", *(_line(title, found) for title, found in lines.items()), class_="glance")


def _line(title: str, found: Sequence[str]) -> str:
    content = html.text("dd", found[0]) if len(found) == 1 else html.element("dd", html.notes(found))
    return html.text("dt", title) + content


def _ran(tables: Sequence[Table], run: Mapping[str, Any], config: Config | None) -> str:
    methods = {name for table in tables for name in table.methods} - {UNPROCESSED, GREY_MAP}
    noises = {noise for table in tables for block in table.blocks.values() for noise, cells in block.items() if cells}
    protocol = f", under the {config.protocol} protocol" if config is not None else ""
    return sentences(
        f"{count(len(methods), 'method')} on {count(len(noises), 'noise')}{protocol}",
        *dict.fromkeys(trainings(table) for table in tables),
        f"Results of fplbench {run['fplbench']}, {run['created'][:10]}",
    )


def _data(tables: Sequence[Table], config: Config | None) -> str:
    parts = []
    for table in tables:
        known = table.facts.persons_known
        patients = f" of {count(table.patients, 'patient')}" if known else "; which of them show the same person is not known"
        note = "" if config is None else config.notes.get(table.dataset, "")
        parts += [f"{table.labels.dataset(table.dataset)}: {count(table.images, 'test image')}{patients}", note]
    return sentences(*parts)


def _won(tables: Sequence[Table]) -> str:
    metrics = _main(tables)
    if not metrics:
        return sentences(f"{_reference(tables)} is compared with nothing, as it has no scores", *_best(tables, ["psnr"]))
    parts = [f"A row is a noise on a data set, and its rival the other method that was the best on {_chosen(tables)} images"]
    for metric in metrics:
        wins = _wins(tables, metric)
        each = ", ".join(f"{name} {one.ahead} of {one.rows}" for name, one in wins.items()) if len(wins) > 1 else ""
        ahead, rows = sum(one.ahead for one in wins.values()), sum(one.rows for one in wins.values())
        whole = f"{METRICS[metric].label}: {_reference(tables)} is ahead of its rival in {ahead} of {count(rows, 'row')}"
        parts.append(f"{whole} ({each})" if each else whole)
    return sentences(*parts, *_best(tables, metrics[:1]), _verdicts(tables, "better"))


def _lost(tables: Sequence[Table]) -> str:
    parts = []
    for metric in _main(tables):
        lost = {table.labels.dataset(table.dataset): _behind(table, metric) for table in tables}
        number = sum(map(len, lost.values()))
        names = "; ".join(f"{name} {', '.join(rows)}" for name, rows in lost.items() if rows)
        where = f": {names}" if 0 < number <= NAMED else ""
        parts.append(f"{METRICS[metric].label}: {_reference(tables)} is not ahead in {count(number, 'row')}{where}")
        below = [one.below_noisy for one in _wins(tables, metric).values() if one.below_noisy is not None]
        if below:
            parts.append(f"The unprocessed image is better in {count(sum(below), 'row')}")
    return sentences(*parts, _verdicts(tables, "worse")) or "Nothing is compared."


def _main(tables: Sequence[Table]) -> list[str]:
    """The metrics that are told of."""
    return list(dict.fromkeys(metric for metrics in compared(tables).values() for metric in metrics))[:MAIN]


def _wins(tables: Sequence[Table], metric: str) -> dict[str, Wins]:
    """What came out by the label of the data set."""
    return {table.labels.dataset(table.dataset): count_wins(table, metric) for table in tables if rivals(table, metric)}


def _behind(table: Table, metric: str) -> list[str]:
    """The rows in which the reference is not ahead of its rival."""
    gaps = {rival.noise: rival.gap for rival in rivals(table, metric)}
    groups = [group for group in row_groups(gaps) if any(gaps[noise] <= 0 for noise in group)]
    return [" with ".join(table.labels.noise(noise) for noise in group) for group in groups]


def _best(tables: Sequence[Table], metrics: Sequence[str]) -> list[str]:
    """Which methods have the best mean most often, the first three."""
    found = []
    for metric in metrics:
        blocks = [table.blocks.get(metric, {}) for table in tables]
        groups = [[block[noise] for noise in group] for block in blocks for group in row_groups(block)]
        wins = Counter(name for rows in groups for name in rows[0] if all(name in row and row[name].best for row in rows))
        leaders = [f"{tables[0].labels.method(name)} ({number})" for name, number in wins.most_common(3)]
        if leaders:
            found.append(f"Most often the best by {METRICS[metric].label} in {count(len(groups), 'row')}: {listed(leaders)}")
    return found


def _verdicts(tables: Sequence[Table], outcome: str) -> str:
    """In how many rows of all scores a verdict was reached; "" if in none there could be one."""
    wins = [count_wins(table, metric) for table in tables for metric in compared(tables)[table.dataset]]
    judged = [one for one in wins if one.better is not None and one.undecided is not None and one.worse is not None]
    rows = sum((one.better or 0) + (one.undecided or 0) + (one.worse or 0) for one in judged)
    number = sum(getattr(one, outcome) for one in judged)
    tested = f"{count(rows, 'row')} of all scores with enough patients or lesions"
    return f"By paired tests, {_reference(tables)} is {outcome} in {number} of the {tested}" if judged else ""


def _chosen(tables: Sequence[Table]) -> str:
    """On which images rivals were chosen."""
    metrics = compared(tables)
    found = {rival.chosen_on for table in tables for metric in metrics[table.dataset] for rival in rivals(table, metric)}
    return " or ".join(name for name in ("validation", "test") if name in found)


def _reference(tables: Sequence[Table]) -> str:
    return tables[0].labels.method(tables[0].reference)
