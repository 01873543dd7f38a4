"""The quality page of a denoised scan: what the model removed, in numbers and pictures, for whoever must judge it."""

from fplbench.applying.quality.page import write_quality_page
from fplbench.applying.quality.statistics import slice_statistics

__all__ = ["slice_statistics", "write_quality_page"]
