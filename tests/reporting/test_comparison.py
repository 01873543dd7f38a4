import numpy as np
import pytest
from scipy import stats

from fplbench.errors import InputError
from fplbench.reporting.comparison import compare
from tests.helpers.ablation import by_method


def cell(metric="psnr", **values):
    """Means of one cell, by variant a value for each seed."""
    return {("lidc", "gaussian"): {metric: by_method(values)}}


def test_the_gain_is_the_paired_difference_with_the_interval_of_student():
    control, variant = [30, 31, 29, 32, 28], [30.5, 31.3, 29.2, 32.9, 28.1]
    off, on = compare(cell(off=control, on=variant), "off")
    error = stats.sem(np.subtract(variant, control))
    assert (on.variant, on.gain, on.mean) == ("on", pytest.approx(0.4), pytest.approx(30.4))
    assert (on.low, on.high) == pytest.approx(stats.t.interval(0.95, 4, 0.4, error))
    assert on.p == pytest.approx(2 * stats.t.sf(0.4 / error, 4))
    assert on.seeds == dict(enumerate(variant, start=1))
    assert (off.gain, off.low, off.p) == (0, None, None)


def test_trainings_of_one_seed_are_a_pair_in_whatever_order():
    means = by_method({"off": [30, 32, 34, 36, 38], "on": [30.5, 32.5, 34.5, 36.5, 38.5]})
    found = compare({("lidc", "gaussian"): {"psnr": dict(reversed(means.items()))}}, "off")
    assert [(row.low, row.high) for row in found if row.variant == "on"] == [pytest.approx((0.5, 0.5))]


def test_seeds_are_numbers_in_their_order():
    found = compare({("lidc", "gaussian"): {"psnr": {"off-10": 30, "off-9": 29}}}, "off")
    assert list(found[0].seeds) == [9, 10]


def test_fewer_than_five_seeds_have_no_interval():
    on = compare(cell(off=[30, 30], on=[31, 32]), "off")[1]
    assert (on.gain, on.low, on.high, on.p) == (1.5, None, None, None)
    assert on.gains == (1, 2)
    assert not on.better and not on.significant


def test_p_values_are_adjusted_for_the_variants_and_noises_of_a_data_set_and_metric():
    rng = np.random.default_rng(0)
    noises = {
        ("lidc", noise): {"psnr": by_method({name: rng.normal(30, 1, 5).tolist() for name in ("off", "a", "b")})}
        for noise in ("x", "y")
    }
    other = {("rsna", "x"): noises["lidc", "x"]}
    rows = [row for row in compare(noises | other, "off") if row.variant != "off"]
    single = [2 * stats.t.sf(abs(np.mean(row.gains)) / stats.sem(row.gains), 4) for row in rows]
    assert len(single) == 4 + 2
    assert min(row.p for row in rows[:4]) == pytest.approx(min(1, 4 * min(single[:4])))
    assert min(row.p for row in rows[4:]) == pytest.approx(min(1, 2 * min(single[4:])))


def test_a_lower_error_is_a_gain_and_contrast_recovery_has_none():
    assert [row.gain for row in compare(cell("feature_error", off=[0.5], on=[0.25]), "off")] == [0, 0.25]
    assert [row.gain for row in compare(cell("recovery_error", off=[0.5], on=[0.25]), "off")] == [0, 0.25]
    recovery = compare(cell("contrast_recovery", off=[0.5] * 5, on=[1.25] * 5), "off")[1]
    assert (recovery.mean, recovery.gain, recovery.low, recovery.gains) == (1.25, None, None, ())


def test_variants_with_other_seeds_are_refused():
    expected = r"'on' has the seeds \[1\] on lidc/gaussian by psnr, but 'off' has \[1, 2\]"
    with pytest.raises(InputError, match=expected):
        compare(cell(off=[30, 30], on=[30]), "off")


def test_missing_seed_and_missing_control_are_named():
    with pytest.raises(InputError, match="'plain' has no seed"):
        compare({("lidc", "gaussian"): {"psnr": {"plain": 30.0}}}, "plain")
    with pytest.raises(InputError, match=r"'of', the control, was not scored on lidc/gaussian by psnr: did you mean 'off'"):
        compare(cell(off=[30]), "of")
