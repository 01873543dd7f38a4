"""How often 95 % intervals cover the true mean, by simulation: the numbers of docs/statistics.md.

    python benchmarks/coverage.py [--samples 4000]

Each sample has some patients, who have 1 to 8 images each. The score of an image is that of its patient, from one of several
distributions with mean 0 and variance 0.7, plus that of the image, normal with variance 0.3. For each number of patients it
prints how often three intervals cover 0, in percent: the plain percentile interval of the bootstrap over patients; the expanded
percentile interval, which the tables print; and Student's, on the linearised mean. The second table is Student's interval
over the differences of paired training seeds, as the ablation prints it. The third one is the interval over seeds and patients
that tables print for methods with at least 5 seeds: each seed adds its own effect to all scores, normal with a variance that is
given as a share of that between patients, and a small one to single patients and images.
"""

import argparse
import math
from collections.abc import Callable

import numpy as np
from scipy import stats

from fplbench.reporting.crossed import crossed_interval
from fplbench.reporting.statistics import bootstrap_means, interval, t_interval

PATIENTS = (5, 8, 10, 12, 15, 20, 25, 30, 40, 60)
SEEDS = (3, 5, 8)
CROSSED_PATIENTS = (12, 20, 30, 100)
CROSSED_SEEDS = (5, 10)
OF_SEEDS = (0.0, 0.05, 0.3, 1.0)  # variance of the seeds as a share of that between patients
SINGLE = 0.1  # variance of a seed on a single patient, and half of it on a single image
MOST_IMAGES = 8
BETWEEN = 0.7  # share of the variance that is between patients
RESAMPLES = 2000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def gamma(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Shape 2, skewness 1.4."""
    return (rng.gamma(2, 1, shape) - 2) / math.sqrt(2)


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Sigma 0.5, skewness 1.75."""
    variance = math.exp(0.25) * (math.exp(0.25) - 1)
    return (rng.lognormal(0, 0.5, shape) - math.exp(0.125)) / math.sqrt(variance)


def exponential(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Skewness 2."""
    return rng.exponential(1, shape) - 1


DISTRIBUTIONS: dict[str, Draw] = {"normal": normal, "gamma": gamma, "lognormal": lognormal, "exponential": exponential}


def scores(draw: Draw, patients: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores of images, and the patient of each."""
    unit = np.repeat(np.arange(patients), rng.integers(1, MOST_IMAGES + 1, patients))
    between = math.sqrt(BETWEEN) * draw(rng, (patients,))[unit]
    return between + math.sqrt(1 - BETWEEN) * rng.standard_normal(len(unit)), unit


def linearised(values: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
    """Student's interval for a mean over images of which those of a patient belong together (a ratio of two sums)."""
    sums, counts = np.bincount(unit, values), np.bincount(unit)
    number, mean = len(counts), values.mean()
    error = math.sqrt(np.square(sums - mean * counts).sum() * number / (number - 1)) / len(values)
    margin = float(stats.t.ppf(0.975, number - 1)) * error
    return mean - margin, mean + margin


def coverage(draw: Draw, patients: int, samples: int, seed: int = 0) -> dict[str, float]:
    """Share of samples whose interval covers the true mean, by interval."""
    rng = np.random.default_rng(seed)
    covered = dict.fromkeys(("percentile", "expanded", "student"), 0)
    for _ in range(samples):
        values, unit = scores(draw, patients, rng)
        means = bootstrap_means(values, unit.astype(str).tolist(), rng, RESAMPLES)[:, 0]
        ends = {
            "percentile": np.quantile(means, [0.025, 0.975]),
            "expanded": interval(means[:, None], patients)[:, 0],
            "student": linearised(values, unit),
        }
        for name, (low, high) in ends.items():
            covered[name] += bool(low <= 0 <= high)
    return {name: count / samples for name, count in covered.items()}


def seed_coverage(draw: Draw, seeds: int, samples: int, seed: int = 0) -> float:
    """Share of samples whose interval over paired differences of training seeds covers the true difference."""
    rng = np.random.default_rng(seed)
    differences = draw(rng, (samples, seeds)) - draw(rng, (samples, seeds))
    return sum(low <= 0 <= high for low, high in map(t_interval, differences)) / samples


def crossed_scores(
    draw: Draw, patients: int, seeds: int, of_seeds: float, rng: np.random.Generator, seed_draw: Draw = normal
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the images by each seed (S, N), and the patient of each image."""
    values, unit = scores(draw, patients, rng)
    effects = math.sqrt(BETWEEN * of_seeds) * seed_draw(rng, (seeds,))
    single = math.sqrt(SINGLE) * rng.standard_normal((seeds, patients))[:, unit]
    return values + effects[:, None] + single + math.sqrt(SINGLE / 2) * rng.standard_normal((seeds, len(unit))), unit


def crossed_coverage(
    draw: Draw, patients: int, seeds: int, of_seeds: float, samples: int, seed: int = 0, seed_draw: Draw = normal
) -> dict[str, float]:
    """Share of samples whose interval covers the true mean: the one over seeds and patients, and the one over patients alone."""
    rng = np.random.default_rng(seed)
    covered = dict.fromkeys(("both", "patients"), 0)
    for _ in range(samples):
        values, unit = crossed_scores(draw, patients, seeds, of_seeds, rng, seed_draw)
        names = unit.astype(str).tolist()
        means = bootstrap_means(values.mean(axis=0), names, rng, RESAMPLES)
        ends = {"both": crossed_interval(means[:, 0], values, names, rng), "patients": interval(means, patients)[:, 0]}
        for name, (low, high) in ends.items():
            covered[name] += bool(low <= 0 <= high)
    return {name: count / samples for name, count in covered.items()}


def print_crossed(samples: int) -> None:
    """The table of intervals over seeds and patients."""
    print(f"\n| patients | seeds | {' | '.join(f'{share}: both | patients alone' for share in OF_SEEDS)} |")
    print("| ---: | ---: |" + " ---: |" * 2 * len(OF_SEEDS))
    for patients in CROSSED_PATIENTS:
        for seeds in CROSSED_SEEDS:
            found = [share for part in OF_SEEDS for share in crossed_coverage(gamma, patients, seeds, part, samples).values()]
            print(f"| {patients} | {seeds} | {' | '.join(f'{100 * share:.1f}' for share in found)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=4000)
    samples = parser.parse_args().samples
    names = " | ".join(f"{name}: percentile | expanded | Student" for name in DISTRIBUTIONS)
    print(f"| patients | {names} |")
    print("| ---: |" + " ---: |" * 3 * len(DISTRIBUTIONS))
    for patients in PATIENTS:
        found = [share for draw in DISTRIBUTIONS.values() for share in coverage(draw, patients, samples).values()]
        print(f"| {patients} | {' | '.join(f'{100 * share:.1f}' for share in found)} |", flush=True)
    print(f"\n| seeds | {' | '.join(DISTRIBUTIONS)} |")
    print("| ---: |" + " ---: |" * len(DISTRIBUTIONS))
    for seeds in SEEDS:
        found = [seed_coverage(draw, seeds, 5 * samples) for draw in DISTRIBUTIONS.values()]
        print(f"| {seeds} | {' | '.join(f'{100 * share:.1f}' for share in found)} |")
    print_crossed(samples)


if __name__ == "__main__":
    main()
