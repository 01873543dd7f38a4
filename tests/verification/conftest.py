import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.config import load_config
from fplbench.reporting.captions import figure_captions
from fplbench.stacks import open_stack, write_stack
from tests.helpers.scores import index_rows, run, write_cells, write_config

METHODS = ("noisy", "fpl", "median_filter")
CONFIG = {
    "datasets": ["lidc"],
    "noises": ["gaussian", "poisson"],
    "methods": list(METHODS),
    "feature_error": [],
    "metrics": ["gmsd"],
    "inserted": {"datasets": []},
    "tables": {"metrics": ["psnr", "ssim"]},
}


def finish(folder, **changes):
    """Write what comes after the stacks, by the commands that the rules call: scores, tables, run.json and report.html."""
    config = write_config(folder / "config.json", **(CONFIG | changes))
    for noise in CONFIG["noises"]:
        cell = folder / "denoised" / "lidc" / noise
        run(
            *("score", folder / "data" / "lidc" / "test.npy", folder / "scores" / "lidc" / f"{noise}.csv"),
            *(cell / f"{method}.npy" for method in METHODS),
            *("--validation-clean", folder / "data" / "lidc" / "validation.npy", "--metric=gmsd"),
            *(f"--validation={cell / f'{method}_validation.npy'}" for method in METHODS),
            *("--validation-scores", folder / "validation" / "scores" / "lidc" / f"{noise}.csv"),
            *("--hashes", folder / "hashes" / "lidc" / f"{noise}.json"),
        )
    scores = folder / "scores" / "lidc.csv"
    run("collate", scores, *(folder / "scores" / "lidc" / f"{noise}.csv" for noise in CONFIG["noises"]))
    run("collate", folder / "scores.csv", scores)
    options = ("--config", config, "--validation", folder / "validation")
    run("table", scores, "lidc", "--out-dir", folder / "tables", *options)
    listed = [
        *folder.glob("data/*/*"), *folder.glob("models/*/*/*"), *folder.glob("scores/**/*.csv"),
        *folder.glob("validation/**/*.csv"), folder / "scores.csv", *folder.glob("tables/*"), config,
    ]  # fmt: skip
    run("manifest", folder / "run.json", *listed, "--hashes", folder / "hashes", "--config", config)
    pages = ("--run", folder / "run.json", "--figures", folder / "figures", "--data", folder / "data")
    run("report", folder / "report.html", folder / "scores.csv", *pages, *options)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a made-up run: two noises, three methods, four test and two validation images of 16x16 pixels."""
    folder = tmp_path_factory.mktemp("verified") / "results"
    write_cells(folder, CONFIG["noises"], METHODS)
    clean = open_stack(folder / "data" / "lidc" / "test.npy")
    write_stack(folder / "data" / "lidc" / "validation.npy", clean[2:], index_rows(4)[2:])
    for stack in folder.glob("denoised/*/*/*.npy"):
        write_stack(stack.with_name(f"{stack.stem}_validation.npy"), open_stack(stack)[2:])
    weights = folder / "models" / "lidc" / "gaussian" / "fpl.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(np.arange(99, dtype=np.uint8).tobytes())
    (folder / "figures").mkdir()
    for name in figure_captions(load_config(CONFIG)):
        Image.new("L", (4, 3)).save(folder / "figures" / f"{name}.png")
    finish(folder)
    return folder


@pytest.fixture
def results(finished, tmp_path):
    """A copy of the run, to be changed."""
    return shutil.copytree(finished, tmp_path / "results")


@pytest.fixture
def verify():
    """Function that runs `fplbench verify`; returns the exit code and the output."""

    def call(*arguments):
        result = CliRunner().invoke(app, ["verify", *map(str, arguments)], catch_exceptions=False)
        return result.exit_code, result.output

    return call
