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
from fplbench.reporting.labels import METRICS
from fplbench.reporting.sections import METRICS_SHOWN, table_section
from fplbench.reporting.tables import Table, Verdict, verdicts


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
    """How often the reference method is the best in all tables, and the rows in which it is not; "" if it was not scored."""
    found = {(t.dataset, metric): verdicts(t, metric) for t in tables for metric in METRICS_SHOWN}
    if not any(found.values()):
        return ""
    reference = tables[0].labels.method(tables[0].reference)
    rows = [
        [_summary_row(table, metric, found[table.dataset, metric]) for metric in METRICS_SHOWN if found[table.dataset, metric]]
        for table in tables
    ]
    caption = (
        f"{reference} compared with the best other method of each row. Better and worse: p below 0.05, adjusted for the rows "
        f"of the data set and metric (Holm). Below noisy: rows in which the unprocessed image scores better than {reference}."
    )
    head = [
        html.text("th", name, class_="text" if name in ("Data set", "Score") else "")
        for name in ("Data set", "Score", "Rows", "Best", "Better", "Undecided", "Worse", "Below noisy")
    ]
    defeats = [sentence for table in tables for metric in METRICS_SHOWN for sentence in _defeats(table, metric)]
    listed = html.element("ul", *(html.text("li", sentence) for sentence in defeats)) if defeats else ""
    lost = html.text("p", f"Rows in which {reference} is not the best:") + listed if defeats else ""
    return html.text("h2", "Summary") + html.table(caption, head, rows) + lost


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


def _summary_row(table: Table, metric: str, found: list[Verdict]) -> str:
    outcomes = [verdict.outcome for verdict in found]
    cells = [table.blocks[metric][verdict.noise] for verdict in found]
    best = sum(row[table.reference].best for row in cells)
    below = sum(lead.value < 0 for lead in (row["noisy"].lead for row in cells if "noisy" in row) if lead is not None)
    counts = (len(found), best, outcomes.count("better"), outcomes.count("undecided"), outcomes.count("worse"), below)
    names = (table.labels.dataset(table.dataset), METRICS[metric].label)
    return "".join([*(html.text("td", name, class_="text") for name in names), *(html.text("td", str(n)) for n in counts)])


def _defeats(table: Table, metric: str) -> Iterator[str]:
    digits = METRICS[metric].digits + 1
    for verdict in verdicts(table, metric):
        if verdict.lead.value < 0:
            row = (table.labels.dataset(table.dataset), METRICS[metric].label, table.labels.noise(verdict.noise))
            lead = f"{-verdict.lead.value:.{digits}f} {METRICS[metric].unit}".rstrip()
            yield f"{', '.join(row)}: {table.labels.method(verdict.rival)} is better by {lead}."


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
