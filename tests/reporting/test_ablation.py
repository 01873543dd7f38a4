import csv

import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.ablation import compare, legend, write_ablation
from fplbench.reporting.scores import NoiseScores, read_scores

PATIENTS = tuple(f"p{i}" for i in range(10))


def scores(values, metric="psnr"):
    found = {name: np.array(numbers, float) for name, numbers in values.items()}
    return {"lidc": {"gaussian": NoiseScores(PATIENTS, PATIENTS, {metric: found})}}


def test_gain_is_paired_over_patients():
    base = np.random.default_rng(0).normal(30, 5, 10)
    rows = compare(scores({"off-1": base, "off-2": base, "on-1": base + 0.5, "on-2": base + 0.5}), "off", seed=0)
    on = rows[1]
    assert on.variant == "on"
    assert (on.gain, on.gain_low, on.gain_high) == pytest.approx((0.5, 0.5, 0.5))
    assert on.high - on.low > 3
    assert on.seeds == pytest.approx([base.mean() + 0.5] * 2)


def test_the_interval_covers_the_scatter_of_seeds():
    base = np.full(10, 30.0)
    rows = compare(scores({"off-1": base, "off-2": base, "on-1": base, "on-2": base + 1}), "off", seed=0)
    assert (rows[1].gain, rows[1].gain_low, rows[1].gain_high) == pytest.approx((0.5, 0, 1))


def test_trainings_of_one_seed_are_a_pair():
    base = np.full(10, 30.0)
    rows = compare(scores({"off-1": base, "off-2": base + 2, "on-2": base + 2.5, "on-1": base + 0.5}), "off", seed=0)
    assert (rows[1].gain, rows[1].gain_low, rows[1].gain_high) == pytest.approx((0.5, 0.5, 0.5))


def test_variants_with_other_seeds_are_refused():
    with pytest.raises(InputError, match=r"'on' has the seeds \['1'\] on noise 'gaussian', but 'off' has \['1', '2'\]"):
        compare(scores({"off-1": [30] * 10, "off-2": [30] * 10, "on-1": [30] * 10}), "off", seed=0)


def test_the_control_gains_nothing_and_a_lower_feature_error_is_a_gain():
    rows = compare(scores({"off-1": [0.5] * 10, "on-1": [0.25] * 10}, "feature_error"), "off", seed=0)
    assert [row.gain for row in rows] == [0, 0.25]


def test_missing_seed_and_missing_control_are_named():
    with pytest.raises(InputError, match="'plain' has no seed"):
        compare(scores({"plain": [30] * 10}), "plain", seed=0)
    with pytest.raises(InputError, match=r"'of', the control, .* did you mean 'off'"):
        compare(scores({"off-1": [30] * 10}), "of", seed=0)


def test_the_caption_says_that_intervals_of_one_patient_are_over_its_images():
    several = compare(scores({"off-1": [30] * 10}), "off", seed=0)
    assert "95 % interval over seeds and patients;" in legend(several)
    found = NoiseScores(PATIENTS, ("p",) * 10, {"psnr": {"off-1": np.arange(10.0)}})
    one = compare({"lidc": {"gaussian": found}}, "off", seed=0)
    assert "95 % interval over seeds and images of one patient;" in legend(one)
    assert one[0].low < 4.5 < one[0].high


def test_files_hold_every_variant(write_scores, tmp_path):
    cells = {
        ("lidc", noise, f"{variant}-{seed}"): [30, 31 + seed]
        for noise in ("poisson", "rician")
        for variant in ("weight_0", "weight_0.1")
        for seed in (1, 2)
    }
    path = write_scores(cells)
    write_ablation(path, tmp_path / "out", "weight_0", seed=0)
    with open(tmp_path / "out" / "ablation.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * 2 * 2
    assert rows[0]["seeds"] == "2"
    assert (float(rows[0]["seed_lowest"]), float(rows[0]["seed_highest"])) == (31, 31.5)
    assert list(rows[0])[-3:] == ["seeds", "seed_lowest", "seed_highest"]
    text = (tmp_path / "out" / "ablation.md").read_text(encoding="utf-8")
    assert text.count("| control |") + text.count(" control |") >= 2
    assert Image.open(tmp_path / "out" / "ablation_lidc.png").format == "PNG"
    assert set(read_scores(path)) == {"lidc"}
