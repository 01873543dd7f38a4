"""Snakemake's own report: an archive with the tables and figures of a run, under categories and labels."""

import json
import posixpath
import re
from zipfile import ZipFile

import pytest

from fplbench.reporting.report import ELSEWHERE
from tests.helpers.workflow import snakemake, write_config


@pytest.fixture(scope="module")
def archive(benchmark_run):
    """The archive, open. Other tests may have left the run with another config."""
    write_config(benchmark_run)
    assert snakemake(benchmark_run, "--configfile", "config.yaml").returncode == 0
    process = snakemake(benchmark_run, "--report", "report.zip", "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    with ZipFile(benchmark_run / "report.zip") as opened:
        yield opened


@pytest.fixture(scope="module")
def results(archive):
    """What its page lists; several pages of a data set have the same name."""
    page = archive.read("report/report.html").decode()
    found = json.loads(re.search(r"var results = (\{.*?\});?\n", page, re.DOTALL)[1])
    return list(found.values())


def test_the_archive_holds_tables_figures_and_the_report_as_they_are(benchmark_run, archive, results):
    files = {"lits.html": "tables", "lits.png": "figures", "lits_lesions.png": "figures", "report.html": ".", "lesions.md": "."}
    for name, folder in files.items():
        inside = [entry for entry in archive.namelist() if entry.startswith("report/data") and entry.endswith(f"/{name}")]
        assert (benchmark_run / "out" / folder / name).read_bytes() in map(archive.read, inside), name
    assert {f"lits{kind}.png" for kind in ("", "_features", "_lesions", "_inserted", "_recovery", "_grey_maps")} <= {
        result["name"] for result in results
    }


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("lits.html", {"Data set": "LiTS", "Table": "Means of all scores"}),
        ("lits_lesions.png", {"Data set": "LiTS", "Figure": "Annotated lesions"}),
        ("noises.png", {"Data set": "LiTS", "Figure": "Every noise on one test image"}),
        ("cost.png", {"Data set": "all", "Figure": "Quality and cost"}),
    ],
)
def test_results_have_labels_and_captions(results, name, labels):
    found = [result for result in results if result["name"] == name and result["labels"] == labels]
    assert len(found) == 1 and len(found[0]["caption"]) > 60


def test_links_that_are_dead_in_the_archive_are_explained(archive):
    """Sections of the page with links to files that the archive has elsewhere say where; its menu has what they name."""
    name = next(entry for entry in archive.namelist() if entry.endswith("/report.html") and entry.startswith("report/data"))
    sections = re.split(r"(?=<h2 )", archive.read(name).decode())
    inside = set(archive.namelist())
    dead = {
        number: [
            place
            for place in re.findall(r'<a href="([^"#]+)"', section)
            if posixpath.join(posixpath.dirname(name), place) not in inside
        ]
        for number, section in enumerate(sections)
    }
    assert any(dead.values())
    assert all(ELSEWHERE in sections[number] for number, places in dead.items() if places)
    page = archive.read("report/report.html").decode()
    categories = json.loads(re.search(r"var categories = (\{.*?\});?\n", page, re.DOTALL)[1])
    assert {"Explorer", "The paper", "Figures"} <= set(categories)
