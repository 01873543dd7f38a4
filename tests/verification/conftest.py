import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.config import load_config
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.captions import figure_captions
from fplbench.stacks import open_stack, write_stack
from tests.helpers.files import is_seal
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
            *("--lesion-scores", folder / "lesion_scores" / "lidc" / f"{noise}.csv"),
            *("--validation-lesion-scores", folder / "validation" / "lesion_scores" / "lidc" / f"{noise}.csv"),
            *("--hashes", folder / "hashes" / "lidc" / f"{noise}.json"),
        )
    scores = folder / "scores" / "lidc.csv"
    run("collate", scores, *(folder / "scores" / "lidc" / f"{noise}.csv" for noise in CONFIG["noises"]))
    run("collate", folder / "scores.csv", scores)
    options = ("--config", config, "--validation", folder / "validation")
    lesions = ("--lesion-scores", folder / "lesion_scores" / "lidc")
    run("table", scores, "lidc", "--out-dir", folder / "tables", *lesions, *options)
    picture = ("--figure", folder / "figures" / "lidc_paper.png")
    run("paper-comparison", folder / "paper" / "lidc.md", scores, "lidc", *picture, "--config", config)
    run("cost", folder / "cost.csv", folder / "scores.csv", folder / "cost")
    folders = ("data", "noisy", "models", "scores", "lesion_scores", "validation", "tables", "paper", "figures")
    listed = [path for name in folders for path in folder.glob(f"{name}/**/*") if path.is_file() and not is_seal(path)]
    listed += [config, folder / "scores.csv", folder / "cost.csv"]
    run("manifest", folder / "run.json", *listed, "--hashes", folder / "hashes", "--config", config)
    pages = ("--run", folder / "run.json", "--figures", folder / "figures", "--data", folder / "data")
    beside = ("--lesion-scores", folder / "lesion_scores", "--paper", folder / "paper")
    run("report", folder / "report.html", folder / "scores.csv", *pages, *beside, *options)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a made-up run: two noises, three methods, four test and two validation images of 16x16 pixels."""
    folder = tmp_path_factory.mktemp("verified") / "results"
    write_cells(folder, CONFIG["noises"], METHODS)
    clean = open_stack(folder / "data" / "lidc" / "test.npy")
    write_stack(folder / "data" / "lidc" / "validation.npy", clean[2:], index_rows(4)[2:])
    for name, count in (("test", 4), ("validation", 2)):
        write_lesions(folder / "data" / "lidc" / f"{name}.npy", np.zeros((count, 16, 16), np.uint8), [])
    for stack in folder.glob("denoised/*/*/*.npy"):
        write_stack(stack.with_name(f"{stack.stem}_validation.npy"), open_stack(stack)[2:])
    for stack in folder.glob("denoised/*/*/noisy*.npy"):
        split = "validation" if "validation" in stack.name else "test"
        write_stack(folder / "noisy" / "lidc" / stack.parent.name / f"{split}.npy", open_stack(stack))
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
