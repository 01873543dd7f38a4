"""The methods of the benchmark: from a noisy stack to a denoised one, one file a method, found by name.

A method sees the noisy images and its options, nothing else. `denoise` runs one on an array; `denoise_file` runs one
from stack file to stack file.
"""

from fplbench.baselines.registration import BASELINES, Baseline, NoOptions, OddSize, baseline, per_image
from fplbench.baselines.running import denoise, denoise_file

__all__ = ["BASELINES", "Baseline", "NoOptions", "OddSize", "baseline", "denoise", "denoise_file", "per_image"]
