"""Tampering by someone who edits run.json too."""

import json
import re
import shutil

import pytest

from fplbench.errors import InputError
from fplbench.files import file_hash, seal_path
from fplbench.verification.hashes import check_hashes
from fplbench.verification.listing import leaving
from fplbench.verification.results import open_results
from tests.helpers.scores import run
from tests.verification.test_verify import CELL, FPL, change_hash, change_pixel, raise_number

NOISY = "noisy/lidc/gaussian/test.npy"
CACHE = "data/lidc/headers.csv"
SECRET = "the password is 1234"


def edit_files(results, change):
    """Change the list of files in run.json."""
    manifest = json.loads((results / "run.json").read_text())
    manifest["files"] = change(manifest["files"])
    (results / "run.json").write_text(json.dumps(manifest))


def without(*names):
    return lambda files: {name: state for name, state in files.items() if name not in names}


def test_an_empty_list_of_files_fails_though_all_scores_were_raised_alike(results, verify):
    shutil.rmtree(results / "denoised")
    raise_number(results, CELL, "fpl,i2,p1,")
    noises = [results / "scores" / "lidc" / f"{noise}.csv" for noise in ("gaussian", "poisson")]
    run("collate", results / "scores" / "lidc.csv", *noises)
    run("collate", results / "scores.csv", results / "scores" / "lidc.csv")
    edit_files(results, lambda files: {})
    code, output = verify(results)
    assert code == 1
    assert "hashes   0 files of run.json: FAILED" in output
    assert "config.json is not listed in run.json, so it has no hash" in output
    assert "12 stacks not kept: not checked" in output and "The scores of 12 stacks could not be checked." in output


@pytest.mark.parametrize("deleted", [False, True])
def test_files_that_are_read_must_be_listed_whether_they_are_there_or_not(results, deleted):
    names = [
        *("config.json", "scores.csv", "scores/lidc.csv", "cost.csv", "figures/lidc.png", "tables/lidc.tex", "paper/lidc.html"),
        *("data/lidc/test.npy", "data/lidc/test.csv", "data/lidc/validation.npy", "data/lidc/test_lesions.csv", NOISY, FPL),
        *("denoised/lidc/poisson/median_filter_validation.npy", f"validation/{CELL}", "lesion_scores/lidc/poisson.csv"),
    ]
    edit_files(results, without(*names))
    for name in names if deleted else ():
        if name != f"validation/{CELL}":  # which names stacks
            (results / name).unlink()
    run = open_results(results)
    faults = check_hashes(run, leaving(run)).faults
    assert sorted(faults) == sorted(f"{name} is not listed in run.json, so it has no hash" for name in names)


def test_a_changed_file_without_its_entry_is_found(results, verify):
    change_pixel(results, FPL)
    edit_files(results, without(FPL))
    code, output = verify(results)
    assert code == 1 and f"{FPL} is not listed" in output and f"{CELL}, line 7 (method fpl, image_id i1" in output


def test_an_entry_without_a_hash_is_named(results, verify):
    edit_files(results, lambda files: files | {CELL: {"bytes": 3}})
    assert f"{CELL} has no hash in run.json" in verify(results, "--quick")[1]


def test_other_noisy_images_than_those_that_were_scored_are_found_despite_their_hash(results, verify):
    change_pixel(results, NOISY)
    change_hash(results, NOISY)
    assert verify(results, "--quick")[0] == 0
    code, output = verify(results)
    assert code == 1 and f"{NOISY} holds other images than denoised/lidc/gaussian/noisy.npy" in output


def test_noisy_images_in_a_file_with_another_header_are_the_same(results, verify):
    content = (results / NOISY).read_bytes()
    (results / NOISY).write_bytes(content.replace(b"'fortran_order': False, ", b"'fortran_order' :False, "))
    seal_path(results / NOISY).unlink()
    assert (results / NOISY).read_bytes() != content
    change_hash(results, NOISY)
    code, output = verify(results)
    assert code == 0, output


@pytest.mark.parametrize("absolute", [False, True])
def test_a_path_out_of_the_folder_is_not_read(results, verify, absolute):
    secret = results.parent / "secret.txt"
    secret.write_text(SECRET)
    name = str(secret) if absolute else "../secret.txt"
    edit_files(results, lambda files: files | {name: {"sha256": "0" * 64}})
    code, output = verify(results)
    assert code == 1 and f"{name} leads out of the folder; it was not read" in output
    assert file_hash(secret)[:6] not in output and "scores  " not in output


@pytest.mark.parametrize("name", ["scores.csv", "tables/lidc.md", "config.json", FPL])
@pytest.mark.parametrize("listed", [False, True])
def test_a_link_out_of_the_folder_is_not_read(results, verify, name, listed):
    secret = results.parent / "secret.txt"
    shutil.move(results / name, secret)
    (results / name).symlink_to(secret)
    if not listed:
        edit_files(results, without(name))
    code, output = verify(results)
    assert code == 1 and f"{name} leads out of the folder; it was not read" in output and "computed again" not in output


def test_a_link_in_the_folder_may_stand_for_a_file(results, verify):
    shutil.move(results / "scores.csv", results / "scores" / "all.csv")
    (results / "scores.csv").symlink_to(results / "scores" / "all.csv")
    code, output = verify(results)
    assert code == 0 and "1 file that run.json does not list: scores/all.csv" in output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": {"x": "abc"}}, "'files' should hold an object with the hash of each file"),
        ({"outside": []}, "'outside' should hold an object with the hash of each file"),
        ({"outside": {"x": None}}, "'outside' should hold an object"),
        ({"files": []}, "has no config or no files"),
    ],
)
def test_a_malformed_manifest_is_refused_in_a_sentence(results, changes, words):
    manifest = json.loads((results / "run.json").read_text()) | changes
    (results / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=re.escape(words)):
        open_results(results)


def test_files_that_are_not_listed_are_counted_and_the_first_ones_named(results, verify):
    for name in (
        "figures/extra.pdf",
        "a.txt",
        "tables/old.md",
        "tables/older.md",
        "logs/x.log",
        "fair/scores.csv",
        ".h/x",
        CACHE,
    ):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).write_text("x")
    (results / FPL).with_suffix(".csv").write_text("x")  # the index of a stack
    code, output = verify(results, "--quick")
    assert code == 0
    assert "4 files that run.json does not list: a.txt, figures/extra.pdf, tables/old.md and 1 more" in output


@pytest.mark.parametrize(
    ("made", "here", "told"),
    [
        ({"revision": "a" * 40, "modified": False}, {"revision": "a" * 40, "modified": False}, False),
        ({"revision": "a" * 40, "modified": False}, {"revision": "b" * 40, "modified": False}, True),
        ({"revision": "a" * 40, "modified": True}, {"revision": "a" * 40, "modified": True}, True),
    ],
)
def test_the_versions_are_told_where_they_may_differ(results, verify, monkeypatch, made, here, told):
    monkeypatch.setattr("fplbench.verification.verifying.git_state", lambda folder: here)
    manifest = json.loads((results / "run.json").read_text()) | {"git": made}
    (results / "run.json").write_text(json.dumps(manifest))
    raise_number(results, CELL, "fpl,i2,p1,")
    assert ("which may score or write otherwise" in verify(results)[1]) == told
