"""Made-up folders of an ablation: scores of every training, and how the variants were chosen."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.files import write_csv
from tests.reporting.conftest import COLUMNS, lesion_row

Values = Mapping[str, Sequence[float]]
"""One value for each seed, 1 first, by variant."""


def by_method(values: Values) -> dict[str, float]:
    """The value of each method, named {variant}-{seed}."""
    return {f"{name}-{seed}": value for name, own in values.items() for seed, value in enumerate(own, start=1)}


def write_images(stage: Path, cell: str, psnr: Values, images: int = 2, patients: Sequence[str] = ("p0", "p0")) -> Path:
    """Write scores of images, the same for all images of a method, and their feature errors, 10 / psnr."""
    means = by_method(psnr)
    rows: list[dict[str, Any]] = [
        {"method": method, "image_id": f"i{i}", "patient": patients[i], "psnr": mean, "psnr_uint8": 30, "ssim": mean / 100}
        for method, mean in means.items()
        for i in range(images)
    ]
    write_csv(stage / "scores" / f"{cell}.csv", rows)
    features = [{"method": row["method"], "image_id": row["image_id"], "feature_error": 10 / row["psnr"]} for row in rows]
    write_csv(stage / "feature_scores" / f"{cell}.csv", features)
    return stage / "scores" / f"{cell}.csv"


def lesion_rows(psnr: Values, recovery: Values, inserted: int = 0) -> list[dict[str, Any]]:
    """Scores of one lesion in one image of p0 by each method."""
    kept = by_method(recovery)
    name = f"lesion-{inserted}"
    return [
        {**lesion_row(method, name, f"i{inserted}", "p0", kept[method], inserted), "psnr": value}
        for method, value in by_method(psnr).items()
    ]


def write_lesions(stage: Path, cell: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write scores of lesions."""
    write_csv(stage / "lesion_scores" / f"{cell}.csv", rows, COLUMNS)
    return stage / "lesion_scores" / f"{cell}.csv"


def write_detectability(stage: Path, cell: str, dprime: Values) -> None:
    """Write d' of two kinds of signals, one lower and one higher by 1, and of the unprocessed images."""
    means = {"noisy": 9.0} | by_method(dprime)
    rows = [{"method": method, "dprime": mean + kind} for method, mean in means.items() for kind in (-1, 1)]
    write_csv(stage / "detectability" / f"{cell}.csv", rows)


def write_alignment(folder: Path, cell: str, cosines: Mapping[str, float | str]) -> Path:
    """Write a table as `fplbench align` does, as far as the ablation reads it."""
    rows = [{"explanation": name, "network": "restoration", "cosine": cosine} for name, cosine in cosines.items()]
    write_csv(folder / "alignment" / f"{cell}.csv", rows)
    return folder / "alignment" / f"{cell}.csv"


def read_json(path: Path) -> Any:
    """What a .json file holds."""
    return json.loads(path.read_text())
