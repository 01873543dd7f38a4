"""A perfect denoiser as a control: where denoised and clean images are equal, every score has its best possible value."""

import math

import numpy as np
import pytest

from fplbench.lesions.stack import write_lesions
from fplbench.reporting.scores import CEILING
from fplbench.scoring.lesions import LESION_METRICS
from fplbench.scoring.registry import SCORES, image_metrics
from fplbench.stacks import write_stack
from tests.helpers.scores import read_rows, run
from tests.scoring.test_comparison import lesion_row

PATIENTS = 14
IMAGE = {
    **dict.fromkeys(("psnr", "psnr_uint8", "body_psnr"), math.inf),
    **dict.fromkeys(("ssim", "body_ssim", "haarpsi", "vif"), 1),
    **dict.fromkeys(("gradient_error", "gmsd"), 0),
}
LESION = {
    "psnr": math.inf,
    **dict.fromkeys(("ssim", "contrast_recovery"), 1),
    **dict.fromkeys(("rmse", "recovery_error", "bias"), 0),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scores of a perfect method and of one that blurs: images, lesions, inserted lesions and features."""
    import torch

    from fplbench.networks import UNet, weights

    folder = tmp_path_factory.mktemp("perfect")
    rng = np.random.default_rng(0)
    lesions = np.zeros((PATIENTS, 48, 48), np.uint8)
    lesions[:, 20:28, 16:24] = 1
    clean = (rng.integers(60, 80, lesions.shape) + 100 * lesions).astype(np.uint8)
    clean[:, :4] = 0
    names = [f"i{number}" for number in range(PATIENTS)]
    index = [{"image_id": name, "patient": name, "source": "s", "slice": 0} for name in names]
    for name, inserted in (("test", 0), ("planted", 1)):
        write_stack(folder / f"{name}.npy", clean, index)
        rows = [lesion_row(image, 1, f"{name}-{image}", inserted, 64) | {"patient": image} for image in names]
        write_lesions(folder / f"{name}.npy", lesions, rows)
    for ending in ("", "_inserted"):
        write_stack(folder / f"perfect{ending}.npy", clean)
        write_stack(folder / f"blur{ending}.npy", ((clean + np.roll(clean, 1, 1).astype(float)) / 2).astype(np.uint8))
    torch.manual_seed(1)
    weights.save(UNet(width=2), folder / "restoration.safetensors", {"output": "image"})
    stacks = folder / "perfect.npy", folder / "blur.npy"
    cell = folder / "scores" / "lidc" / "gaussian.csv"
    features = folder / "features" / "lidc" / "gaussian.csv"
    run(
        "score", folder / "test.npy", cell, *stacks, "--lesion-scores", folder / "lesion_scores" / "gaussian.csv",
        *("--inserted-clean", folder / "planted.npy", "--inserted", folder / "perfect_inserted.npy"),
        *("--inserted", folder / "blur_inserted.npy"), *(f"--metric={name}" for name in image_metrics()),
    )  # fmt: skip
    run("feature-scores", folder / "restoration.safetensors", folder / "test.npy", features, *stacks, "--device=cpu")
    run("collate", folder / "scores.csv", cell, "--feature-scores", features)
    return folder


def test_the_perfect_denoiser_has_the_best_score_of_every_metric_of_images(folder):
    assert IMAGE.keys() == set(image_metrics())
    rows = [row for row in read_rows(folder / "scores.csv") if row["method"] == "perfect"]
    assert len(rows) == PATIENTS
    for row in rows:
        assert float(row["feature_error"]) == 0
        assert {name: float(row[name]) for name in IMAGE} == pytest.approx(IMAGE, abs=1e-9)


@pytest.mark.parametrize("inserted", ["0", "1"])
def test_the_perfect_denoiser_keeps_every_lesion(folder, inserted):
    rows = read_rows(folder / "lesion_scores" / "gaussian.csv")
    rows = [row for row in rows if (row["method"], row["inserted"]) == ("perfect", inserted)]
    assert len(rows) == PATIENTS
    assert LESION.keys() == set(LESION_METRICS) - {"cnr"}  # that of the clean image: the best where noise is left is higher
    for row in rows:
        assert {name: float(row[name]) for name in LESION} == pytest.approx(LESION, abs=1e-12)


def test_the_control_tells_the_perfect_denoiser_from_one_that_blurs(folder):
    images, lesions = read_rows(folder / "scores.csv"), read_rows(folder / "lesion_scores" / "gaussian.csv")
    for name in (*IMAGE, "feature_error"):
        perfect, blurred = ([float(row[name]) for row in images if row["method"] == method] for method in ("perfect", "blur"))
        assert min(perfect) > max(blurred) if SCORES[name].direction == "higher" else max(perfect) < min(blurred)
    assert max(float(row["contrast_recovery"]) for row in lesions if row["method"] == "blur") < 0.97


def test_tables_show_the_infinite_psnr_as_a_finite_ceiling(folder):
    run(
        "table", folder / "scores.csv", "lidc", "--out-dir", folder / "tables", "--reference", "perfect",
        "--lesion-scores", folder / "lesion_scores",
    )  # fmt: skip
    rows = {(row["metric"], row["method"]): row for row in read_rows(folder / "tables" / "lidc.csv")}
    for metric in ("psnr", "body_psnr", "lesion_psnr", "inserted_lesion_psnr"):
        perfect, blurred = rows[metric, "perfect"], rows[metric, "blur"]
        assert [float(perfect[key]) for key in ("mean", "low", "high")] == [CEILING] * 3 and perfect["best"] == "1"
        assert all(math.isfinite(float(blurred[key])) for key in ("mean", "low", "high", "lead", "lead_low", "lead_high"))
        assert float(blurred["lead"]) == pytest.approx(CEILING - float(blurred["mean"]))
    assert (float(rows["contrast_recovery", "perfect"]["mean"]), float(rows["feature_error", "perfect"]["mean"])) == (1, 0)
    for name in ("lidc.md", "lidc.html", "lidc.tex"):
        assert not {"inf", "nan"} & set((folder / "tables" / name).read_text().lower().replace("|", " ").split())
