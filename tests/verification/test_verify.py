import hashlib
import json
import re
import shutil

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.files import file_hash, seal_path
from fplbench.verification.results import open_results
from tests.helpers.files import replace_array
from tests.helpers.scores import read_rows

CELL = "scores/lidc/gaussian.csv"
FPL = "denoised/lidc/gaussian/fpl.npy"


def edit(results, name, pattern, replacement):
    """Replace the first match of a pattern in a text file."""
    text, count = re.subn(pattern, replacement, (results / name).read_text(), count=1)
    assert count == 1
    (results / name).write_text(text)


def raise_number(results, name, pattern):
    """Add 1 to the first digit before a decimal point after a pattern, such as the name of a method."""
    edit(results, name, rf"({pattern}[^\n]*?\d)(\d)(\.\d)", lambda found: found[1] + str((int(found[2]) + 1) % 10) + found[3])


def change_pixel(results, name):
    stack = np.load(results / name)
    stack[1, 8, 8] ^= 64
    replace_array(results / name, stack)


def change_hash(results, *names):
    """Make run.json agree with files that were changed."""
    manifest = json.loads((results / "run.json").read_text())
    for name in names:
        manifest["files"][name] = {"sha256": file_hash(results / name), "bytes": (results / name).stat().st_size}
    (results / "run.json").write_text(json.dumps(manifest, indent=2) + "\n")


def swap(results, one, other):
    for name in (one, other):
        seal_path(results / name).unlink()
    (results / one).rename(results / "third")
    (results / other).rename(results / one)
    (results / "third").rename(results / other)


def remove_row(results, name):
    lines = (results / name).read_text().splitlines(keepends=True)
    (results / name).write_text("".join(lines[:6] + lines[7:]))


TAMPERINGS = {
    "a score of a cell": (
        lambda r: raise_number(r, CELL, "fpl,i2,p1,"),
        [f"{CELL} has changed", f"{CELL}, line 8 (method fpl, image_id i2, patient p1), column psnr"],
    ),
    "a score of the long table": (
        lambda r: raise_number(r, "scores.csv", "lidc,poisson,fpl,i0,p0,"),
        ["scores.csv has changed", "scores.csv, line 18 (dataset lidc, noise poisson, method fpl, image_id i0, "],
    ),
    "a score of the data set": (
        lambda r: raise_number(r, "scores/lidc.csv", "lidc,poisson,noisy,i3,p1,"),
        ["scores/lidc.csv has changed", "scores/lidc.csv, line 17"],
    ),
    "a validation score": (
        lambda r: raise_number(r, f"validation/{CELL}", "noisy,i3,p1,"),
        [f"validation/{CELL}, line 3"],
    ),
    "a mean of the page": (
        lambda r: raise_number(r, "tables/lidc.md", "Gauss."),
        ["tables/lidc.md has changed", "tables/lidc.md, line"],
    ),
    "a mean of the LaTeX table": (
        lambda r: raise_number(r, "tables/lidc.tex", "Gauss."),
        ["tables/lidc.tex has changed", "tables/lidc.tex, line"],
    ),
    "a mean of the csv table": (
        lambda r: raise_number(r, "tables/lidc.csv", "lidc,psnr,gaussian,fpl,"),
        ["tables/lidc.csv has changed", "noise gaussian, method fpl), column mean"],
    ),
    "a label of the HTML table": (
        lambda r: edit(r, "tables/lidc.html", "Noisy", "Noise"),
        ["tables/lidc.html has changed", "tables/lidc.html, line"],
    ),
    "a number of the report": (
        lambda r: raise_number(r, "report.html", ">Gauss.<"),
        ["report.html, line"],
    ),
    "a pixel of a denoised stack": (
        lambda r: change_pixel(r, FPL),
        [f"{FPL} has changed", f"{CELL}, line 7 (method fpl, image_id i1, patient p0), column psnr"],
    ),
    "a pixel of the clean stack": (
        lambda r: change_pixel(r, "data/lidc/test.npy"),
        ["data/lidc/test.npy has changed", f"{CELL}, line 3"],
    ),
    "two denoised stacks swapped": (
        lambda r: swap(r, FPL, "denoised/lidc/gaussian/noisy.npy"),
        [f"{FPL} has changed", "denoised/lidc/gaussian/noisy.npy has changed", f"{CELL}, line 2"],
    ),
    "weights": (
        lambda r: (r / "models/lidc/gaussian/fpl.safetensors").write_bytes(b"other"),
        ["models/lidc/gaussian/fpl.safetensors has changed"],
    ),
    "the config": (
        lambda r: edit(r, "config.json", '"seed": 2310', '"seed": 2311'),
        ["config.json has changed", "config.json, seed: 2311 in the file, 2310 in run.json"],
    ),
    "a row removed": (
        lambda r: remove_row(r, CELL),
        [f"{CELL} has changed", f"{CELL}, method fpl, image 2: i2 in the file, i1 in the index"],
    ),
    "a method removed": (
        lambda r: edit(r, CELL, "(?s)fpl,.*(?=median)", ""),
        [f"{CELL} has no scores of fpl"],
    ),
    "a file deleted": (
        lambda r: (r / CELL).unlink(),
        [f"{CELL} is missing"],
    ),
    "a stack deleted": (
        lambda r: (r / FPL).unlink(),
        [f"{FPL} is missing"],
    ),
    "a truncated table": (
        lambda r: edit(r, CELL, r"(?s),[^,]*,[^,]*\n\Z", ""),
        [f"{CELL}, line 13: the number of values differs"],
    ),
    "a table without a column": (
        lambda r: edit(r, CELL, "ssim", "sim"),
        [f"{CELL}, column 6 is 'sim'; it should be 'ssim'"],
    ),
}


def test_a_run_matches_its_files_hashes_scores_and_tables(results, verify):
    code, output = verify(results)
    assert code == 0, output
    listed = len(json.loads((results / "run.json").read_text())["files"])
    assert f"{listed} files of run.json: match" in output
    # Two noises, three methods; four test and two validation images.
    assert "36 rows computed again from 12 stacks of 2 cells: match" in output
    assert "rounding" not in output  # to the last digit
    assert "48 rows of scores.csv" in output and "5 files made again" in output
    assert "4 stacks of noisy images and those that were scored: match" in output
    assert "6 rows of mean PSNR and SSIM in cost.csv: match" in output and "3 files made again" in output
    assert "does not list" not in output and "could not" not in output
    assert "not that whoever made them was honest" in output


@pytest.mark.slow
@pytest.mark.parametrize("kind", TAMPERINGS)
def test_tampering_is_found_and_the_file_is_named(results, verify, kind):
    tamper, messages = TAMPERINGS[kind]
    tamper(results)
    code, output = verify(results)
    assert code == 1
    for message in messages:
        assert message in output, output


def test_both_values_of_a_changed_number_are_named(results, verify):
    true = next(row["psnr"] for row in read_rows(results / CELL) if row["method"] == "fpl" and row["image_id"] == "i2")
    edit(results, CELL, f"(fpl,i2,p1),{true}", r"\1,44.5")
    assert f"column psnr: '44.5' in the file, '{true}' computed again" in verify(results)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tamper"),
    [
        (CELL, lambda r: raise_number(r, CELL, "fpl,i2,p1,")),
        ("scores.csv", lambda r: raise_number(r, "scores.csv", "lidc,poisson,fpl,i0,p0,")),
        ("tables/lidc.md", lambda r: raise_number(r, "tables/lidc.md", "Gauss.")),
        ("tables/lidc_intervals.tex", lambda r: raise_number(r, "tables/lidc_intervals.tex", "Gauss.")),
        ("tables/lidc.csv", lambda r: raise_number(r, "tables/lidc.csv", "lidc,psnr,gaussian,fpl,")),
        ("tables/lidc.html", lambda r: edit(r, "tables/lidc.html", "Noisy", "Noise")),
        ("paper/lidc.md", lambda r: raise_number(r, "paper/lidc.md", "Gauss.")),
        ("paper/lidc.csv", lambda r: raise_number(r, "paper/lidc.csv", "lidc,psnr,gaussian,fpl,")),
        ("paper/lidc.html", lambda r: edit(r, "paper/lidc.html", "<h1>LIDC", "<h1>LITS")),
        ("cost.csv", lambda r: edit(r, "cost.csv", r"(lidc,gaussian,fpl,.*,)[\d.]+(,[\d.]+)\n", r"\g<1>44.5\2\n")),
    ],
)
def test_a_file_that_was_changed_with_its_hash_is_found_by_computing_it_again(results, verify, name, tamper):
    tamper(results)
    change_hash(results, name)
    assert verify(results, "--quick")[0] == 0
    code, output = verify(results)
    assert code == 1 and f"{name} has changed" not in output and f"{name}, line" in output


def test_a_run_may_be_moved(results, verify, tmp_path):
    shutil.move(results, tmp_path / "elsewhere")
    assert verify(tmp_path / "elsewhere")[0] == 0


def test_stacks_that_the_config_does_not_keep_are_counted_and_rows_are_still_checked(results, verify):
    from tests.verification.conftest import finish

    finish(results, keep_denoised=False)
    shutil.rmtree(results / "denoised")
    code, output = verify(results)
    assert code == 0 and "12 denoised stacks not kept" in output
    assert "0 rows computed again from 0 stacks of 2 cells, 12 stacks not kept: not checked" in output
    assert "not kept: noisy, fpl, median_filter" in output
    assert "matches its run.json, but the scores of 12 stacks could not be checked." in " ".join(output.split())
    remove_row(results, CELL)
    change_hash(results, CELL)
    assert f"{CELL}, method fpl, image 2: i2 in the file, i1 in the index" in verify(results)[1]


def test_scores_within_rounding_of_other_machines_match_and_are_counted(results, verify):
    """1e-7 is what a 32-bit number rounds to; 1e-5 is not."""
    rows = read_rows(results / CELL)
    edit(results, CELL, rows[0]["gmsd"], repr(float(rows[0]["gmsd"]) * (1 + 1e-7)))
    change_hash(results, CELL)
    output = verify(results)[1]
    assert "stacks of 2 cells, 1 number equal but for rounding: match" in output
    edit(results, CELL, rows[1]["gmsd"], repr(float(rows[1]["gmsd"]) * (1 + 1e-5)))
    assert f"{CELL}, line 3 (method noisy, image_id i1, patient p0), column gmsd" in verify(results)[1]


def test_quick_compares_hashes_and_the_config_only(results, verify):
    code, output = verify(results, "--quick")
    assert code == 0 and "files of run.json: match" in output and "computed" not in output
    change_pixel(results, FPL)
    assert verify(results, "--quick")[0] == 1


def test_what_is_not_a_run_is_refused_in_a_sentence(results, tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder; give the folder of a run"):
        open_results(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is not the folder of a finished run: it has no run\.json\.$"):
        open_results(tmp_path)
    (results / "run.json").write_text('{"packages": {}}')
    with pytest.raises(InputError, match=r"run\.json has no config or no files"):
        open_results(results)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"format": None},
            "was written by an older version of fplbench (0.0.9) and cannot be verified by this one: run snakemake",
        ),
        ({"format": 99}, "was written by a newer version of fplbench (0.0.9) and cannot be verified by this one: install"),
        ({"config": {"no_key": 1}}, "this version of fplbench cannot read the config of the run: no_key is not a known key"),
    ],
)
def test_the_manifest_of_another_version_is_refused_in_a_sentence(results, verify, changes, words):
    manifest = json.loads((results / "run.json").read_text()) | {"fplbench": "0.0.9"} | changes
    manifest = {key: value for key, value in manifest.items() if value is not None}
    (results / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=re.escape(words)):
        verify(results)


def test_the_hashes_are_those_of_sha256(results):
    files = json.loads((results / "run.json").read_text())["files"]
    assert files[FPL]["sha256"] == hashlib.sha256((results / FPL).read_bytes()).hexdigest()
    assert {"config.json", CELL, "scores.csv", "tables/lidc.tex", "data/lidc/test.npy"} < files.keys()


def test_files_outside_the_folder_are_compared_where_they_are_there(results, verify, tmp_path):
    weights = tmp_path / "drunet.pth"
    weights.write_bytes(b"published")
    manifest = json.loads((results / "run.json").read_text())
    manifest["outside"] = {str(weights): {"sha256": file_hash(weights), "bytes": 9}}
    (results / "run.json").write_text(json.dumps(manifest))
    assert verify(results, "--quick")[0] == 0
    weights.write_bytes(b"others")
    assert f"{weights} has changed" in verify(results, "--quick")[1]
    weights.unlink()
    code, output = verify(results, "--quick")
    assert code == 0 and "1 file outside the folder not found" in output


def test_a_figure_that_is_gone_is_named_by_its_place_in_the_folder(results, verify):
    (results / "figures" / "lidc.png").unlink()
    assert "report.html: figures/lidc.png does not exist" in verify(results)[1]
