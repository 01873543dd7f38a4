import numpy as np
import pytest
from scipy import stats

from fplbench.reporting.statistics import bootstrap_means, holm, interval, permutation_p, summarise


def test_interval_is_the_percentile_interval_of_scipy():
    values = np.random.default_rng(1).gamma(2, 3, 40)
    own = interval(bootstrap_means(values, [str(i) for i in range(40)], np.random.default_rng(2), 40_000))[:, 0]
    reference = stats.bootstrap((values,), np.mean, n_resamples=40_000, method="percentile", rng=3).confidence_interval
    np.testing.assert_allclose(own, reference, atol=0.03 * np.diff(reference).item())


def test_interval_of_equal_patients_covers_the_true_mean_95_times_in_100():
    rng = np.random.default_rng(0)
    patients = [str(i) for i in range(60)]
    covered = 0
    for _ in range(400):
        low, high = interval(bootstrap_means(rng.normal(5, 2, 60), patients, rng, 500))[:, 0]
        covered += low <= 5 <= high
    assert stats.binomtest(covered, 400, 0.94).pvalue > 0.01


def test_images_of_a_patient_are_drawn_together():
    patients = ["a"] * 50 + ["b"] * 50
    values = np.repeat([0.0, 1.0], 50)
    means = bootstrap_means(values, patients, np.random.default_rng(0), 4000)[:, 0]
    assert set(np.unique(means)) == {0, 0.5, 1}
    assert np.mean(means == 0.5) == pytest.approx(0.5, abs=0.03)


def test_the_mean_weighs_images_when_patients_have_unequal_numbers():
    means = bootstrap_means(np.array([0.0, 0, 0, 1]), ["a", "a", "a", "b"], np.random.default_rng(0), 2000)[:, 0]
    assert set(np.unique(means)) == {0, 0.25, 1}


def test_images_are_drawn_when_all_are_of_one_patient():
    values = np.random.default_rng(0).normal(0, 1, 400)
    low, high = interval(bootstrap_means(values, ["a"] * 400, np.random.default_rng(1)))[:, 0]
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_draws_are_paired():
    one = np.random.default_rng(0).normal(30, 3, 20)
    means = bootstrap_means(np.stack([one, one + 0.25]), [str(i) for i in range(20)], np.random.default_rng(1))
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25, atol=1e-12)


def test_best_is_decided_on_unrounded_means_and_ties_all_are():
    scores = {"a": np.array([0.1, 0.2, 0.3]), "b": np.array([0.3, 0.2, 0.1]), "c": np.array([0.1, 0.2, 0.2999999])}
    cells = summarise(scores, "123", np.random.default_rng(0))
    assert [cells[name].best for name in "abc"] == [True, True, False]
    cells = summarise(scores, "123", np.random.default_rng(0), higher_is_better=False)
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
    scores = {"fpl": np.array([4.0, 5, 6]), "wiener": np.array([3.0, 5, 4])}
    up = summarise(scores, "123", np.random.default_rng(0), reference="fpl")
    down = summarise(scores, "123", np.random.default_rng(0), higher_is_better=False, reference="fpl")
    assert up["wiener"].lead.value == 1
    assert (up["wiener"].lead.low, up["wiener"].lead.high) == (0, 2)
    assert down["wiener"].lead.value == -1
    assert up["wiener"].lead.p == down["wiener"].lead.p == 0.5
    assert up["fpl"].lead is None
    assert summarise(scores, "123", np.random.default_rng(0))["wiener"].lead is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([]) == []
