"""Fitting the levels of the noises and the options of the filters, which are not published, to the published tables.

`calibrate` makes the fit, and `reports.write` writes it as part of a config, as a report, and as a table of all numbers.
"""

from fplbench.calibration.fit import Calibration, Comparison, FilterFit, calibrate
from fplbench.calibration.scenes import Scene, read_scene

__all__ = ["Calibration", "Comparison", "FilterFit", "Scene", "calibrate", "read_scene"]
