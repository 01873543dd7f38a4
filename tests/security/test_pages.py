"""Texts of a config and of an index change no page: not as markup, not as an attribute, not as a command of TeX or of SVG.

`tests/reporting/test_escaping.py` has labels of methods, notes, patients and images on four pages; this has every text, every
file that a reader opens, and figures.
"""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from markdown_it import MarkdownIt

from fplbench.config import load_config
from fplbench.files import write_csv
from fplbench.lesions.stack import COLUMNS, write_lesions
from fplbench.reporting.captions import figure_captions
from fplbench.stacks import write_stack
from tests.helpers.scores import FAIR_PSNR, fair_cells, run, write_config, write_long_table

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"\"' onmouseover='alert(1)' {SCRIPT}\\{SCRIPT}[x](https://x.org)$(x)$_{{ \\input{{/etc/passwd}}<!--|`&lt;"
NOISES = ("gaussian", "poisson")
METHODS = ("noisy", "fpl", "median_filter")
CONFIG = {
    "protocol": "fair",
    "datasets": {"lidc": {"label": f"LIDC {HOSTILE}", "licence": f"Licence {HOSTILE}", "root": f"root {HOSTILE}"}},
    "noises": {noise: {} for noise in NOISES},
    "methods": {name: {"label": f"{name} {HOSTILE}"} for name in METHODS},
    "note": f"Note {HOSTILE}",
    "notes": {"lidc": f"Of the data {HOSTILE}"},
    "feature_error": [],
    "tune": False,
    "grey_map": False,
    "fair": {"methods": ["red_cnn"], "device": f"Device {HOSTILE}"},
    "inserted": {"noises": ["gaussian"]},
}
pytestmark = pytest.mark.filterwarnings("ignore:constrained_layout not applied")  # the labels are long
SUFFIXES = (".html", ".md", ".tex", ".svg")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The texts of all pages, tables, summaries and figures of a made-up run, by their path."""
    folder = tmp_path_factory.mktemp("hostile")
    config = ("--config", write_config(folder / "config.json", **CONFIG))
    write_stacks(folder)
    write_scores(folder)
    write_figures(folder, config)
    scores, tables = folder / "scores.csv", folder / "tables"
    lesions = folder / "lesion_scores"
    run("table", scores, "lidc", "--out-dir", tables, "--lesion-scores", lesions / "lidc", *config)
    run("paper-comparison", folder / "paper/lidc.md", scores, "lidc", "--figure", folder / "figures/lidc_paper.svg", *config)
    run("lesion-summary", folder / "lesions.md", lesions, "--data", folder / "data", *config)
    write_long_table(folder / "fair.csv", fair_cells(NOISES, 4))
    run("fair-table", folder / "fair.csv", "lidc", "--out-dir", folder / "fair", *config)
    run("fair-summary", folder / "fair.md", folder / "fair.csv", *config)
    stacks = ("--noisy", folder / "noisy/lidc", "--denoised", folder / "denoised/lidc")
    run("explorer", folder / "explorer/lidc.html", folder / "data/lidc/test.npy", scores, "--dataset", "lidc", *stacks, *config)
    run("manifest", folder / "run.json", scores, *config)
    links = ("--explorer", folder / "explorer", "--paper", folder / "paper", "--lesion-scores", lesions)
    run("report", folder / "report.html", scores, "--run", folder / "run.json", "--figures", folder / "figures", *links, *config)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.suffix in SUFFIXES}


def write_stacks(folder):
    """Stacks of four images as the workflow lays them out; every image has a lesion."""
    rng = np.random.default_rng(0)
    index = [
        {"image_id": f"i{i} {HOSTILE}", "patient": f"p{i} {HOSTILE}", "source": f"{HOSTILE}.dcm", "slice": i, "annotated": 1}
        for i in range(4)
    ]
    clean = rng.integers(40, 200, (4, 24, 24), dtype=np.uint8)
    lesions = np.zeros_like(clean)
    lesions[:, 9:14, 9:14] = 1
    rows = [
        dict.fromkeys(COLUMNS, "") | {"image_id": row["image_id"], "lesion": 1, "lesion_id": f"l{i} {HOSTILE}"}
        | {"patient": row["patient"], "kind": "nodule", "shape": "mask", "readers": 1, "pixels": 25, "inserted": 0}
        for i, row in enumerate(index)
    ]  # fmt: skip
    write_stack(folder / "data/lidc/test.npy", clean, index)
    write_lesions(folder / "data/lidc/test.npy", lesions, rows)
    for noise in NOISES:
        write_stack(folder / f"noisy/lidc/{noise}/test.npy", clean // 2, index)
        for name in METHODS:
            write_stack(folder / f"denoised/lidc/{noise}/{name}.npy", clean // 2 + 20, index)


def write_scores(folder):
    """Scores of the made-up stacks, and costs."""
    clean = folder / "data/lidc/test.npy"
    for noise in NOISES:
        stacks = [folder / f"denoised/lidc/{noise}/{name}.npy" for name in METHODS]
        lesions = folder / f"lesion_scores/lidc/{noise}.csv"
        run("score", clean, folder / f"scores/lidc/{noise}.csv", *stacks, "--lesion-scores", lesions, "--metric", "psnr")
        costs = [{"method": name, "seconds": 0.1, "peak_memory_mb": 10, "device": f"D {HOSTILE}"} for name in METHODS]
        write_csv(folder / f"cost/lidc/{noise}/filters.csv", costs)
    run("collate", folder / "scores.csv", *sorted((folder / "scores/lidc").glob("*.csv")))


def write_figures(folder, config):
    """Every figure of the run, which the report shows; some as .svg too."""
    scores, clean, figures = folder / "scores.csv", folder / "data/lidc/test.npy", folder / "figures"
    noisy, denoised = folder / "noisy/lidc/gaussian/test.npy", sorted((folder / "denoised/lidc/gaussian").glob("*.npy"))
    lesions = ("--lesion-scores", folder / "lesion_scores/lidc/gaussian.csv")
    of_lidc = (*config, "--dataset", "lidc")
    run("figure", figures / "lidc.png", clean, noisy, *denoised, *of_lidc)
    run("rank-figure", figures / "ranks.svg", scores, *config)
    run("noise-figure", figures / "noises.png", clean, *sorted((folder / "noisy/lidc").glob("*/test.npy")), *of_lidc)
    run("lesion-figure", figures / "lidc_lesions.png", clean, noisy, *denoised, *lesions, *of_lidc)
    run("recovery-figure", figures / "lidc_recovery.svg", folder / "lesion_scores/lidc", *of_lidc)
    for kind in ("png", "svg"):
        run("heat-map", figures / f"heat_map.{kind}", scores, *config)
        run("cost", folder / "cost.csv", scores, folder / "cost", "--figure", figures / f"cost.{kind}", *config)
    write_csv(folder / "fpl.csv", [{"step": step, "loss": 1 / step, "learning_rate": 1e-3} for step in (1, 2, 3)])
    run("training-figure", figures / "training.svg", folder / "fpl.csv", *config)
    for name in figure_captions(load_config(CONFIG)):
        if not (path := figures / f"{name}.png").exists():
            path.write_bytes((figures / "lidc.png").read_bytes())


class Found(HTMLParser):
    """What a page holds: its text, and the elements, attributes and addresses that a label could have made."""

    def __init__(self, page):
        super().__init__()
        self.text, self.bad = "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            address = re.match(r"\s*(javascript|vbscript|data:text)", value or "", re.IGNORECASE)
            if name.startswith("on") or address or SCRIPT in name:
                self.bad.append((tag, name, value))

    def handle_data(self, data):
        if "alert(1)" in data and self.cdata_elem == "script" and SCRIPT in data:
            self.bad.append(("script", "text", data))
        self.text += data

    def handle_comment(self, data):
        self.bad.append(("comment", "", data))


def files_of(suffix):
    """Names of the written files of a kind, to be parametrised by: they are asserted to be all."""
    return {
        ".html": ("explorer/lidc.html", "fair/lidc_steps.html", "paper/lidc.html", "report.html", "tables/lidc.html"),
        ".md": ("fair.md", "fair/lidc_steps.md", "lesions.md", "paper/lidc.md", "tables/lidc.md"),
        ".tex": ("fair/lidc_steps.tex", "tables/lidc.tex"),
    }[suffix]


@pytest.mark.slow
@pytest.mark.parametrize("name", files_of(".html"))
def test_a_page_has_no_element_attribute_or_address_from_a_text(written, name):
    assert Found(written[name]).bad == []
    assert name.startswith("explorer") or HOSTILE in Found(written[name]).text


@pytest.mark.slow
@pytest.mark.parametrize("name", files_of(".md"))
def test_markdown_has_no_element_and_no_link_from_a_text(written, name):
    page = MarkdownIt("commonmark").enable("table").render(written[name])
    assert "onmouseover" in Found(page).text and Found(page).bad == []
    assert "<script" not in page and 'href="https://x.org"' not in page


@pytest.mark.slow
@pytest.mark.parametrize("name", files_of(".tex"))
def test_tables_for_latex_have_no_command_from_a_text(written, name):
    assert r"\input" not in written[name].replace(r"\textbackslash{}input", "")
    assert "onmouseover" in written[name] and "<script>" not in written[name]


@pytest.mark.slow
def test_figures_are_drawn_and_as_svg_hold_no_script(written):
    drawn = {name: text for name, text in written.items() if name.endswith(".svg")}
    assert len(drawn) == 6
    for text in drawn.values():
        for element in ElementTree.fromstring(text).iter():
            assert not element.tag.endswith("script") and not any(name.startswith("on") for name in element.attrib)


@pytest.mark.slow
def test_every_kind_of_page_is_looked_at(written):
    for suffix in (".html", ".md", ".tex"):
        others = {name for name in written if name.endswith(suffix) and "interval" not in name}
        assert others == {*files_of(suffix)}
    assert FAIR_PSNR.keys() >= {"fpl", "red_cnn"}
