import numpy as np

from fplbench.seeds import generator


def test_a_stream_depends_on_the_seed_and_all_axes():
    places = [(1, "gaussian", "a"), (2, "gaussian", "a"), (1, "thermal", "a"), (1, "gaussian", "b"), (1, "gaussiana")]
    first, *others = [generator(*place).standard_normal(4) for place in places]
    assert np.array_equal(first, generator(1, "gaussian", "a").standard_normal(4))
    assert all(not np.array_equal(first, other) for other in others)


def test_streams_of_different_places_are_uncorrelated():
    draws = np.stack([generator(0, "image", number).standard_normal(10_000) for number in range(20)])
    correlations = np.corrcoef(draws)[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(10_000)  # five standard errors, 190 pairs
