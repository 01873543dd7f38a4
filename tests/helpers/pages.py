"""Every kind of HTML page that the package writes, of a small made-up run whose names hold HTML."""

from pathlib import Path

import numpy as np

from fplbench.config import load_config
from fplbench.reporting.captions import figure_captions
from fplbench.stacks import write_stack
from tests.helpers.pictures import write_picture
from tests.helpers.scores import run, write_config

HOSTILE = "<b id='x'>&amp;\"</b><script>alert(1)</script>"
"""A label, patient or image that would change a page if it were not escaped."""
NOISES = ("gaussian", "poisson")
METHODS = ("noisy", "fpl", "median_filter")
CONFIG = {
    "datasets": {"lidc": {}},
    "noises": {noise: {} for noise in NOISES},
    "methods": {"noisy": {}, "fpl": {"label": HOSTILE}, "median_filter": {"label": f"Mine {HOSTILE}"}},
    "note": f"Note {HOSTILE}",
    "notes": {"lidc": f"Of the data {HOSTILE}"},
    "feature_error": [],
}


def write_pages(folder: Path, patients: int = 12) -> dict[str, Path]:
    """Write the pages of lidc, with one image of each patient; their paths by the name of the command that writes them."""
    _write_stacks(folder, patients)
    config = ("--config", write_config(folder / "config.json", **CONFIG))
    clean = folder / "data" / "lidc" / "test.npy"
    for noise in NOISES:
        stacks = [folder / "denoised" / "lidc" / noise / f"{name}.npy" for name in METHODS]
        run("score", clean, folder / "scores" / "lidc" / f"{noise}.csv", *stacks)
    scores = folder / "scores" / "lidc.csv"
    run("collate", scores, *sorted((folder / "scores" / "lidc").glob("*.csv")))
    run("table", scores, "lidc", "--out-dir", folder / "tables", *config)
    figures = folder / "figures"
    run("paper-comparison", folder / "paper" / "lidc.md", scores, "lidc", "--figure", figures / "lidc_paper.png", *config)
    noisy, denoised = folder / "noisy" / "lidc", folder / "denoised" / "lidc"
    pages = {"table": folder / "tables" / "lidc.html", "paper": folder / "paper" / "lidc.html"}
    pages |= {"explorer": folder / "explorer" / "lidc.html", "report": folder / "report.html"}
    run("explorer", pages["explorer"], clean, scores, "--dataset", "lidc", "--noisy", noisy, "--denoised", denoised, *config)
    for name in figure_captions(load_config(CONFIG)):
        if not (figures / f"{name}.png").exists():
            write_picture(figures / f"{name}.png")
    run("manifest", folder / "run.json", scores, *config)
    links = ("--explorer", folder / "explorer", "--paper", folder / "paper")
    run("report", pages["report"], scores, "--run", folder / "run.json", "--figures", figures, *links, *config)
    return pages


def _write_stacks(folder: Path, patients: int) -> None:
    """Clean, noisy and denoised stacks, laid out as the workflow does; each image is of a patient of its own."""
    rng = np.random.default_rng(0)
    index = [{"image_id": f"i{i} {HOSTILE}", "patient": f"p{i} {HOSTILE}", "source": "s", "slice": i} for i in range(patients)]
    clean = rng.integers(40, 200, (patients, 16, 16), dtype=np.uint8)
    write_stack(folder / "data" / "lidc" / "test.npy", clean, index)
    for noise in NOISES:
        for strength, name in enumerate(METHODS, start=1):
            image = np.clip(clean + rng.normal(0, 20 / strength, clean.shape), 0, 255).astype(np.uint8)
            write_stack(folder / "denoised" / "lidc" / noise / f"{name}.npy", image, index)
        write_stack(folder / "noisy" / "lidc" / noise / "test.npy", clean // 2, index)
