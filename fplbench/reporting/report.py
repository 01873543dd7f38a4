"""The report of a run, report.html, which needs no other file."""

import base64
import json
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.errors import InputError
from fplbench.reporting import html
from fplbench.reporting.choices import choice_note
from fplbench.reporting.labels import METRICS
from fplbench.reporting.notes import units_of, why_undecided
from fplbench.reporting.sections import table_section
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import rivals, verdicts
from fplbench.reporting.wins import count_wins, row_groups, wins_sentence


def report(tables: Sequence[Table], figures: Mapping[str, str], run: Mapping[str, Any], title: str, note: str = "") -> str:
    """The report as one HTML page that includes its figures.

    Args:
        tables: the table of each data set.
        figures: captions by the path of the picture. A picture belongs to a data set if its folder or a word of its own name,
            between underscores, is the name of the data set; all others are shown at the end.
        run: the manifest of the run.
        title: heading of the page.
        note: sentences below the heading.

    Raises:
        InputError: a picture is missing or is not a picture.
    """
    left = dict(figures)
    sections = []
    for table in tables:
        own = {path: left.pop(path) for path in list(left) if _belongs(path, table.dataset)}
        sections += [html.text("h2", table.labels.dataset(table.dataset)), table_section(table), *_figures(own)]
    if left:
        sections += [html.text("h2", "Figures"), *_figures(left)]
    introduction = html.text("p", note, class_="note") if note else ""
    return html.page(title, "".join([introduction, summary(tables), *sections, *_run(run)]))


def summary(tables: Sequence[Table]) -> str:
    """How often the reference method is ahead of its rival, and the rows in which it is not; "" if it was not scored.

    Where there are too few patients for verdicts, there are only the numbers of rows; the caption says why.
    """
    compared = {table.dataset: [metric for metric in table.shown_blocks if rivals(table, metric)] for table in tables}
    if not any(compared.values()):
        return ""
    decided = any(verdicts(table, metric) for table in tables for metric in compared[table.dataset])
    reference = tables[0].labels.method(tables[0].reference)
    rows = [[_summary_row(table, metric, decided) for metric in compared[table.dataset]] for table in tables]
    over = dict.fromkeys(
        units_of(table, [metric for metric in compared[table.dataset] if verdicts(table, metric)]) for table in tables
    )
    seeds = (
        " and training seeds" if max(number for table in tables for number in (1, *table.seeds.values())) >= MINIMUM_SEEDS else ""
    )
    judged = (
        f"Better and worse: p below 0.05 in a test over {' or '.join(filter(None, over))}{seeds}, adjusted for the rows of the "
        "data set and metric (Holm)"
    )
    caption = sentences(
        f"{reference} compared with another method, its rival, in each row",
        choice_note(tables, list(dict.fromkeys(metric for metrics in compared.values() for metric in metrics))),
        f"Ahead: rows in which {reference} has the better mean than its rival. Best: rows in which it has the best mean of all",
        judged if decided else "",
        f"Below noisy: rows in which the unprocessed image scores better than {reference}",
        *_undecided(tables, compared),
    )
    outcomes = ("Better", "Undecided", "Worse") if decided else ()
    head = [
        html.text("th", name, class_="text" if name in ("Data set", "Score") else "")
        for name in ("Data set", "Score", "Rows", "Ahead", "Best", *outcomes, "Below noisy")
    ]
    defeats = [_defeats(table, metric) for table in tables for metric in compared[table.dataset]]
    lost = html.text("p", f"Rows in which {reference} is behind its rival, with the rival:") if any(defeats) else ""
    count = wins_sentence(tables)
    above = html.text("h2", "Summary") + (html.text("p", count) if count else "")
    return above + html.table(caption, head, rows) + lost + html.notes(defeats)


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read run.json; InputError if it is missing or is not the manifest of a run."""
    try:
        run = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except ValueError as error:
        raise InputError(f"{path} is not a JSON file: {error}.") from None
    if not isinstance(run, dict) or "packages" not in run:
        raise InputError(f"{path} is not the manifest of a run.")
    return run


def _undecided(tables: Sequence[Table], compared: Mapping[str, Sequence[str]]) -> list[str]:
    """Why there are no verdicts, each reason with the data sets that it holds for."""
    reasons: dict[str, list[str]] = {}
    for table in tables:
        for reason in why_undecided(table, compared[table.dataset]):
            reasons.setdefault(reason, []).append(table.labels.dataset(table.dataset))
    return [f"{reason.removesuffix('.')} ({', '.join(names)})" for reason, names in reasons.items()]


def _summary_row(table: Table, metric: str, decided: bool) -> str:
    found = count_wins(table, metric)
    outcomes = (found.better, found.undecided, found.worse) if decided else ()
    numbers = [
        "–" if number is None else str(number) for number in (found.rows, found.ahead, found.best, *outcomes, found.below_noisy)
    ]
    names = (table.labels.dataset(table.dataset), METRICS[metric].label)
    return "".join([*(html.text("td", name, class_="text") for name in names), *(html.text("td", n) for n in numbers)])


def _defeats(table: Table, metric: str) -> str:
    """The rows of a block in which another method is better, with that method and by how much; "" if there are none."""
    unit = METRICS[metric].unit
    lost = {
        rival.noise: f"{table.labels.noise(rival.noise)} ({table.labels.method(rival.method)} by "
        f"{-rival.gap:.{METRICS[metric].digits + 1}f}{f' {unit}' if unit else ''})"
        for rival in rivals(table, metric)
        if rival.gap < 0
    }
    rows = [" and ".join(lost[noise] for noise in group) + (" (one row)" if len(group) > 1 else "") for group in row_groups(lost)]
    return f"{table.labels.dataset(table.dataset)}, {METRICS[metric].label}: {', '.join(rows)}" if rows else ""


def _belongs(path: str, dataset: str) -> bool:
    place = Path(path)
    return dataset in (place.parent.name, *place.stem.split("_"))


def _figures(figures: Mapping[str, str]) -> Iterator[str]:
    for path, caption in figures.items():
        kind = mimetypes.guess_type(path)[0] or ""
        if not kind.startswith("image/"):
            raise InputError(f"{path} is not a picture that a page can show; give a .png or .svg file.")
        try:
            data = base64.b64encode(Path(path).read_bytes()).decode()
        except FileNotFoundError:
            raise InputError(f"{path} does not exist.") from None
        picture = f'<img alt="" src="data:{kind};base64,{data}">'
        yield html.element("figure", picture, html.text("figcaption", caption))


def _run(run: Mapping[str, Any]) -> Iterator[str]:
    git = run["git"] or {"revision": "none", "modified": False}
    facts = {
        "Created": run["created"],
        "fplbench": f"{run['fplbench']}, revision {git['revision']}{', modified' if git['modified'] else ''}",
        "Python": run["python"],
        "Machine": f"{run['hardware']['processor']}, {run['hardware']['cores']} cores, "
        f"{run['hardware']['memory_mib'] / 1024:.1f} GiB, GPU: {', '.join(run['hardware']['gpus']) or 'none'}",
        "Seed": str(run["seed"]),
        "Files in the manifest": str(len(run["files"])),
    }
    rows = [html.text("th", key) + html.text("td", value, class_="text") for key, value in facts.items()]
    yield html.text("h2", "Run") + html.table("", [], [rows])
    yield html.element("details", html.text("summary", "The complete manifest"), html.text("pre", json.dumps(run, indent=2)))
