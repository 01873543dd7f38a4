import csv
import json

import numpy as np
import pytest

from tests.helpers.workflow import TRAINING, plan, snakemake, write_config, write_volumes

LESION = {"network": "lesion", "readout": "sigmoid_sum", "activation": "relu"}
ABLATION = {
    "noises": ["gaussian", "rician"],
    "screened_on": ["gaussian"],
    "seeds": [1, 2],
    "draws": 2,
    "least_cosine": 0.5,
    "keep": 1,
    "controls": ["mask_weight"],
    "variants": {
        "sobel": {"balance": 0.1, "explanation": {"feature": "sobel"}},
        "random_sign": {"balance": 0.1, "explanation": {"network": "random", "readout": "sigmoid_sum", "activation": "relu"}},
        "lesion_weight": {"feature_use": "weight", "explanation": LESION},
        "guided_weight": {"feature_use": "weight"},
        "mask_weight": {"feature_use": "weight", "explanation": {"feature": "mask"}},
    },
}
SETTINGS = {
    "ablation": ABLATION,
    "fair": {"seconds_per_step": {"fpl": 2.0, "residual_same_steps": 1.0}},
    "training": {
        "restoration": TRAINING,
        "fpl": TRAINING,
        "lesion": {**TRAINING, "warn_below": 0},
        "random": {"width": 2},
    },
    "detectability": {"contrasts": {"lits": [60]}, "sizes": [16], "pairs": 20, "resamples": 100, "noises": ["gaussian"]},
    "methods": {"noisy": {}, "fpl": {}},
}
FINAL = {"residual_same_steps", "residual_same_seconds", "fpl", "mask_weight"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An ablation in halves, in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("the ablation")
    write_volumes(folder / "volumes")
    write_config(folder, **SETTINGS)
    process = snakemake(folder, "ablation", "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-4000:]
    return folder


def test_a_loss_that_does_not_point_at_the_clean_image_is_not_trained_with(finished):
    aligned = json.loads((finished / "out/ablation/aligned.json").read_text())
    assert "random_sign" in aligned["left_out"] and "random_sign" not in aligned["variants"]
    assert {"sobel", "lesion_weight", "as_published"} <= set(aligned["variants"])
    assert not list((finished / "out/ablation/models").rglob("random_sign*"))


def test_one_form_is_kept_beside_the_controls_and_only_these_have_all_seeds_and_noises(finished):
    screened = json.loads((finished / "out/ablation/screened.json").read_text())
    kept = set(screened["variants"]) - FINAL
    assert set(screened["variants"]) >= FINAL and len(kept) == 1 and kept < {"lesion_weight", "guided_weight"}
    trained = {path.stem for path in (finished / "out/ablation/models/lits/rician").glob("*.safetensors")}
    final = set(screened["variants"]) - {"residual_same_steps"}  # where nothing is screened, the other control suffices
    assert trained == {f"{name}-{seed}" for name in final for seed in (1, 2)}
    with open(finished / "out/ablation/test/scores/lits/rician.csv", newline="") as stream:
        assert {row["method"] for row in csv.DictReader(stream)} == trained


def test_as_published_ends_where_training_without_the_loss_ends(finished):
    with open(finished / "out/ablation/screening/scores/lits/gaussian.csv", newline="") as stream:
        rows = [row for row in csv.DictReader(stream)]
    scores = {
        name: [row["psnr"] for row in rows if row["method"] == f"{name}-1"] for name in ("as_published", "residual_same_steps")
    }
    assert scores["as_published"] == scores["residual_same_steps"] and scores["as_published"]


def test_every_image_is_scored_in_two_draws_of_the_noise(finished):
    clean = np.load(finished / "out/ablation/draws/data/lits/test.npy")
    noisy = np.load(finished / "out/ablation/draws/noisy/lits/gaussian/test.npy")
    first, second = np.split(noisy, 2)
    assert np.array_equal(*np.split(clean, 2)) and np.array_equal(first, np.load(finished / "out/noisy/lits/gaussian/test.npy"))
    assert not np.array_equal(first, second)
    for table in ("scores", "lesion_scores"):
        with open(finished / f"out/ablation/test/{table}/lits/gaussian.csv", newline="") as stream:
            assert {row["image_id"].rpartition("_")[2] for row in csv.DictReader(stream)} == {"draw-1", "draw-2"}
    assert "each in 2 draws of the noise" in (finished / "out/ablation/ablation.md").read_text()


def test_annotated_and_inserted_lesions_are_scored_and_signals_detected(finished):
    with open(finished / "out/ablation/test/lesion_scores/lits/gaussian.csv", newline="") as stream:
        assert {row["inserted"] for row in csv.DictReader(stream)} == {"0", "1"}
    with open(finished / "out/ablation/test/detectability/lits/gaussian.csv", newline="") as stream:
        assert {row["method"].rpartition("-")[0] for row in csv.DictReader(stream)} >= FINAL
    for name in (
        "ablation.md",
        "ablation.csv",
        "ablation_lits.png",
        "explanations/lits.png",
        "features_lits.png",
        "alignment/lits/gaussian.png",
    ):
        assert (finished / "out/ablation" / name).exists()
    assert not list((finished / "out/ablation").rglob("denoised/*/*/*.npy"))


def test_a_further_seed_trains_that_seed_alone(finished):
    write_config(finished, "further.yaml", **{**SETTINGS, "ablation": {**ABLATION, "seeds": [1, 2, 3]}})
    jobs = plan(finished, "ablation", "--configfile", "further.yaml")
    assert not {"train_lesion", "train_random", "train_restoration", "explain_for_ablation", "align_cell"} & jobs.keys()
    assert jobs["train_ablation"] == 5 + 4  # variants on two noises


def test_it_is_not_part_of_all(finished):
    assert not {"train_ablation", "train_lesion", "join_inserted"} & plan(finished, "--configfile", "config.yaml").keys()
