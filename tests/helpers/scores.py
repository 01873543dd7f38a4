"""Made-up long tables, stacks and configs for scoring and reporting."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.config import load_config
from fplbench.stacks import write_stack

COLUMNS = ("dataset", "noise", "method", "image_id", "patient", "psnr", "psnr_uint8", "ssim")


def write_long_table(path: Path, cells: Mapping[tuple[str, str, str], Sequence[Any]], patients: Sequence[str] = ()) -> Path:
    """Write a long table from psnr values by (dataset, noise, method); ssim is psnr / 100, the wrapped psnr is 30.

    Each image is of a patient of its own, unless they are given.
    """
    with open(path, "w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for names, values in cells.items():
            for i, value in enumerate(values):
                patient = patients[i] if patients else f"p{i}"
                writer.writerow([*names, f"i{i}", patient, value, 30, min(float(value) / 100, 1)])
    return path


def index_rows(count: int) -> list[dict[str, Any]]:
    """The index of a stack whose images are i0, i1, ..., two of each patient."""
    return [{"image_id": f"i{i}", "patient": f"p{i // 2}", "source": "s", "slice": i} for i in range(count)]


def write_cells(folder: Path, noises: Sequence[str], methods: Sequence[str]) -> None:
    """Write clean, noisy and denoised stacks of lidc, four images of 16x16 pixels, laid out as the workflow does."""
    rng = np.random.default_rng(0)
    clean = rng.integers(40, 200, (4, 16, 16), dtype=np.uint8)
    write_stack(folder / "data" / "lidc" / "test.npy", clean, index_rows(4))
    for noise in noises:
        write_stack(folder / "noisy" / "lidc" / noise / "test.npy", clean // 2)
        for strength, method in enumerate(methods, start=1):
            image = np.clip(clean + rng.normal(0, 20 / strength, clean.shape), 0, 255).astype(np.uint8)
            write_stack(folder / "denoised" / "lidc" / noise / f"{method}.npy", image)


def write_config(path: Path, **values: Any) -> Path:
    """Write the resolved config of a run, as the workflow does."""
    path.write_text(json.dumps(load_config(values).resolved()))
    return path


FAIR_PSNR = {
    "noisy": 20.0, "noisy_grey_map": 21.0, "fpl": 29.5, "residual_same_steps": 29.75, "residual_same_seconds": 30.0,
    "red_cnn": 29.0, "noise2void": 27.0, "red_cnn_same_seconds": 29.25, "noise2void_same_seconds": 27.5, "dpir": 28.0,
    "bilateral": 24.0, "nlm": 25.0,
}  # fmt: skip
"""Mean PSNR of each column of a made-up fair comparison, in dB."""


def fair_cells(noises: Sequence[str], patients: int, seeds: int = 1) -> dict[tuple[str, str, str], list[float]]:
    """PSNR of lidc with the means `FAIR_PSNR`, for `write_long_table`; networks are trained with several seeds.

    The scores of a patient differ from the mean by one value, those of a seed by another; both have the mean 0.
    """
    of_patients = np.linspace(-1, 1, patients) if patients > 1 else np.zeros(1)
    of_seeds = np.linspace(-0.25, 0.25, seeds) if seeds > 1 else np.zeros(1)
    cells = {}
    for noise in noises:
        for name, mean in FAIR_PSNR.items():
            trained = not name.startswith(("noisy", "bilateral", "nlm"))
            for number, effect in enumerate(of_seeds if trained else of_seeds[:1] * 0, start=1):
                method = name if number == 1 else f"{name}-{number}"
                cells["lidc", noise, method] = list(mean + of_patients + effect)
    return cells


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a .csv file."""
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def run(*arguments: object) -> str:
    """Run a command that must succeed; its output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output
