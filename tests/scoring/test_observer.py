import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from fplbench.lesions.shapes import disc_coverage
from fplbench.scoring.channels import laguerre_gauss
from fplbench.scoring.observer import halves, observe, percentile_interval, resample

SIDE, SIGMA = 31, 20.0


def gaussian_signal(amplitude: float, sigma: float) -> np.ndarray:
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    return amplitude * np.exp(-(rows**2 + columns**2) / (2 * sigma**2)).ravel()


def white_noise_detectability(signal: np.ndarray, channels: np.ndarray) -> float:
    """The closed form for white noise: d'^2 = s^T U (U^T U sigma^2)^-1 U^T s."""
    return float(np.sqrt(signal @ channels @ np.linalg.inv(channels.T @ channels * SIGMA**2) @ channels.T @ signal))


def run(signal: np.ndarray, channels: np.ndarray, pairs: int, resamples: int = 0, seed: int = 1):
    rng = np.random.default_rng(seed)
    absent, present = (rng.normal(0, SIGMA, (pairs, len(signal))) for _ in range(2))
    parts = halves([str(i) for i in range(pairs)], rng)
    return observe(absent @ channels, (present + signal) @ channels, parts, resample(parts, pairs, resamples, rng))


def test_a_gaussian_signal_that_the_first_channel_matches_is_detected_as_by_the_ideal_observer():
    signal = gaussian_signal(12, sigma=3)
    channels = laguerre_gauss(SIDE, 1, width=3 * np.sqrt(2 * np.pi))
    ideal = np.linalg.norm(signal) / SIGMA
    assert white_noise_detectability(signal, channels) == pytest.approx(ideal, rel=1e-6)


@pytest.mark.parametrize("radius", [1.5, 3.2, 4.5])
def test_the_default_channels_lose_little_of_a_disc_and_gain_nothing(radius):
    signal = disc_coverage(SIDE, radius).ravel()
    found = white_noise_detectability(signal, laguerre_gauss(SIDE, 5, 0.6 * 2 * radius))
    assert 0.95 < found / (np.linalg.norm(signal) / SIGMA) <= 1


@pytest.mark.parametrize("amplitude", [4, 12, 24])
def test_held_out_images_in_white_noise_give_the_closed_form(amplitude):
    signal = gaussian_signal(amplitude, sigma=2.5)
    channels = laguerre_gauss(SIDE, 5, width=7)
    found = run(signal, channels, pairs=4000)
    truth = white_noise_detectability(signal, channels)
    # Standard errors at 4000 pairs: about 0.03 of d', 0.005 of the AUC.
    assert found.dprime == pytest.approx(truth, abs=0.1)
    assert found.auc == pytest.approx(norm.cdf(truth / np.sqrt(2)), abs=0.02)


def test_without_a_signal_nothing_is_detected():
    found = run(np.zeros(SIDE**2), laguerre_gauss(SIDE, 5, width=7), pairs=2000)
    assert abs(found.dprime) < 0.1 and abs(found.auc - 0.5) < 0.03


def test_the_area_is_that_of_the_rank_test():
    rng = np.random.default_rng(0)
    absent, present = rng.integers(0, 6, (40, 1)), rng.integers(1, 8, (40, 1))  # one channel, with ties
    parts = np.arange(15), np.arange(15, 40)
    areas = [mannwhitneyu(present[part, 0], absent[part, 0]).statistic / len(part) ** 2 for part in parts]
    assert observe(absent, present, parts, np.empty((0, 40))).auc == pytest.approx(np.mean(areas))


def test_a_pair_that_is_drawn_twice_counts_as_two():
    rng = np.random.default_rng(0)
    absent, present = rng.normal(0, 1, (40, 3)), rng.normal(0.5, 1, (40, 3))
    parts = np.arange(20), np.arange(20, 40)
    weights = resample(parts, 40, 1, rng)
    drawn = np.repeat(np.arange(40), weights[0].astype(int))
    repeated = observe(absent[drawn], present[drawn], parts, np.empty((0, 40)))
    found = observe(absent, present, parts, weights)
    assert found.dprimes[0] == pytest.approx(repeated.dprime)
    assert found.aucs[0] == pytest.approx(repeated.auc)


def test_halves_do_not_divide_a_slice_unless_there_is_only_one():
    slices = [name for name, count in {"a": 30, "b": 20, "c": 25, "d": 25}.items() for _ in range(count)]
    first, second = halves(slices, np.random.default_rng(3))
    assert sorted([*first, *second]) == list(range(100))
    assert not {slices[i] for i in first} & {slices[i] for i in second}
    assert [len(part) for part in halves(["a"] * 10, np.random.default_rng(3))] == [5, 5]


def test_a_channel_without_variance_is_no_evidence():
    rng = np.random.default_rng(0)
    absent, present = rng.normal(0, 1, (100, 2)), rng.normal(1, 1, (100, 2))
    parts = halves([str(i) for i in range(100)], rng)
    with_constant = [np.column_stack([responses, np.full(100, 7.0)]) for responses in (absent, present)]
    none = np.empty((0, 100))
    assert observe(*with_constant, parts, none).dprime == pytest.approx(observe(absent, present, parts, none).dprime)


@pytest.mark.slow
@pytest.mark.parametrize("dprime", [0.5, 1, 3])
def test_intervals_of_200_pairs_cover_the_closed_form(dprime):
    """The nominal coverage is 95 %; of 300 intervals, fewer than 92 % would cover it by chance in 2 % of all tests."""
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        absent, present = rng.normal(0, 1, (200, 5)), rng.normal(0, 1, (200, 5))
        present[:, :2] += dprime * np.array([0.6, 0.8])
        parts = halves([str(i) for i in range(200)], rng)
        low, high = percentile_interval(observe(absent, present, parts, resample(parts, 200, 300, rng)).dprimes)
        covered += low <= dprime <= high
    assert covered >= 0.92 * 300
