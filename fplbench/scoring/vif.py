"""VIF, through the optional package sewar."""

import math

import numpy as np

from fplbench.errors import InputError
from fplbench.scoring.pair import Pair
from fplbench.scoring.registry import metric

SMALLEST = 41
"""Side of the smallest image: at the fourth and coarsest scale it fills the window of 3x3 pixels once."""


@metric("vif", label="VIF", digits=3, direction="higher")
def vif(pair: Pair) -> float:
    """Visual information fidelity in the pixel domain (Sheikh and Bovik 2006), by sewar's vifp; takes about 0.1 s an image.

    1 for equal images; more is possible where contrast is enhanced. NaN where the clean image is constant, or a side is
    shorter than 41 pixels.
    """
    try:
        from sewar.full_ref import vifp
    except ModuleNotFoundError:
        raise InputError("The metric 'vif' needs the package sewar: pip install -e '.[vif]'.") from None
    if min(pair.clean.shape) < SMALLEST:
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):  # a constant image holds no information: 0 / 0
        value = float(vifp(pair.clean, pair.denoised))
    return value if math.isfinite(value) else math.nan
