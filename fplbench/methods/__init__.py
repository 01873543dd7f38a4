"""The methods of the benchmark: from a noisy stack to a denoised one, one file a method, found by name.

A method sees the noisy images and its options, nothing else. `denoise` runs one on an array; `denoise_file` runs one
from stack file to stack file.
"""

from fplbench.denoising.registry import METHODS, Method, NoOptions, OddSize, method, per_image
from fplbench.denoising.running import denoise, denoise_file

__all__ = ["METHODS", "Method", "NoOptions", "OddSize", "denoise", "denoise_file", "method", "per_image"]
