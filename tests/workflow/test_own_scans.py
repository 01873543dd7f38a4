"""docs/own-scans.md, word by word: its commands run, and what it says of their results holds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from tests.helpers.workflow import PRESTARTED, ROOT

PAGE = (ROOT / "docs/own-scans.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory, prestarted_jobs):
    """A folder in which all commands of the page have run, with a smaller network and fewer steps, and what they printed."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("Snakefile", "workflow", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    config = re.sub(r"(steps|validate_every): \d+", r"\1: 75", (ROOT / "config/own-scans.yaml").read_text())
    config = config.replace("width: 16", "width: 8")
    (folder / "config").mkdir()
    (folder / "config/own-scans.yaml").write_text(config)
    if (ROOT / "data/sample/manifest.json").exists():
        (folder / "data").mkdir()
        shutil.copytree(ROOT / "data/sample", folder / "data/sample")
    programs = os.pathsep.join([*PRESTARTED, str(Path(sys.executable).parent), os.environ["PATH"]])
    printed = []
    for language, code in BLOCKS:
        command = ["bash", "-ec", code] if language == "sh" else [sys.executable, "-c", code]
        result = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": programs}, capture_output=True, text=True)
        if result.returncode and "could not download the sample CT" in result.stderr:
            pytest.skip("the sample CT is not here and cannot be downloaded")
        assert result.returncode == 0, (code, result.stdout[-2000:], result.stderr[-2000:])
        printed.append(result.stdout)
    return folder, printed


def test_every_slice_of_the_series_is_denoised_and_its_residual_is_the_difference(ran):
    folder, _ = ran
    originals = {path.name: path for path in (folder / "data/sample/lidc").rglob("*.dcm")}
    denoised = {path.name: path for path in (folder / "own/chest/denoised").rglob("*.dcm")}
    residual = {path.name: path for path in (folder / "own/chest/residual").rglob("*.dcm")}
    assert originals.keys() == denoised.keys() == residual.keys() and len(denoised) == 88
    for name in sorted(originals)[::20]:
        before, after, change = (
            pydicom.dcmread(files[name]).pixel_array.astype(int) for files in (originals, denoised, residual)
        )
        assert np.array_equal(before + change, after) and change.any()


def test_the_error_falls_in_every_tissue(ran):
    """The page prints about 40 HU before and 18 to 25 HU after, with 200 steps; processors differ a little."""
    _, printed = ran
    (lines,) = (text for text in printed if "error" in text)
    errors = re.findall(r"error (\d+\.\d) -> (\d+\.\d) HU", lines)
    assert len(errors) == 3
    assert all(39 < float(before) < 41 and float(after) < 0.75 * float(before) for before, after in errors)


def test_the_nifti_volume_keeps_affine_and_type(ran):
    folder, _ = ran
    noisy, denoised = (nibabel.load(folder / f"own/{name}.nii.gz") for name in ("noisy", "denoised"))
    assert np.array_equal(noisy.affine, denoised.affine)
    assert (noisy.shape, noisy.get_data_dtype()) == (denoised.shape, denoised.get_data_dtype())


def test_the_bundle_works_where_it_was_made(ran):
    _, printed = ran
    assert any("the phantom comes out as expected" in text for text in printed)
