import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench import stacks
from fplbench.cli import app

NOISES = ("gaussian", "poisson")
METHODS = ("noisy", "fpl", "median_filter")
HEAVY = ("torch", "pandas", "matplotlib", "cv2", "scipy.stats", "scipy.signal", "pydicom", "nibabel")


@pytest.fixture
def folder(tmp_path):
    """Clean, noisy and denoised stacks of two noises and three methods, laid out as the workflow does."""
    rng = np.random.default_rng(0)
    clean = rng.integers(40, 200, (4, 16, 16), dtype=np.uint8)
    index = [{"image_id": f"i{i}", "patient": f"p{i // 2}", "source": "s", "slice": i} for i in range(4)]
    stacks.write_stack(tmp_path / "data" / "lidc" / "test.npy", clean, index)
    for noise in NOISES:
        for strength, method in enumerate(METHODS, start=1):
            image = np.clip(clean + rng.normal(0, 20 / strength, clean.shape), 0, 255).astype(np.uint8)
            stacks.write_stack(tmp_path / "denoised" / "lidc" / noise / f"{method}.npy", image)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_from_stacks_to_tables_and_report(folder):
    for cell in sorted((folder / "denoised").glob("*/*")):
        scores = folder / "scores" / cell.relative_to(folder / "denoised")
        run("score", folder / "data" / "lidc" / "test.npy", scores, *sorted(cell.glob("*.npy")))
    long = folder / "scores.csv"
    run("collate", long, *sorted((folder / "scores").glob("*/*/*.csv")))
    assert len(long.read_text().splitlines()) == 1 + len(NOISES) * len(METHODS) * 4
    labels = json.dumps({"median_filter": "Mine"})
    run("table", long, "lidc", "--out-dir", folder / "tables", "--note", "One note.", "--labels", labels, "--seed", 5)
    names = {file.name for file in (folder / "tables").iterdir()}
    assert names == {"lidc.tex", "lidc_intervals.tex", "lidc.md", "lidc.html", "lidc.csv"}
    assert "One note." in (folder / "tables" / "lidc.md").read_text()
    assert "Mine" in (folder / "tables" / "lidc.tex").read_text()
    run("manifest", folder / "run.json", long, "--seed", 5, "--config", '{"seed": 5}')
    run(
        "report",
        folder / "report.html",
        long,
        "--run",
        folder / "run.json",
        "--seed",
        5,
        "--notes",
        '{"lidc": "One note."}',
    )
    report = (folder / "report.html").read_text()
    table = (folder / "tables" / "lidc.html").read_text()
    assert "One note." in report
    assert table.split("<tbody>")[1].replace("Mine", "Medi. Filt.") in report


def test_scoring_loads_no_heavy_library(folder):
    program = (
        "import sys; from fplbench.cli import app; app(sys.argv[1:], standalone_mode=False); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    paths = ("data/lidc/test.npy", "out", "denoised/lidc/poisson/fpl.npy")
    command = [sys.executable, "-c", program, "score", *(str(folder / path) for path in paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert (folder / "out" / "fpl.csv").exists()
