"""Intervals are printed from the number of units on at which simulations find that they cover at least 92 %."""

from functools import cache

import pytest
from scipy import stats

from benchmarks.coverage import DISTRIBUTIONS, coverage, crossed_coverage, gamma, seed_coverage
from fplbench.reporting.statistics import MANY_UNITS, MINIMUM_SEEDS, MINIMUM_UNITS

SAMPLES = 2500
LEAST = 0.92

pytestmark = pytest.mark.slow


@cache
def simulated(name: str, patients: int, samples: int = SAMPLES) -> dict[str, float]:
    return coverage(DISTRIBUTIONS[name], patients, samples, seed=1)


def at_least(share: float, wanted: float, samples: int) -> bool:
    """Whether a simulated coverage is compatible with a true one of `wanted` or more."""
    return stats.binomtest(round(share * samples), samples, wanted, alternative="less").pvalue > 0.01


@pytest.mark.parametrize("name", ["normal", "gamma", "lognormal"])
def test_intervals_over_the_fewest_patients_cover_the_mean(name):
    assert at_least(simulated(name, MINIMUM_UNITS)["expanded"], LEAST, SAMPLES)


@pytest.mark.parametrize("name", ["gamma", "lognormal"])
def test_five_patients_are_too_few_for_any_of_the_intervals(name):
    assert max(simulated(name, 5).values()) < LEAST


@pytest.mark.parametrize("name", ["normal", "gamma", "lognormal"])
def test_the_plain_percentile_interval_would_be_too_narrow(name):
    found = simulated(name, MINIMUM_UNITS)
    assert found["percentile"] < LEAST - 0.01
    assert found["percentile"] < found["expanded"] - 0.02


@pytest.mark.parametrize("name", ["normal", "gamma", "lognormal"])
def test_intervals_over_many_patients_cover_93_of_100(name):
    samples = 1000
    assert at_least(simulated(name, MANY_UNITS, samples)["expanded"], 0.93, samples)


@pytest.mark.parametrize("of_seeds", [0.05, 1.0])
def test_intervals_over_seeds_and_patients_cover_the_mean_where_those_over_patients_alone_do_not(of_seeds):
    """Skewed patients, and seeds that vary by a twentieth of what patients do, and as much as patients do."""
    samples = 1000
    found = crossed_coverage(gamma, MANY_UNITS, MINIMUM_SEEDS, of_seeds, samples, seed=1)
    assert at_least(found["both"], 0.93, samples)
    assert found["patients"] < found["both"] - 0.01


@pytest.mark.parametrize("of_seeds", [0.0, 0.3])
def test_intervals_over_the_fewest_seeds_and_patients_cover_the_mean(of_seeds):
    found = crossed_coverage(gamma, MINIMUM_UNITS, MINIMUM_SEEDS, of_seeds, SAMPLES, seed=1)
    assert at_least(found["both"], LEAST, SAMPLES)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_over_the_fewest_seeds_cover_the_difference(name):
    assert at_least(seed_coverage(DISTRIBUTIONS[name], MINIMUM_SEEDS, 8000, seed=1), LEAST, 8000)
    assert MINIMUM_SEEDS == 5
