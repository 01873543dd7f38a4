"""The methods of the benchmark, one file each, found by name.

A method turns a stack of noisy images into a stack of denoised ones; it sees the noisy images and its options, and nothing
else. `denoise` runs a method on an array, `denoise_file` on a stack file.
"""

from fplbench.denoising.registry import METHODS, Method, NoOptions, OddSize, method, per_image
from fplbench.denoising.running import denoise, denoise_file

__all__ = ["METHODS", "Method", "NoOptions", "OddSize", "denoise", "denoise_file", "method", "per_image"]
