"""Whether a change follows edges, against changes that do and do not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fplbench.applying.quality.structure import edge_relation
from tests.applying.quality.slices import white, whole


def squares(shape=(512, 512)):
    row, column = np.indices(shape) // 64
    return np.where((row + column) % 2, 40, 80).astype(np.float32)


def test_pure_noise_has_no_relation_to_edges():
    clean, mask = squares(), whole((512, 512))
    found = [edge_relation(-white(10, clean.shape, seed), clean, [mask]) for seed in range(8)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert mean["correlation"] == pytest.approx(0, abs=0.01)
    assert mean["displaced"] == pytest.approx(0, abs=0.01)
    assert mean["ratio"] == pytest.approx(1, abs=0.02)
    assert mean["large"] == pytest.approx(0.0027, abs=0.0003)  # of a normal distribution


def test_noise_that_is_left_has_no_relation_to_edges_either():
    """Half of the noise is left, so both the change and the gradient of the denoised image consist of it."""
    clean, mask = squares(), whole((512, 512))
    noise = gaussian_filter(white(30, clean.shape), 0.8)
    found = edge_relation(-0.5 * noise, clean + 0.5 * noise, [mask])
    assert found["correlation"] == pytest.approx(0, abs=0.02)
    assert found["ratio"] == pytest.approx(1, abs=0.04)


def test_a_blur_changes_edges_more_than_the_rest():
    before = squares() + white(5, (512, 512))
    after = gaussian_filter(before, 1)
    found = edge_relation(after - before, after, [whole((512, 512))])
    assert found["correlation"] - found["displaced"] > 0.15
    assert found["ratio"] > 1.3


def test_uneven_noise_gives_the_same_correlation_at_some_distance():
    """Noise and texture are both stronger on one side: the correlation is there, but not because of edges."""
    side = np.linspace(0.3, 3, 512)[None, :]
    texture = gaussian_filter(white(20, (512, 512), 1), 3) * side
    found = edge_relation((white(10, (512, 512), 2) * side).astype(np.float32), texture.astype(np.float32), [whole((512, 512))])
    assert found["correlation"] > 0.15
    assert found["correlation"] - found["displaced"] == pytest.approx(0, abs=0.04)
