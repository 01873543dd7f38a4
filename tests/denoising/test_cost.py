import subprocess
import sys
import time

import pytest

from fplbench.denoising.cost import measure, place


def test_seconds_are_those_of_the_block():
    with measure(4) as cost:
        time.sleep(0.05)
    assert cost.images == 4 and 0.05 <= cost.seconds < 0.5


SCRIPT = """
import numpy as np
from fplbench.denoising.cost import measure
earlier = np.ones(200 * 2**20, np.uint8)
del earlier
with measure(1) as small:
    pass
with measure(1) as large:
    during = np.ones(100 * 2**20, np.uint8)
    del during
print(small.peak_memory_mb, large.peak_memory_mb)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_the_peak_is_that_of_the_block_and_not_of_what_came_before():
    """In a process of its own: one that has freed much memory may have it again without growing."""
    result = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    small, large = map(float, result.stdout.split())
    assert small < 100 and large - small == pytest.approx(100, abs=10)


def test_a_method_without_a_network_runs_on_the_cpu_whatever_is_asked_for():
    assert place(False, "cuda") == "cpu" and place(True, "cpu") == "cpu"
