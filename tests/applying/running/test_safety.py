"""Damaged and hostile files: each run succeeds or ends with a sentence, and has no other effect."""

import itertools
import os
import shutil
import time

import numpy as np
import pytest

from fplbench.applying import quality
from fplbench.applying.options import ApplyOptions
from fplbench.applying.running.run import apply_model
from fplbench.errors import InputError
from fplbench.files import write_text
from tests.applying.scans import contents, head, write_nifti
from tests.helpers.damage import mutate
from tests.helpers.dicom_files import write_ct
from tests.helpers.memory import peak_memory

MUTANTS = 150 if os.environ.get("FPLBENCH_FUZZ") == "long" else 60  # of each format
BATCH = 25  # files in a run
OPTIONS = ApplyOptions(window=(-1000, 400), force=True, residual=True, seconds_per_file=5)

pytestmark = pytest.mark.slow


def write_mutants(folder, suffix, random):
    """Damaged files, each in a folder of its own, so that they are scans of their own."""
    volume = head(side=32, slices=4, seed=1)
    paths = []
    for number in range(MUTANTS):
        path = folder / f"batch-{number // BATCH}/{number}/a{suffix}"
        if suffix == ".dcm":
            write_ct(path, hounsfield=volume[number % 4], series=f"1.{number}", PixelSpacing=[0.7, 0.7])
            header = path.stat().st_size - volume[0].nbytes
        else:
            path = path.with_suffix(".nii.gz" if number % 3 == 0 else ".nii")
            write_nifti(path, volume)
            header = 352
        path.write_bytes(mutate(path.read_bytes(), random, header))
        paths.append(path)
    return paths


@pytest.fixture
def few_pages(monkeypatch):
    """Only each tenth quality page is drawn, as drawing takes longer than all the rest."""
    numbers, write = itertools.count(), quality.write_quality_page

    def sometimes(path, *arguments):
        if next(numbers) % 10 == 0:
            write(path, *arguments)
        else:
            write_text(path, "")

    monkeypatch.setattr(quality, "write_quality_page", sometimes)


@pytest.mark.parametrize("suffix", [".dcm", ".nii"])
def test_mutated_files(tmp_path, suffix, few_pages):
    paths = write_mutants(tmp_path / "in", suffix, np.random.default_rng(1))
    before = contents(tmp_path / "in")
    started, outcomes = time.monotonic(), []
    with peak_memory() as peak:
        for folder in sorted((tmp_path / "in").iterdir()):
            out = tmp_path / "out" / folder.name
            try:
                summary = apply_model("median_filter", folder, out, OPTIONS.model_copy(update={"skip_unreadable": True}))
            except InputError as error:
                assert "\n" not in str(error) and not out.exists()
                continue
            outcomes += [scan["label"] for scan in summary.scans]
            named = {*summary.skipped, *summary.unreadable}
            for path in folder.rglob("*"):
                name = path.relative_to(folder).as_posix()
                done = (out / "denoised" / name).exists() or (out / "denoised" / f"{name}.gz").exists()
                assert path.is_dir() or done or name in named or name.split("/")[0] in named, name
    assert time.monotonic() - started < 120
    assert 0 < peak() < 1200
    assert contents(tmp_path / "in") == before
    assert MUTANTS / 10 < len(outcomes) < len(paths) - MUTANTS / 10


@pytest.mark.parametrize("suffix", [".dcm", ".nii"])
def test_a_run_that_fails_leaves_nothing_under_the_name_of_the_output(tmp_path, suffix, few_pages):
    paths = write_mutants(tmp_path / "in", suffix, np.random.default_rng(2))[:8]
    ended = []
    for path in paths:
        before = path.read_bytes()
        out = tmp_path / f"out-{path.parent.name}" / f"a{''.join(path.suffixes)}"
        try:
            apply_model("median_filter", path, out, OPTIONS)
            ended.append(True)
            assert out.is_file()
        except InputError as error:
            ended.append(False)
            assert "\n" not in str(error)
            assert not out.exists() and [file.name for file in out.parent.glob("*") if ".partial" not in file.name] == []
        assert path.read_bytes() == before
        shutil.rmtree(out.parent, ignore_errors=True)
    assert {True, False} == set(ended)
