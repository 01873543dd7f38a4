import csv

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from fplbench.errors import InputError
from fplbench.reporting.ablation import ablation_note, legend, write_ablation
from fplbench.reporting.comparison import compare
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.scores import NoiseScores, read_scores

PATIENTS = tuple(f"p{i}" for i in range(10))


def scores(values, metric="psnr"):
    found = {name: np.array(numbers, float) for name, numbers in values.items()}
    return {"lidc": {"gaussian": NoiseScores(PATIENTS, PATIENTS, {metric: found})}}


def five(control, variant):
    """Scores of a control and a variant: the mean of ten images for each of five seeds."""
    means = {f"off-{seed}": value for seed, value in enumerate(control, start=1)}
    means |= {f"on-{seed}": value for seed, value in enumerate(variant, start=1)}
    return {name: np.full(10, float(value)) for name, value in means.items()}


def test_the_gain_is_the_paired_difference_with_the_interval_of_student():
    control, variant = [30, 31, 29, 32, 28], [30.5, 31.3, 29.2, 32.9, 28.1]
    off, on = compare(scores(five(control, variant)), "off")
    error = stats.sem(np.subtract(variant, control))
    assert (on.variant, on.gain, on.mean) == ("on", pytest.approx(0.4), pytest.approx(30.4))
    assert (on.gain_low, on.gain_high) == pytest.approx(stats.t.interval(0.95, 4, 0.4, error))
    assert on.gain_p == pytest.approx(2 * stats.t.sf(0.4 / error, 4))
    assert on.seeds == pytest.approx(variant)
    assert (off.gain, off.gain_low, off.gain_p) == (0, None, None)


def test_the_scatter_of_images_is_not_that_of_seeds():
    base = np.random.default_rng(0).normal(30, 5, 10)
    found = {f"{name}-{seed}": base + 0.5 * (name == "on") for name in ("off", "on") for seed in range(5)}
    on = compare(scores(found), "off")[1]
    assert (on.gain, on.gain_low, on.gain_high) == pytest.approx((0.5, 0.5, 0.5))


def test_trainings_of_one_seed_are_a_pair_in_whatever_order():
    found = five([30, 32, 34, 36, 38], [30.5, 32.5, 34.5, 36.5, 38.5])
    on = compare(scores(dict(reversed(found.items()))), "off")
    assert [(row.gain_low, row.gain_high) for row in on if row.variant == "on"] == [pytest.approx((0.5, 0.5))]


def test_fewer_than_five_seeds_have_no_interval():
    on = compare(scores({"off-1": [30] * 10, "off-2": [30] * 10, "on-1": [31] * 10, "on-2": [32] * 10}), "off")[1]
    assert (on.gain, on.gain_low, on.gain_high, on.gain_p) == (1.5, None, None, None)
    assert on.gains == (1, 2)


def test_p_values_are_adjusted_for_the_variants_and_noises_of_a_data_set():
    rng = np.random.default_rng(0)
    cells = {f"{name}-{seed}": np.full(10, rng.normal(30, 1)) for name in ("off", "a", "b") for seed in range(5)}
    shifted = {name: values + rng.normal(0, 1) for name, values in cells.items()}
    noises = {name: NoiseScores(PATIENTS, PATIENTS, {"psnr": found}) for name, found in (("x", cells), ("y", shifted))}
    rows = [row for row in compare({"lidc": noises}, "off") if row.variant != "off"]
    single = [2 * stats.t.sf(abs(np.mean(row.gains)) / stats.sem(row.gains), 4) for row in rows]
    assert len(single) == 4
    assert sorted(row.gain_p for row in rows)[0] == pytest.approx(min(1, 4 * min(single)))


def test_variants_with_other_seeds_are_refused():
    with pytest.raises(InputError, match=r"'on' has the seeds \['1'\] on noise 'gaussian', but 'off' has \['1', '2'\]"):
        compare(scores({"off-1": [30] * 10, "off-2": [30] * 10, "on-1": [30] * 10}), "off")


def test_the_control_gains_nothing_and_a_lower_feature_error_is_a_gain():
    rows = compare(scores({"off-1": [0.5] * 10, "on-1": [0.25] * 10}, "feature_error"), "off")
    assert [row.gain for row in rows] == [0, 0.25]


def test_missing_seed_and_missing_control_are_named():
    with pytest.raises(InputError, match="'plain' has no seed"):
        compare(scores({"plain": [30] * 10}), "plain")
    with pytest.raises(InputError, match=r"'of', the control, .* did you mean 'off'"):
        compare(scores({"off-1": [30] * 10}), "of")


def test_the_note_names_seeds_as_the_unit_and_says_where_persons_are_unknown():
    found = scores(five([30, 31, 29, 32, 28], [31, 32, 30, 33, 30]))
    rows = compare(found, "off")
    known = ablation_note(found, rows, Labels(), {})
    assert "LIDC: mean over 10 images of 10 patients" in known
    assert "over 5 training seeds" in known
    assert "The images are fixed, so this says nothing about other patients." in known
    unknown = ablation_note(found, rows, Labels(), {"lidc": Facts(persons_known=False)})
    assert "10 images; which of them show the same person is not known" in unknown
    assert "5 training seeds" in legend(rows)
    few = scores({"off-1": [30] * 10, "on-1": [31] * 10})
    assert "no intervals, since they take at least 5 seeds" in ablation_note(few, compare(few, "off"), Labels(), {})


def test_files_hold_every_variant(write_scores, tmp_path):
    cells = {
        ("lidc", noise, f"{variant}-{seed}"): [30, 31 + seed]
        for noise in ("poisson", "rician")
        for variant in ("weight_0", "weight_0.1")
        for seed in (1, 2)
    }
    path = write_scores(cells)
    write_ablation(path, tmp_path / "out", "weight_0")
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
