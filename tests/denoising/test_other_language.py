"""The example of a method without Python: a rule file and a shell script around ImageMagick."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fplbench.stacks import INDEX_COLUMNS, open_stack, read_index, write_stack

FOLDER = Path(__file__).parents[2] / "workflow" / "rules" / "baselines"

pytestmark = pytest.mark.usefixtures("imagemagick")


@pytest.fixture
def stack(tmp_path):
    """Flat images of several levels, and at the end one with an edge; more than the script takes at a time."""
    images = np.repeat(np.arange(70, dtype=np.uint8), 24 * 37).reshape(70, 24, 37) * 3
    images[-1, :, :18] = 0
    images[-1, :, 18:] = 200
    path = tmp_path / "results" / "noisy" / "lidc" / "gaussian" / "test.npy"
    write_stack(path, images, [{"image_id": f"i{k}", "patient": "p", "source": "s", "slice": k} for k in range(70)])
    return path


def check(noisy, denoised):
    assert read_index(denoised) == read_index(noisy)
    before, after = open_stack(noisy), open_stack(denoised)
    assert after.shape == before.shape
    np.testing.assert_array_equal(after[:-1], before[:-1])  # a flat image has nothing to smooth
    # The filter takes the mean of the calmest quarter of the window: an edge stays where it is.
    np.testing.assert_array_equal(after[-1, :, :15], 0)
    np.testing.assert_array_equal(after[-1, :, 22:], 200)


def test_the_script_keeps_flat_images_and_edges(stack, tmp_path):
    subprocess.run(["bash", FOLDER / "kuwahara.sh", stack, tmp_path / "denoised.npy"], check=True)
    check(stack, tmp_path / "denoised.npy")


def test_the_script_calms_noise(tmp_path):
    noisy = np.random.default_rng(0).normal(128, 20, (2, 64, 64)).round().astype(np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy, [dict.fromkeys(INDEX_COLUMNS, number) for number in range(2)])
    subprocess.run(["bash", FOLDER / "kuwahara.sh", tmp_path / "noisy.npy", tmp_path / "denoised.npy"], check=True)
    assert open_stack(tmp_path / "denoised.npy").std() < 0.8 * noisy.std()


def test_the_script_refuses_what_is_no_stack(tmp_path):
    np.save(tmp_path / "floats.npy", np.zeros((2, 8, 8)))
    command = ["bash", FOLDER / "kuwahara.sh", tmp_path / "floats.npy", tmp_path / "denoised.npy"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode != 0
    assert "is not a C-ordered uint8 array" in run.stderr
    assert not (tmp_path / "denoised.npy").exists()


@pytest.mark.slow
def test_snakemake_runs_the_rule(stack, tmp_path):
    target = "results/denoised/lidc/gaussian/kuwahara.npy"
    pathvars = "".join(f'    {name}="{name}",\n' for name in ("results", "logs", "benchmarks"))
    (tmp_path / "Snakefile").write_text(f'DENOISED = temp\n\npathvars:\n{pathvars}\ninclude: "{FOLDER / "kuwahara.smk"}"\n')
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--notemp", "--quiet", "all", "--", target]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    check(stack, tmp_path / target)
