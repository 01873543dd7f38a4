"""Fitting the unpublished levels of the noises, and the unpublished sizes of the filters, to the published tables.

`calibrate` fits; `reports.write` puts a fit into files: a configuration fragment, a page, and the numbers behind both.
"""

from fplbench.calibration.fit import Calibration, Comparison, FilterFit, calibrate
from fplbench.calibration.scenes import Scene, read_scene

__all__ = ["Calibration", "Comparison", "FilterFit", "Scene", "calibrate", "read_scene"]
