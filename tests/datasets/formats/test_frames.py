"""The text that says which slices a file with several frames holds."""

import numpy as np
import pytest

from fplbench.datasets.formats import frames
from fplbench.datasets.formats.frames import Stack


@pytest.mark.parametrize(
    "stacks",
    [
        [Stack((0.703125, 0.703125), range(133), [round(-340 + 2.5 * z, 3) for z in range(133)])],
        [Stack((None, None), [5, 3, 9], [0.0, 0.7, 11.123])],
        [Stack((1.0, 1.0), range(0, 400, 2), [round(-1340.125 + z * 2 / 3, 3) for z in range(200)])],
        [Stack((1.0, 1.0), range(9, -1, -1), [float(z) for z in range(10)]), Stack((2.0, 1.5), [10], [-0.5])],
    ],
)
def test_the_text_of_a_header_keeps_frames_and_positions_to_a_thousandth(stacks):
    found = frames.from_text(frames.to_text(stacks))
    assert [(list(one.frames), one.spacing) for one in found] == [(list(one.frames), one.spacing) for one in stacks]
    for one, expected in zip(found, stacks, strict=True):
        assert one.positions == pytest.approx(expected.positions, abs=1.01e-3)
    assert frames.checked(frames.to_text(stacks)) == frames.to_text(stacks)


def test_the_text_of_a_regular_scan_is_short():
    positions = [round(-1000 + 0.625 * z, 3) for z in range(3000)]
    assert len(frames.to_text([Stack((0.7, 0.7), range(3000), positions)])) < 60
    irregular = np.cumsum(np.random.default_rng(0).uniform(0.1, 1, 1000)).round(3).tolist()
    assert len(frames.to_text([Stack((0.7, 0.7), range(1000), irregular)])) < 65_536


@pytest.mark.parametrize(
    "text", ["x", "0.7,0.6;", "0.7,0.6;0,1000000000,1,0,1", "0.7,0.6;0,5,-1,0,1", "0.7,0.6;0,5,1,nan,1", "0.7;0,1,1,0,0", ";"]
)
def test_a_damaged_text_of_frames_is_refused(text):
    with pytest.raises((ValueError, TypeError)):
        frames.checked(text)
