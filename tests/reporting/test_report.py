import base64
import hashlib
import json
import re
import subprocess

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.manifest import git_state, manifest
from fplbench.reporting.report import ELSEWHERE, read_manifest, report
from fplbench.reporting.scores import NoiseScores, read_scores
from fplbench.reporting.summary import summary
from fplbench.reporting.tables import build_table
from tests.helpers.pictures import write_picture


@pytest.fixture
def tables(write_scores):
    """Twelve patients. Against the unprocessed image FPL leads by 2 dB on Gaussian noise and is 1 dB behind on Poisson
    noise; on Rician noise it is 0.1 dB behind in the mean, 2 dB either way in single images.
    """
    base = [30 + i / 10 for i in range(12)]
    cells = {
        ("lidc", "gaussian", "fpl"): [value + 2 for value in base],
        ("lidc", "gaussian", "noisy"): base,
        ("lidc", "poisson", "fpl"): base,
        ("lidc", "poisson", "noisy"): [value + 1 for value in base],
        ("lidc", "rician", "fpl"): base,
        ("lidc", "rician", "noisy"): [value + 0.1 + 2 * (-1) ** i for i, value in enumerate(base)],
    }
    return [build_table(name, scores, 0) for name, scores in read_scores(write_scores(cells)).items()]


@pytest.fixture
def run(tmp_path):
    file = tmp_path / "data.npy"
    file.write_bytes(b"abc")
    return manifest({"seed": 3}, [file])


def test_the_manifest_pins_files_libraries_and_machine(run, tmp_path):
    assert run["files"][str(tmp_path / "data.npy")] == {"sha256": hashlib.sha256(b"abc").hexdigest(), "bytes": 3}
    assert {"numpy", "torch", "scikit-image", "snakemake"} <= set(run["packages"])
    assert run["packages"]["numpy"] == __import__("numpy").__version__
    assert run["hardware"]["cores"] >= 1
    assert run["hardware"]["memory_mib"] > 100
    assert run["torch"]["deterministic"] is False
    assert (run["seed"], run["config"]) == (3, {"seed": 3})
    assert json.loads(json.dumps(run)) == run


def test_the_manifest_names_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"gone.npy"):
        manifest({}, [tmp_path / "gone.npy"])


def test_git_state_is_the_revision_and_whether_it_was_modified(tmp_path):
    def git(*arguments):
        return subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True, text=True).stdout

    assert git_state(tmp_path) is None
    git("init", "--quiet")
    assert git_state(tmp_path) is None
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "one")
    assert git_state(tmp_path) == {"revision": git("rev-parse", "HEAD").strip(), "modified": False}
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path)["modified"] is True


def test_the_summary_counts_rows_and_lists_those_that_are_lost(tables):
    text = summary(tables)
    row = next(line for line in text.split("<tr>") if ">PSNR<" in line)
    counts = [cell.split("<")[0] for cell in row.split("<td>")[1:]]
    assert counts == ["3", "1", "1", "1", "1", "1", "2"]
    assert "<li>LIDC, PSNR: Poisson Noise (Noisy by 1.000 dB), Rician (Noisy by 0.100 dB)</li>" in text


def test_lost_noises_of_the_same_model_are_one_row_in_the_list_too(write_scores):
    cells = {("lidc", noise, name): [30 + (name == "noisy")] for noise in ("gaussian", "thermal") for name in ("fpl", "noisy")}
    text = summary([build_table("lidc", read_scores(write_scores(cells))["lidc"], 0)])
    assert "ahead of its rival in 0 of 1 rows" in text
    assert "<li>LIDC, PSNR: Gauss. (Noisy by 1.000 dB) and Thermal (Noisy by 1.000 dB) (one row)</li>" in text


def test_the_summary_of_one_patient_counts_the_best_and_has_no_verdicts(write_scores):
    cells = {("lidc", "gaussian", "fpl"): [32, 33], ("lidc", "gaussian", "noisy"): [30, 31]}
    cells |= {("lidc", "poisson", "fpl"): [32, 33], ("lidc", "poisson", "noisy"): [34, 35]}
    scores = read_scores(write_scores(cells, patients="aa"))
    text = summary([build_table("lidc", scores["lidc"], 0)])
    row = next(line for line in text.split("<tr>") if ">PSNR<" in line)
    assert [cell.split("<")[0] for cell in row.split("<td>")[1:]] == ["2", "1", "1", "1"]
    assert "Undecided" not in text
    assert "No intervals and no verdicts: all images are of one patient and say nothing about others; a permutation" in text
    assert "LIDC, PSNR: Poisson Noise (Noisy by 2.000 dB)" in text


def test_metrics_of_which_neither_end_is_better_are_not_in_the_summary(tables, write_scores):
    names = tuple(f"p{i}" for i in range(12))
    block = NoiseScores(names, names, {"contrast_recovery": {"fpl": np.ones(12), "noisy": np.ones(12)}})
    lesions = {"gaussian": LesionScores("patient", 12, 12, 12, 0, blocks={"contrast_recovery": block})}
    cells = {("lidc", "gaussian", name): range(12) for name in ("fpl", "noisy")}
    table = build_table("lidc", read_scores(write_scores(cells))["lidc"], 0, lesions=lesions)
    assert "contrast_recovery" in table.blocks
    assert "Contrast recovery" not in summary([table])


def test_the_report_holds_its_pictures_and_needs_no_other_file(tables, run, tmp_path):
    picture = write_picture(tmp_path / "noises_lidc.png")
    text = report(tables, {str(picture): "Noises <of> LIDC"}, run, "Title & more", note="A note.")
    assert base64.b64encode(picture.read_bytes()).decode() in text
    assert "Noises &lt;of&gt; LIDC" in text
    assert "<title>Title &amp; more</title>" in text
    addresses = re.findall(r' (?:src|href)="([^"]{,9})', text)
    assert addresses and all(address.startswith(("#", "data:imag")) for address in addresses)
    assert run["hardware"]["processor"] in text


def test_pictures_stand_with_their_data_set(tables, run, tmp_path):
    ablation, noises = write_picture(tmp_path / "ablation.png"), write_picture(tmp_path / "noises_lidc.png")
    text = report(tables, {str(ablation): "An ablation.", str(noises): "The noises."}, run, "Title")
    assert text.index("The noises.") < text.index(">Further figures</h2>") < text.index("An ablation.")


def test_what_is_not_a_picture_is_refused(tables, run, tmp_path):
    with pytest.raises(InputError, match=r"gone.png does not exist"):
        report(tables, {str(tmp_path / "gone.png"): ""}, run, "Title")
    with pytest.raises(InputError, match=r"scores.csv is not a picture"):
        report(tables, {"scores.csv": ""}, run, "Title")
    (tmp_path / "half.png").write_bytes(write_picture(tmp_path / "whole.png").read_bytes()[:20])
    with pytest.raises(InputError, match=r"half.png is not a picture that can be read"):
        report(tables, {str(tmp_path / "half.png"): ""}, run, "Title")


def test_the_bar_of_contents_leads_to_every_section(tables, run):
    text = report(tables, {}, run, "Title")
    places = re.findall(r'href="#([^"]+)"', text)
    assert {"front", "summary", "lidc", "run"} <= set(places)
    assert all(text.count(f'id="{place}"') == 1 for place in places)


def test_pages_beside_the_report_are_linked_to_where_there_are_any(tables, run, tmp_path):
    (tmp_path / "explorer pages").mkdir()
    (tmp_path / "explorer pages" / "lidc.html").write_text("")
    picture = write_picture(tmp_path / "figures" / "lidc.png")
    folders = {"explorer": tmp_path / "explorer pages", "paper": tmp_path / "paper"}
    text = report(tables, {str(picture): ""}, run, "Title", page=tmp_path / "report.html", **folders)
    assert '<a href="explorer%20pages/lidc.html">Explorer</a>' in text
    assert '<a href="figures/lidc.png">Full size</a>' in text
    assert "The paper beside this run" not in text
    assert text.count(ELSEWHERE) == 1 and ELSEWHERE not in report(tables, {str(picture): ""}, run, "Title")


def test_long_tables_are_folded_but_psnr_and_ssim(tables, run, write_scores):
    """Rows of numbers that are shown at once do not grow with the number of scores."""
    text = report(tables, {}, run, "Title")
    shown = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    numbers = [label for label in re.findall(r'aria-label="([^"]+)"', shown) if label.startswith("LIDC: ")]
    assert numbers == ["LIDC: PSNR (dB), SSIM"] and "LIDC: verdicts" in text


def test_the_hashes_of_files_are_left_to_the_manifest(tables, run):
    text = report(tables, {}, run, "Title")
    assert hashlib.sha256(b"abc").hexdigest() not in text and "numpy" in text


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_what_is_not_a_manifest_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run.json is not"):
        read_manifest(tmp_path / "run.json")
