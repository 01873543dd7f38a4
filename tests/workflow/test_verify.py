import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from tests.helpers.files import replace_array


def verify(folder):
    result = CliRunner().invoke(app, ["verify", str(folder)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def out(finished_run, tmp_path):
    return Path(shutil.copytree(finished_run / "out", tmp_path / "out"))


def test_a_finished_run_matches(out):
    """Two noises and four methods; four test, two validation and three copied images, each with a tumour."""
    code, output = verify(out)
    assert code == 0, output
    assert "rounding" not in output and "not kept" not in output


def test_one_grey_level_of_one_pixel_is_found(out):
    stack = out / "denoised" / "lits" / "rician" / "dpir.npy"
    kept = np.load(stack)
    changed = kept.copy()
    changed[2, 16, 16] ^= 1
    replace_array(stack, changed)
    code, output = verify(out)
    replace_array(stack, kept)
    assert code == 1 and "scores/lits/rician.csv, line" in output and "(method dpir, " in output


def test_run_json_lists_what_the_numbers_come_from(out):
    files = json.loads((out / "run.json").read_text())["files"]
    for name in (
        *(f"data/lits/{split}.npy" for split in ("train", "validation", "test")),
        *("noisy/lits/gaussian/test.npy", "models/lits/restoration.safetensors", "models/lits/gaussian/fpl.safetensors"),
        *(
            "denoised/lits/gaussian/fpl.npy",
            "denoised/lits/gaussian/fpl_inserted.npy",
            "denoised/lits/rician/dpir_validation.npy",
        ),
        *("scores/lits/gaussian.csv", "lesion_scores/lits/rician.csv", "validation/scores/lits/gaussian.csv"),
        *("scores/lits.csv", "scores.csv", "tables/lits.tex", "config.json"),
    ):
        assert len(files[name]["sha256"]) == 64, name
