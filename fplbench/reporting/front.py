"""The front page of a report: what ran, on what data, what won, what lost, and what was not run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fplbench.config import Config
from fplbench.datasets.annotations import count
from fplbench.reporting import html
from fplbench.reporting.labels import METRICS, UNPROCESSED
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.missing import INSERTED_SCORES, LESION_SCORES, group_of
from fplbench.reporting.not_run import not_run, without_scores
from fplbench.reporting.notes import GREY_MAP
from fplbench.reporting.seeds import trainings
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.sharing import sharing_note
from fplbench.reporting.summary import compared
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import rivals
from fplbench.reporting.wins import Wins, count_wins, row_groups

MAIN = 2
"""The first so many metrics that are compared are told of in sentences."""
NAMED = 12
"""Up to so many lost rows are named."""
LEADERS = 3
"""So many methods are named that are the best most often."""
NARROW = 0.1
"""dB; rows that are won by less are counted."""
PAPER = "the feature preserving loss of Dong and Basu (arXiv 2310.20101)"
LESIONS = {frozenset({INSERTED_SCORES}): "inserted into", frozenset({LESION_SCORES}): "annotated in"}
"""How lesions belong to the images, by the groups of scores that were tested over lesions."""


def front(tables: Sequence[Table], run: Mapping[str, Any], config: Config | None = None) -> str:
    """The front page, as HTML.

    Args:
        tables: the table of each data set.
        run: the manifest of the run.
        config: the config of the run, if there is one.
    """
    licences = dict.fromkeys(sharing_note(config, table.dataset) for table in tables)
    rest = html.notes(without_scores(tables))
    left_out = html.notes(not_run(tables, config)) + (
        html.folded("Scores that are missing or cannot be tested", rest) if rest else ""
    )
    lines = {
        "What ran": escape(_ran(tables, run)),
        "On what data": escape(_data(tables, config)) + html.notes(licences),
        "What won": escape(_won(tables)),
        "What lost": escape(_lost(tables)),
        "What was not run": left_out,
    }
    found = (html.text("dt", title) + html.element("dd", content) for title, content in lines.items())
    return html.element("dl", *found, class_="glance")


def _ran(tables: Sequence[Table], run: Mapping[str, Any]) -> str:
    methods = {name for table in tables for name in table.methods} - {UNPROCESSED, GREY_MAP}
    noises = {noise for table in tables for block in table.blocks.values() for noise, cells in block.items() if cells}
    return sentences(
        f"{count(len(methods), 'method')} on {count(len(noises), 'noise')}",
        f"{tables[0].labels.method('fpl')}: {PAPER}" if "fpl" in methods else "",
        *dict.fromkeys(table.protocol for table in tables),
        *dict.fromkeys(trainings(table) for table in tables),
        f"Results of fplbench {run['fplbench']}, {run['created'][:10]}",
    )


def _data(tables: Sequence[Table], config: Config | None) -> str:
    parts = []
    for table in tables:
        images = f"{count(table.images, 'test image')}{table.facts.whose(table.patients)}"
        name, read = table.labels.dataset(table.dataset), table.facts.acquisition()
        note = "" if config is None else config.notes.get(table.dataset, "")
        parts += [f"{name}{f' ({read})' if read else ''}: {images}", note]
    return sentences(*parts)


def _won(tables: Sequence[Table]) -> str:
    metrics = _main(tables)
    if not metrics:
        return sentences(f"{_reference(tables)} is compared with nothing, as it has no scores", *_best(tables, ["psnr"]))
    parts = [f"A row is one noise on one data set. Its rival is whichever other method was best on {_chosen(tables)} images"]
    for metric in metrics:
        wins = _wins(tables, metric)
        each = ", ".join(f"{name} {one.ahead} of {one.rows}" for name, one in wins.items()) if len(wins) > 1 else ""
        ahead, rows = sum(one.ahead for one in wins.values()), sum(one.rows for one in wins.values())
        whole = f"{METRICS[metric].label}: {_reference(tables)} is ahead of its rival in {ahead} of {count(rows, 'row')}"
        narrow = sum(_narrow(table) for table in tables) if metric == "psnr" else 0
        parts.append(
            whole + (f" ({each})" if each else "") + (f", by less than {NARROW} dB in {narrow} of them" if narrow else "")
        )
    number, tested = _verdicts(tables, "better")
    paired = f"By paired tests, {_reference(tables)} is better in {number} of the {tested}"
    return sentences(*parts, *_best(tables, metrics[:1]), paired if tested else "")


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
    number, tested = _verdicts(tables, "worse")
    paired = f"By paired tests, {_reference(tables)} is worse in {number} of the {tested}"
    return sentences(*parts, _lesions(tables), paired if tested else "") or "Nothing is compared."


def _lesions(tables: Sequence[Table]) -> str:
    """How well the contrast of lesions is kept beside the rival and the unprocessed image; "" without scored lesions."""
    behind, worse = [], []
    for prefix, kind in (("", "annotated"), (INSERTED, "inserted")):
        wins = list(_wins(tables, f"{prefix}recovery_error").values())
        lesions = sum(found.scored for table in tables if (found := table.inserted if prefix else table.lesions))
        rows = sum(one.rows for one in wins)
        below = [one.below_noisy for one in wins if one.below_noisy is not None]
        if rows:
            behind.append(f"{rows - sum(one.ahead for one in wins)} of {count(rows, 'row')} ({count(lesions, f'{kind} lesion')})")
        if below:
            worse.append(f"{sum(below)} of {rows}")
    if not behind:
        return ""
    text = f"Contrast of lesions (|1 − recovery|): {_reference(tables)} is not ahead in {listed(behind)}"
    return text + (f"; it keeps the contrast worse than the unprocessed image in {listed(worse)}" if worse else "")


def _narrow(table: Table) -> int:
    """In how many rows the reference leads by PSNR, but by less than `NARROW`."""
    gaps = {rival.noise: rival.gap for rival in rivals(table, "psnr")}
    return sum(0 < min(gaps[noise] for noise in group) < NARROW for group in row_groups(gaps))


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
    """Which methods have the best mean most often."""
    found = []
    for metric in metrics:
        blocks = [table.blocks.get(metric, {}) for table in tables]
        groups = [[block[noise] for noise in group] for block in blocks for group in row_groups(block)]
        wins = Counter(name for rows in groups for name in rows[0] if all(name in row and row[name].best for row in rows))
        leaders = [f"{tables[0].labels.method(name)} ({number})" for name, number in _leaders(wins)]
        if leaders:
            found.append(f"Most often the best by {METRICS[metric].label} in {count(len(groups), 'row')}: {listed(leaders)}")
    return found


def _leaders(wins: Counter[str]) -> list[tuple[str, int]]:
    """The first methods, without those that tie with the next one; if none is ahead of a tie, all that tie."""
    ranked = wins.most_common()
    tie = ranked[LEADERS][1] if len(ranked) > LEADERS else 0
    return [entry for entry in ranked if entry[1] > tie] or [entry for entry in ranked if entry[1] == tie]


def _verdicts(tables: Sequence[Table], outcome: str) -> tuple[int, str]:
    """In how many rows of all scores a verdict was reached, and the rows in which one could be; "" if there are none."""
    rows: Counter[str] = Counter()  # by the group of scores where the test is over lesions, else by ""
    number = 0
    for table in tables:
        for metric in compared(tables)[table.dataset]:
            won = count_wins(table, metric)
            if won.better is not None and won.undecided is not None and won.worse is not None:
                group = group_of(metric) if table.units[metric].name == "lesions" else ""
                rows[group] += won.better + won.undecided + won.worse
                number += getattr(won, outcome)
    total, single = rows.total(), rows.total() - rows[""]
    if not total:
        return 0, ""
    whose = LESIONS.get(frozenset(filter(None, rows)), "in")
    over = f", {'all' if single == total else f'{single} of them'} of lesions {whose} images of one patient" if single else ""
    return number, f"{count(total, 'row')} that can be tested{over}"


def _chosen(tables: Sequence[Table]) -> str:
    """On which images rivals were chosen."""
    metrics = compared(tables)
    found = {rival.chosen_on for table in tables for metric in metrics[table.dataset] for rival in rivals(table, metric)}
    return " or ".join(name for name in ("validation", "test") if name in found)


def _reference(tables: Sequence[Table]) -> str:
    return tables[0].labels.method(tables[0].reference)
