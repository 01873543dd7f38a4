"""What is fitted: the options of each noise, within bounds, and the candidate options of each filter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Dimension:
    """An option to fit between two bounds, on a logarithmic or linear scale, optionally in whole numbers."""

    low: float
    high: float
    logarithmic: bool = True
    whole: bool = False

    def value(self, unit: float) -> float:
        """The value at `unit` in [0,1], rounded to three significant digits."""
        if self.logarithmic:
            value = self.low * (self.high / self.low) ** unit
        else:
            value = self.low + (self.high - self.low) * unit
        return round(value) if self.whole else float(f"{value:.3g}")

    def end(self, value: float) -> str:
        """ "lower" or "upper" if the value is within the outer twentieth of the scale, otherwise empty."""
        scale = math.log if self.logarithmic else float
        unit = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return "lower" if unit < END else "upper" if unit > 1 - END else ""


END = 0.05
"""Fraction of the scale at either end within which a fit counts as stopped by the bound."""

LEVELS: Mapping[str, Mapping[str, Dimension]] = {
    "chemical_shift": {"shift": Dimension(0.25, 6)},
    "gaussian": {"sigma": Dimension(0.01, 0.5)},
    "impulse": {"density": Dimension(0.005, 0.5)},
    "magnetic_field": {"strength": Dimension(0.02, 0.4)},
    "motion": {"shift": Dimension(0.2, 12), "rotation": Dimension(0.1, 10)},
    "noncentral_chi": {"sigma": Dimension(0.01, 0.5), "coils": Dimension(1, 32, whole=True)},
    "poisson": {"photons": Dimension(5, 5000)},
    "rician": {"sigma": Dimension(0.01, 0.5)},
    "salt_pepper": {"density": Dimension(0.005, 0.5)},
    "speckle": {"sigma": Dimension(0.01, 1)},
    "structured": {"amplitude": Dimension(0.02, 0.3), "offset": Dimension(0, 3, logarithmic=False)},
    "susceptibility": {"radius": Dimension(2, 12), "shift": Dimension(1, 12), "dephasing": Dimension(0.05, 2)},
    "thermal": {"sigma": Dimension(0.01, 0.5)},
    "wrap_around": {"strength": Dimension(0.02, 0.6), "field_of_view": Dimension(0.5, 0.95, logarithmic=False)},
}
"""Options fitted for each noise; Rayleigh noise has no published row. The bounds keep the artefacts plausible for a properly
adjusted scanner: fat displaced by a few pixels, a sensitivity that varies two- to fourfold, signal voids no wider than an
implant, and a field of view that folds each place at most once, with little saturation."""

FIXED: Mapping[str, Mapping[str, object]] = {"structured": {"frequency": [2, 8]}}
"""Options that are fixed in a fit to wrapped PSNR and SSIM, but not in one to SSIM alone. For its PSNR, the published SSIM of
structured noise is too high for any pattern of fine stripes."""

FILTERS: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "bilateral": {"diameter": (5, 9), "sigma_color": (10, 25, 50, 75, 100), "sigma_space": (5, 75)},
    "filter_combination": {
        "mean_size": (3, 5),
        "median_size": (3, 5),
        "gaussian_size": (3, 5),
        "gaussian_sigma": (0.8, 1.2),
    },
    "gaussian_filter": {"size": (3, 5), "sigma": (0.5, 0.8, 1.0, 1.5)},
    "mean_filter": {"size": (3, 5)},
    "median_filter": {"size": (3, 5)},
    "nlm": {"strength": (5, 10, 15, 20, 30)},
    "wavelet": {"wavelet": ("db1", "db4", "sym4")},
    "wiener": {"size": (3, 5, 7)},
}
"""Candidates for each cheap baseline, of which all combinations are tried."""

SLOW = ("nlm",)
"""Baselines not used to fit the levels, because they take longer than all others together."""


def candidates(method: str) -> list[dict[str, object]]:
    """All combinations of the candidate options of a filter."""
    grid = FILTERS[method]
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
