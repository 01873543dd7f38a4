"""What the README promises."""

import re
import subprocess
import sys

from tests.helpers.workflow import ROOT

README = (ROOT / "README.md").read_text()


def test_the_example_of_the_library_runs_on_a_finished_benchmark(benchmark_run):
    folder = benchmark_run
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    example = example.replace("results/demo/", "out/").replace("/lidc/", "/lits/")
    result = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    noisy, denoised = map(float, result.stdout.split())
    assert denoised > noisy + 1


def test_it_is_at_most_120_lines_long():
    assert len(README.splitlines()) <= 120
