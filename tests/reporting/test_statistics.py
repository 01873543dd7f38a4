import math

import numpy as np
import pytest
from scipy import stats

from fplbench.reporting.cells import summarise
from fplbench.reporting.statistics import (
    MINIMUM_UNITS,
    bootstrap_means,
    holm,
    interval,
    permutation_p,
    t_interval,
    t_test,
)


def names(count):
    return [f"p{i}" for i in range(count)]


def test_draws_are_those_of_scipy():
    values = np.random.default_rng(1).gamma(2, 3, 40)
    own = np.quantile(bootstrap_means(values, names(40), np.random.default_rng(2), 40_000), [0.025, 0.975])
    reference = stats.bootstrap((values,), np.mean, n_resamples=40_000, method="percentile", rng=3).confidence_interval
    np.testing.assert_allclose(own, reference, atol=0.03 * np.diff(reference).item())


@pytest.mark.parametrize("count", [5, 12, 40])
def test_the_expanded_interval_of_normal_draws_is_the_one_of_student(count):
    # The spread of the draws is that of the sample over sqrt(n), with n instead of n - 1 in its denominator.
    values = np.random.default_rng(0).normal(0, 1, count)
    draws = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000) * values.std() / math.sqrt(count) + values.mean()
    low, high = interval(draws[:, None], count)[:, 0]
    assert (low, high) == pytest.approx(stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values)), abs=2e-3)


def test_the_interval_of_seeds_and_its_test_are_those_of_scipy():
    values = [0.3, -0.1, 0.4, 0.2, 0.6]
    mean, error = np.mean(values), stats.sem(values)
    assert t_interval(values) == pytest.approx(stats.t.interval(0.95, 4, mean, error))
    assert t_test(values) == pytest.approx(2 * stats.t.sf(mean / error, 4))
    assert (t_test([0.0] * 5), t_test([1.0] * 5)) == (1, 0)


def test_images_of_a_patient_are_drawn_together():
    patients = ["a"] * 50 + ["b"] * 50
    values = np.repeat([0.0, 1.0], 50)
    means = bootstrap_means(values, patients, np.random.default_rng(0), 4000)[:, 0]
    assert set(np.unique(means)) == {0, 0.5, 1}
    assert np.mean(means == 0.5) == pytest.approx(0.5, abs=0.03)


def test_the_mean_weighs_images_when_patients_have_unequal_numbers():
    means = bootstrap_means(np.array([0.0, 0, 0, 1]), ["a", "a", "a", "b"], np.random.default_rng(0), 2000)[:, 0]
    assert set(np.unique(means)) == {0, 0.25, 1}


def test_below_the_minimum_there_are_means_only():
    rng = np.random.default_rng(0)
    for count, drawn in ((1, False), (MINIMUM_UNITS - 1, False), (MINIMUM_UNITS, True)):
        units = [f"p{i % count}" for i in range(60)]
        scores = {"fpl": rng.normal(30, 1, 60), "noisy": rng.normal(28, 1, 60)}
        cells = summarise(scores, units, rng, reference="fpl")
        assert cells["fpl"].mean == pytest.approx(scores["fpl"].mean())
        assert cells["fpl"].best
        for found in (cells["fpl"].low, cells["fpl"].high, cells["noisy"].lead):
            assert (found is not None) == drawn


def test_images_without_a_score_of_any_method_are_left_out_of_all():
    cells = summarise({"a": np.array([1.0, np.nan, 3]), "b": np.array([2.0, 5, 6])}, "123", np.random.default_rng(0))
    assert (cells["a"].mean, cells["b"].mean) == (2, 4)
    assert summarise({"a": np.array([np.nan])}, "1", np.random.default_rng(0)) == {}


def test_a_metric_without_a_better_end_has_intervals_but_no_best_and_no_lead():
    scores = {"fpl": np.linspace(0.5, 1, 20), "noisy": np.linspace(1, 1.5, 20)}
    cells = summarise(scores, names(20), np.random.default_rng(0), None, "fpl")
    assert not any(cell.best or cell.lead for cell in cells.values())
    assert cells["fpl"].low < 0.75 < cells["fpl"].high


def test_draws_are_paired():
    one = np.random.default_rng(0).normal(30, 3, 20)
    means = bootstrap_means(np.stack([one, one + 0.25]), [str(i) for i in range(20)], np.random.default_rng(1))
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25, atol=1e-12)


def test_best_is_decided_on_unrounded_means_and_ties_all_are():
    scores = {"a": np.array([0.1, 0.2, 0.3]), "b": np.array([0.3, 0.2, 0.1]), "c": np.array([0.1, 0.2, 0.2999999])}
    cells = summarise(scores, "123", np.random.default_rng(0))
    assert [cells[name].best for name in "abc"] == [True, True, False]
    cells = summarise(scores, "123", np.random.default_rng(0), direction="lower")
    assert [cells[name].best for name in "abc"] == [False, False, True]


def test_the_permutation_test_is_that_of_scipy():
    differences = np.random.default_rng(3).normal(0.4, 1, 10)
    own = permutation_p(differences, [str(i) for i in range(10)], np.random.default_rng(0))
    reference = stats.permutation_test(
        (differences, np.zeros(10)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert own[0] == pytest.approx(reference.pvalue, rel=1e-12)


def test_random_signs_agree_with_all_of_them():
    differences = np.random.default_rng(4).normal(0.3, 1, 14)
    own = permutation_p(differences, [str(i) for i in range(14)], np.random.default_rng(0), 50_000)
    reference = stats.permutation_test(
        (differences, np.zeros(14)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert own[0] == pytest.approx(reference.pvalue, abs=0.01)


def test_few_patients_cannot_be_significant_however_many_images_they_have():
    differences = np.random.default_rng(0).uniform(1, 2, 400)
    p = permutation_p(differences, [str(i % 4) for i in range(400)], np.random.default_rng(0))
    assert p[0] == 2 / 2**4


def test_leads_are_differences_of_means_towards_better():
    scores = {"fpl": np.array([4.0, 5, 6] * 4), "wiener": np.array([3.0, 5, 4] * 4)}
    up = summarise(scores, names(12), np.random.default_rng(0), reference="fpl")
    down = summarise(scores, names(12), np.random.default_rng(0), "lower", "fpl")
    assert up["wiener"].lead.value == 1
    assert down["wiener"].lead.value == -1
    assert (up["wiener"].lead.low, up["wiener"].lead.high) == (-down["wiener"].lead.high, -down["wiener"].lead.low)
    assert 0 < up["wiener"].lead.low < 1 < up["wiener"].lead.high < 2
    assert up["wiener"].lead.p == down["wiener"].lead.p == 2 / 2**8  # eight differences are not zero, all of one sign
    assert up["fpl"].lead is None
    assert summarise(scores, names(12), np.random.default_rng(0))["wiener"].lead is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([]) == []
