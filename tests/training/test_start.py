"""What a training loads before it starts."""

import subprocess
import sys


def test_setting_the_usual_numerics_does_not_import_torchs_compiler():
    """It takes over a second, in each of a run's hundreds of jobs."""
    script = (
        "import sys; from fplbench.numerics import NumericsOptions, use_numerics; use_numerics(NumericsOptions());"
        "print('torch._dynamo' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "False"
