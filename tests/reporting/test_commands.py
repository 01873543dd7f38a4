import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fplbench.cli.tables import table
from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.explaining import maps
from fplbench.reporting.captions import figure_captions
from tests.helpers.pictures import write_picture
from tests.helpers.scores import read_rows, run, write_cells, write_config, write_long_table
from tests.reporting.conftest import lesion_row, write_lesion_scores

NOISES = ["gaussian", "poisson"]
METHODS = ("noisy", "fpl", "median_filter")
HEAVY = ("torch", "pandas", "matplotlib", "scipy.stats", "scipy.signal", "pydicom", "nibabel")
CONFIG = {
    "datasets": ["lidc"],
    "noises": NOISES,
    "methods": {"noisy": {}, "fpl": {}, "median_filter": {"label": "Mine"}},
    "seed": 5,
    "note": "One note",
    "notes": {"lidc": "A second note."},
    "figures": {"image": 1},
    "explanation": {"beta": 7},
}


@pytest.fixture
def folder(tmp_path):
    """Stacks of two noises and three methods, laid out as the workflow does, and the config of the run."""
    write_cells(tmp_path, NOISES, METHODS)
    write_config(tmp_path / "config.json", **CONFIG)
    return tmp_path


@pytest.fixture
def explained(monkeypatch):
    """Stand in for the network: the map of an image is the image; keep the explanation that was asked for."""
    calls = []

    def feature_maps(restoration, images, **explanation):
        calls.append((images.copy(), explanation))
        return images.astype(np.float32)

    monkeypatch.setattr(maps, "feature_maps", feature_maps)
    return calls


def stacks(folder):
    return folder / "data" / "lidc" / "test.npy", folder / "noisy" / "lidc" / "gaussian" / "test.npy"


def denoised(folder):
    return sorted((folder / "denoised" / "lidc" / "gaussian").glob("[!n]*.npy"))


def test_from_stacks_to_tables_and_report(folder):
    for cell in sorted((folder / "denoised").glob("*/*")):
        scores = (folder / "scores" / cell.relative_to(folder / "denoised")).with_suffix(".csv")
        run("score", folder / "data" / "lidc" / "test.npy", scores, *sorted(cell.glob("*.npy")))
    long = folder / "scores.csv"
    run("collate", long, *sorted((folder / "scores").glob("*/*.csv")))
    assert len(long.read_text().splitlines()) == 1 + len(NOISES) * len(METHODS) * 4
    config = ("--config", folder / "config.json")
    run("table", long, "lidc", "--out-dir", folder / "tables", *config)
    names = {file.name for file in (folder / "tables").iterdir()}
    assert names == {"lidc.tex", "lidc_intervals.tex", "lidc.md", "lidc.html", "lidc.csv"}
    assert "One note. A second note." in (folder / "tables" / "lidc.md").read_text()
    assert "Mine" in (folder / "tables" / "lidc.tex").read_text()
    run("manifest", folder / "run.json", long, *config)
    (folder / "figures").mkdir()
    for name in figure_captions(load_config(CONFIG)):
        write_picture(folder / "figures" / f"{name}.png")
    run("report", folder / "report.html", long, "--run", folder / "run.json", "--figures", folder / "figures", *config)
    report = (folder / "report.html").read_text()
    table = (folder / "tables" / "lidc.html").read_text()
    assert '<p class="note">One note.</p>' in report
    assert "One note. A second note." in report
    assert table.split("<tbody>")[1] in report
    assert "<figcaption>LIDC: one test image with Gaussian Noise. " in report


def test_the_manifest_records_the_resolved_config(folder):
    write_config(folder / "config.json", **CONFIG, numerics={"cudnn_benchmark": False})
    run("manifest", folder / "run.json", folder / "config.json", "--config", folder / "config.json")
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["seed"] == 5
    assert manifest["torch"]["cudnn_benchmark"] is False and manifest["torch"]["cudnn_deterministic"] is False
    assert manifest["config"] == json.loads((folder / "config.json").read_text())
    run("manifest", folder / "run.json")
    assert json.loads((folder / "run.json").read_text())["config"] == {}


def test_intervals_depend_on_the_seed_of_the_config(tmp_path):
    rng = np.random.default_rng(0)
    write_long_table(tmp_path / "scores.csv", {("lidc", "gaussian", "nlm"): rng.normal(30, 2, 20)})
    lows = {}
    for seed in (5, 6):
        config = write_config(tmp_path / "config.json", **(CONFIG | {"seed": seed, "tables": {"partial": True}}))
        run("table", tmp_path / "scores.csv", "lidc", "--out-dir", tmp_path, "--config", config)
        lows[seed] = next(row["low"] for row in read_rows(tmp_path / "lidc.csv") if row["method"] == "nlm")
    assert lows[5] != lows[6]
    run("table", tmp_path / "scores.csv", "lidc", "--out-dir", tmp_path)
    assert read_rows(tmp_path / "lidc.csv")[0]["low"] not in lows.values()


def test_figures_show_the_image_and_explanation_of_the_config(folder, explained):
    config = ("--config", folder / "config.json", "--dataset", "lidc", "--device", "cpu")
    clean = np.load(folder / "data" / "lidc" / "test.npy")
    inputs = (*stacks(folder), *denoised(folder), "--restoration", folder / "weights")
    run("figure", folder / "f.png", *inputs, *config)
    run("feature-figure", folder / "e.png", *inputs, *config)
    for images, explanation in explained:
        assert (explanation["beta"], explanation["device"]) == (7, "cpu")
        assert any(np.array_equal(image, clean[1] // 2) for image in images)
    assert [len(images) for images, _ in explained] == [3, 4]
    run("figure", folder / "f.png", *inputs, "--image", 3, *config)
    np.testing.assert_array_equal(explained[-1][0][0], clean[3])
    run("figure", folder / "f.png", *inputs, "--image", read_rows(folder / "data" / "lidc" / "test.csv")[2]["image_id"], *config)
    np.testing.assert_array_equal(explained[-1][0][0], clean[2])


@pytest.mark.slow
def test_figures_are_also_written_as_pdf(folder, explained):
    config = ("--config", folder / "config.json", "--dataset", "lidc")
    network = ("--restoration", folder / "weights", "--device", "cpu")
    run("figure", folder / "f.png", *stacks(folder), *denoised(folder), *network, *config, "--also", folder / "f.pdf")
    run("feature-figure", folder / "e.png", *stacks(folder), *denoised(folder), *network, *config, "--also", folder / "e.pdf")
    run("noise-figure", folder / "n.png", *stacks(folder), *config, "--also", folder / "n.pdf")
    for name in "fen":
        assert Image.open(folder / f"{name}.png").format == "PNG"
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_figures_carry_the_notes_of_the_config(folder):
    noisy = [folder / "noisy" / "lidc" / noise / "test.npy" for noise in NOISES]
    config = ("--config", folder / "config.json", "--dataset", "lidc")
    run("noise-figure", folder / "n.svg", stacks(folder)[0], *noisy, *config)
    run("figure", folder / "f.svg", *stacks(folder), *denoised(folder), *config)
    words = {name: " ".join((folder / name).read_text().replace(" -->", "").split("\n   <!-- ")) for name in ("n.svg", "f.svg")}
    assert all("One note. A second note." in text for text in words.values())
    assert "Published protocol:" in words["f.svg"] and "Published protocol" not in words["n.svg"]
    assert "<!-- Mine -->" in (folder / "f.svg").read_text()


def test_generalisation_takes_the_seed_of_the_config(tmp_path):
    rng = np.random.default_rng(0)
    write_long_table(tmp_path / "across.csv", {("lidc", "gaussian", name): rng.normal(30, 2, 20) for name in ("lidc", "noisy")})
    lows = []
    for seed in (5, 6):
        config = ("--config", write_config(tmp_path / "config.json", **(CONFIG | {"seed": seed})), "--out-dir", tmp_path)
        run("generalisation", tmp_path / "across.csv", "dataset", *config)
        lows.append(read_rows(tmp_path / "generalisation_dataset.csv")[0]["low"])
    assert lows[0] != lows[1] != ""


def test_unknown_persons_reach_generalisation_and_report(tmp_path):
    rng = np.random.default_rng(0)
    write_long_table(tmp_path / "scores.csv", {("rsna", "gaussian", name): rng.normal(30, 2, 20) for name in ("rsna", "noisy")})
    (tmp_path / "data" / "rsna").mkdir(parents=True)
    (tmp_path / "data" / "rsna" / "sampling.json").write_text(json.dumps({"persons_known": False}))
    out, data = ("--out-dir", tmp_path), ("--data", tmp_path / "data")
    run("generalisation", tmp_path / "scores.csv", "dataset", *out, *data)
    assert read_rows(tmp_path / "generalisation_dataset.csv")[0]["unit"] == "images"
    run("manifest", tmp_path / "run.json")
    run("report", tmp_path / "report.html", tmp_path / "scores.csv", "--run", tmp_path / "run.json", "--figures", tmp_path, *data)
    assert "which of them show the same person is not known" in (tmp_path / "report.html").read_text()
    sampling = ("--sampling", tmp_path / "data" / "rsna" / "sampling.json")
    run("table", tmp_path / "scores.csv", "rsna", *out, *sampling)
    assert "which of them show the same person is not known" in (tmp_path / "rsna.md").read_text()


def test_scores_of_lesions_reach_table_and_report(tmp_path):
    rng = np.random.default_rng(0)
    write_long_table(tmp_path / "scores.csv", {("lidc", "gaussian", name): rng.normal(30, 2, 4) for name in ("fpl", "noisy")})
    rows = [lesion_row(name, "a", "i0", "p0", recovery) for name, recovery in (("fpl", 0.625), ("noisy", 1))]
    rows += [lesion_row(name, f"x{i}", "i1", "p0", 0.875, 1) for name in ("fpl", "noisy") for i in range(12)]
    write_lesion_scores(tmp_path / "lesion_scores" / "lidc" / "gaussian.csv", rows)
    folder = tmp_path / "lesion_scores"
    options = ("--metric", "contrast_recovery", "--metric", "inserted_contrast_recovery", "--latex-metric", "contrast_recovery")
    run("table", tmp_path / "scores.csv", "lidc", "--out-dir", tmp_path, "--lesion-scores", folder / "lidc", *options)
    means = {(row["metric"], row["method"]): row["mean"] for row in read_rows(tmp_path / "lidc.csv")}
    assert means["contrast_recovery", "fpl"] == "0.625"
    assert means["inserted_contrast_recovery", "fpl"] == "0.875"
    assert "PSNR" not in (tmp_path / "lidc.md").read_text().split("Noise Type")[1]
    assert "Contrast recovery" in (tmp_path / "lidc.tex").read_text()
    with pytest.raises(InputError, match="None of the metrics of the table was scored on lidc: contrast_recovery"):
        table(tmp_path / "scores.csv", "lidc", tmp_path, metrics=["contrast_recovery"])
    with pytest.raises(InputError, match="none, the folder with the scores of lesions, does not exist"):
        table(tmp_path / "scores.csv", "lidc", tmp_path, lesion_scores=tmp_path / "none")
    run("manifest", tmp_path / "run.json")
    figures = ("--run", tmp_path / "run.json", "--figures", tmp_path, "--lesion-scores", folder)
    run("report", tmp_path / "report.html", tmp_path / "scores.csv", *figures)
    assert "Contrast recovery (inserted)" in (tmp_path / "report.html").read_text()


def test_scoring_loads_no_heavy_library(folder):
    program = (
        "import sys; from fplbench.cli import app; app(sys.argv[1:], standalone_mode=False); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    paths = ("data/lidc/test.npy", "out/poisson.csv", "denoised/lidc/poisson/fpl.npy")
    command = [sys.executable, "-c", program, "score", *(str(folder / path) for path in paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert (folder / "out" / "poisson.csv").exists()
