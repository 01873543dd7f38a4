"""The report of a run, report.html, which needs no other file."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.config import Config
from fplbench.errors import InputError
from fplbench.reporting import html
from fplbench.reporting.front import front
from fplbench.reporting.pictures import belongs, beside, pictures
from fplbench.reporting.sections import table_parts
from fplbench.reporting.summary import SUMMARY, summary
from fplbench.reporting.tables import Table

Folder = str | os.PathLike[str] | None
VERIFY = (
    "fplbench verify recomputes the hashes, scores and tables of a folder of results. It shows that the folder is consistent, "
    "not that its author was honest."
)
ELSEWHERE = (
    "Links to other files work in the folder of results. In an archive of snakemake --report, see Explorer, The paper and "
    "Figures in its menu instead."
)
"""Stands beside links to other files: an archive moves each file to a folder of its own."""


def report(
    tables: Sequence[Table],
    figures: Mapping[str, str],
    run: Mapping[str, Any],
    title: str,
    note: str = "",
    *,
    config: Config | None = None,
    page: Folder = None,
    explorer: Folder = None,
    paper: Folder = None,
) -> str:
    """The report as one HTML page that includes its figures.

    Args:
        tables: the table of each data set.
        figures: captions by the path of the picture. A picture belongs to a data set if its folder, or words of its own name
            between underscores, are the name of the data set; all others are shown at the end.
        run: the manifest of the run.
        title: heading of the page.
        note: sentences below the heading.
        config: the config of the run, which says what was left out.
        page: where the page is going to be; None for a page without links to other files.
        explorer: folder with the explorer pages, {dataset}.html, which are linked to.
        paper: folder with the comparisons with the paper, {dataset}.html, which are linked to.

    Raises:
        InputError: a picture is missing or is not a picture.
    """
    left = dict(figures)
    names = [table.dataset for table in tables]
    sections, contents = [], {"front": "At a glance"}
    compared = summary(tables)
    if compared:
        contents[SUMMARY] = "Summary"
    for table in tables:
        own = {path: left.pop(path) for path in list(left) if belongs(path, table.dataset)}
        pages = {"Explorer": explorer, "The paper beside this run": paper}
        contents[html.anchor(table.dataset)] = table.labels.dataset(table.dataset)
        sections.append(_dataset(table, list(pictures(own, names, page)), _other_pages(table.dataset, pages, page)))
    if left:
        contents["figures"] = "Further figures"
        shown = "".join(pictures(left, names, page))
        sections += [html.text("h2", "Further figures", id="figures"), _elsewhere(shown), shown]
    contents["run"] = "The run"
    introduction = html.text("p", note, class_="note") if note else ""
    above = html.text("h2", "At a glance", id="front", class_="first") + introduction + front(tables, run, config)
    return html.page(title, "".join([above, compared, *sections, *_run(run, page)]), contents)


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


def _dataset(table: Table, figures: Sequence[str], pages: Mapping[str, str]) -> str:
    """The section of a data set: links to its parts and pages, its tables, and its figures."""
    parts = table_parts(table, fold=True) | ({"Figures": "".join(figures)} if figures else {})
    places = {f"#{html.anchor(table.dataset, title.lower())}": title for title in parts}
    body = [html.text("h3", title, id=html.anchor(table.dataset, title.lower())) + part for title, part in parts.items()]
    heading = html.text("h2", table.labels.dataset(table.dataset), id=html.anchor(table.dataset))
    links = html.links(places | {address: title for title, address in pages.items()})
    return "".join([heading, links, _elsewhere(links + parts.get("Figures", "")), *body])


def _elsewhere(content: str) -> str:
    """A note where the content has links to other files, which an archive moves."""
    return html.text("p", ELSEWHERE, class_="note links") if re.search(r'<a href="(?!#)', content) else ""


def _other_pages(dataset: str, folders: Mapping[str, Folder], page: Folder) -> dict[str, str]:
    """The addresses of the pages on a data set that there are, by title."""
    found = {title: Path(folder) / f"{dataset}.html" for title, folder in folders.items() if folder is not None}
    addresses = {title: beside(file, page) for title, file in found.items() if page is not None and file.exists()}
    return {title: address for title, address in addresses.items() if address}


def _run(run: Mapping[str, Any], page: Folder) -> Iterator[str]:
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
    yield html.text("h2", "The run", id="run")
    yield html.element("dl", *(html.text("dt", key) + html.text("dd", value) for key, value in facts.items()), class_="glance")
    yield html.text("p", VERIFY, class_="note")
    # Thousands of hashes would hide the rest.
    rest = json.dumps({key: value for key, value in run.items() if key != "files"}, indent=2)
    title = "The manifest, run.json, without the hashes of files"
    yield html.element("details", html.text("summary", title), html.text("pre", rest))
