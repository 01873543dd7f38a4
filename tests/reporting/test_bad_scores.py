"""Scores that cannot be right are refused in one sentence, and what is written into labels stays text."""

import re
import shutil

import pytest

from fplbench.errors import InputError
from fplbench.reporting.markdown import aligned
from tests.helpers.scores import run, write_config, write_long_table
from tests.reporting.conftest import lesion_row, write_lesion_scores
from tests.reporting.test_writing import assert_compiles

HTML = "<b>Mine</b> & <script>alert(1)</script>"


@pytest.fixture
def scores(tmp_path):
    return write_long_table(tmp_path / "scores.csv", {("lidc", "gaussian", name): [30, 31] for name in ("fpl", "noisy")})


def write(folder, *options):
    run("table", folder / "scores.csv", "lidc", "--out-dir", folder, *options)


@pytest.mark.usefixtures("scores")
@pytest.mark.parametrize(
    ("image", "patient", "inserted", "what"),
    [("j0", "p0", 0, "lesions"), ("i0", "q0", 0, "lesions"), ("i0-copy", "q0", 1, "inserted lesions")],
)
def test_lesions_of_other_images_are_refused(tmp_path, image, patient, inserted, what):
    rows = [lesion_row(name, "a", "i0", "p0", 0.5) for name in ("fpl", "noisy")]
    write_lesion_scores(tmp_path / "lesions" / "gaussian.csv", rows)
    write(tmp_path, "--lesion-scores", tmp_path / "lesions")
    rows += [lesion_row(name, "b", image, patient, 0.5, inserted) for name in ("fpl", "noisy")]
    write_lesion_scores(tmp_path / "lesions" / "gaussian.csv", rows)
    sentence = (
        f"scores of {what} on 'gaussian' are of image '{image}' of patient '{patient}', which is not among the scored images"
    )
    with pytest.raises(InputError, match=sentence):
        write(tmp_path, "--lesion-scores", tmp_path / "lesions")


def test_a_cut_line_is_named_and_cut_methods_are_missed(tmp_path, scores):
    text = scores.read_text()
    scores.write_text(text.rstrip()[:-8])
    with pytest.raises(InputError, match=r"scores.csv, line 5: the number of values differs from the 8 columns"):
        write(tmp_path)
    scores.write_text("".join(text.splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match=r"'noisy' and 'fpl' were scored on different images"):
        write(tmp_path)
    write_long_table(scores, {("lidc", noise, name): [30, 31] for noise in ("gaussian", "poisson") for name in ("fpl", "noisy")})
    scores.write_text("".join(scores.read_text().splitlines(keepends=True)[:-2]))
    with pytest.raises(InputError, match=r"lacks 1 cell: noisy on poisson"):
        write(tmp_path)


@pytest.mark.parametrize(("metric", "value"), [("psnr", "-inf"), ("ssim", "inf"), ("ssim", "-inf")])
def test_infinite_scores_are_named(tmp_path, scores, metric, value):
    lines = scores.read_text().splitlines()
    place = lines[0].split(",").index(metric)
    row = lines[2].split(",")
    row[place] = value
    scores.write_text("\n".join([*lines[:2], ",".join(row), *lines[3:], ""]))
    with pytest.raises(InputError, match=f"{metric} of 'fpl' on 'gaussian' of lidc is infinite for 'i1'"):
        write(tmp_path)


@pytest.mark.parametrize("value", ["nan", "", "x"])
def test_a_score_that_is_not_a_number_is_named(tmp_path, scores, value):
    scores.write_text(scores.read_text().replace(",31,", f",{value},", 1))
    with pytest.raises(InputError, match=f"psnr of 'fpl' on 'gaussian', image 'i1', is '{value}', which is not a number"):
        write(tmp_path)


@pytest.fixture
def labelled(tmp_path, scores):
    """The table of a method whose label is HTML."""
    methods = {"noisy": {}, "fpl": {"label": HTML}}
    write(tmp_path, "--config", write_config(tmp_path / "c.json", datasets=["lidc"], noises=["gaussian"], methods=methods))
    return tmp_path


def test_html_in_a_label_is_text_on_pages_and_in_markdown(labelled):
    page = (labelled / "lidc.html").read_text()
    assert "<script" not in page and "<b>" not in page and "&lt;b&gt;Mine&lt;/b&gt; &amp;" in page
    text = (labelled / "lidc.md").read_text()
    assert r"\<b>Mine\</b> & \<script>" in text and not re.search(r"(?<!\\)<", text)
    assert aligned([["a<b|c", "d"], ["1", "2"]], 1).startswith(r"| a\<b\|c |")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX installation")
def test_html_in_a_label_compiles(labelled, tmp_path):
    text = (labelled / "lidc.tex").read_text()
    assert r"$<$b$>$Mine$<$/b$>$" in text
    assert_compiles(text, tmp_path)
