"""Intervals and tests over seeds and patients at once, against theory and against SciPy's of one of the two."""

import numpy as np
import pytest
from scipy import stats

from fplbench.reporting.cells import summarise
from fplbench.reporting.crossed import crossed_interval, crossed_p, estimate
from fplbench.reporting.statistics import bootstrap_means, interval, t_interval


def people(count):
    return [f"p{i}" for i in range(count)]


def crossed(patients, seeds, single, rng):
    """Scores (S, P) of a two-way model without interaction but for the noise of single scores."""
    return patients[None] + seeds[:, None] + single * rng.standard_normal((len(seeds), len(patients)))


def test_the_variance_is_that_of_the_two_way_analysis_of_variance():
    """Balanced data: (MS_patients + MS_seeds - MS_error) / (P S), as of two crossed random factors."""
    rng = np.random.default_rng(0)
    values = crossed(rng.normal(0, 2, 20), rng.normal(0, 1, 5), 0.5, rng)
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    of_seeds = 20 * np.square(rows - mean).sum() / 4
    of_patients = 5 * np.square(columns - mean).sum() / 19
    error = np.square(values - rows[:, None] - columns + mean).sum() / (4 * 19)
    found = estimate(values, people(20))
    assert found.variance == pytest.approx((of_patients + of_seeds - error) / 100)
    assert found.mean == pytest.approx(mean)
    freedom = (of_patients + of_seeds - error) ** 2 / (of_patients**2 / 19 + of_seeds**2 / 4)
    assert found.freedom == pytest.approx(freedom)


def test_the_variance_is_that_of_many_simulated_means():
    rng = np.random.default_rng(1)
    draws = [crossed(rng.normal(0, 1, 15), rng.normal(0, 0.5, 5), 0.3, rng) for _ in range(4000)]
    found = np.mean([estimate(values, people(15)).variance for values in draws])
    theory = 1 / 15 + 0.25 / 5 + 0.09 / 75
    assert found == pytest.approx(theory, rel=0.03)
    assert np.var([values.mean() for values in draws]) == pytest.approx(theory, rel=0.06)


def test_without_differences_between_seeds_it_is_the_interval_over_patients():
    scores = np.random.default_rng(2).gamma(2, 1, 40)
    values = np.tile(scores, (5, 1))
    means = bootstrap_means(scores, people(40), np.random.default_rng(3))
    low, high = crossed_interval(means[:, 0], values, people(40), np.random.default_rng(4))
    assert (low, high) == pytest.approx(interval(means, 40)[:, 0].tolist(), abs=0.02 * (high - low))


def test_without_differences_between_patients_it_is_the_interval_over_seeds():
    of_seeds = np.random.default_rng(5).normal(30, 1, 5)
    values = np.tile(of_seeds[:, None], (1, 12))
    means = bootstrap_means(values.mean(axis=0), people(12), np.random.default_rng(6), 200_000)
    low, high = crossed_interval(means[:, 0], values, people(12), np.random.default_rng(7))
    assert (low, high) == pytest.approx(t_interval(of_seeds), rel=2e-3)
    assert crossed_p(values - 30, people(12)) == pytest.approx(stats.ttest_1samp(of_seeds, 30).pvalue)


def test_without_differences_between_seeds_the_test_is_that_of_student_over_patients():
    scores = np.random.default_rng(8).normal(0.3, 1, 25)
    found = crossed_p(np.tile(scores, (6, 1)), people(25))
    assert found == pytest.approx(stats.ttest_1samp(scores, 0).pvalue)
    assert crossed_p(np.zeros((5, 12)), people(12)) == 1


def trainings(count, patients, gap=0.0):
    rng = np.random.default_rng(9)
    base = rng.normal(30, 2, patients)
    return {"fpl": base + gap + rng.normal(0, 0.5, (count, 1)), "noisy": base}


def test_five_seeds_have_an_interval_over_seeds_and_patients_and_four_have_the_range():
    for count, over in ((5, "both"), (4, "units"), (1, "units")):
        scores = trainings(count, 20, 1)
        cells = summarise(scores, people(20), np.random.default_rng(0), reference="fpl")
        cell = cells["fpl"]
        assert (cell.over, cell.seeds, cell.low is None) == (over, count, False)
        assert cell.mean == pytest.approx(scores["fpl"].mean())
        single = scores["fpl"].mean(axis=1)
        expected = (single.min(), single.max()) if count > 1 else (None, None)
        assert (cell.least, cell.most) == pytest.approx(expected)
        assert (cells["noisy"].over, cells["noisy"].seeds) == ("units", 1)


def test_a_lead_of_several_seeds_over_a_filter_is_as_uncertain_as_the_seeds():
    """The filter's scores are those of FPL less 1 dB and the effect of the seed: only seeds make the lead uncertain."""
    scores = trainings(5, 20, 1)
    lead = summarise(scores, people(20), np.random.default_rng(0), reference="fpl")["noisy"].lead
    gains = (scores["fpl"] - scores["noisy"]).mean(axis=1)
    assert lead.value == pytest.approx(gains.mean())
    assert (lead.low, lead.high) == pytest.approx(t_interval(gains), abs=0.05)
    assert lead.p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)


def test_trainings_with_the_same_seed_are_pairs():
    """Both methods have the same effect of the seed, so that the lead has none."""
    scores = trainings(5, 20)
    scores["red_cnn"] = scores["fpl"] - 1 + np.random.default_rng(1).normal(0, 0.1, 20)
    lead = summarise(scores, people(20), np.random.default_rng(0), reference="fpl")["red_cnn"].lead
    assert lead.high - lead.low < 0.2


def test_few_patients_have_an_interval_over_seeds_alone_and_no_lead():
    scores = trainings(5, 3)
    cells = summarise(scores, people(3), np.random.default_rng(0), reference="fpl")
    assert (cells["fpl"].low, cells["fpl"].high) == pytest.approx(t_interval(scores["fpl"].mean(axis=1)))
    assert (cells["fpl"].over, cells["noisy"].low, cells["noisy"].lead) == ("seeds", None, None)
    assert summarise(trainings(4, 3), people(3), np.random.default_rng(0))["fpl"].low is None
