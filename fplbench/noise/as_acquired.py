"""The noise of images that were acquired twice, such as at full and at low dose."""

import numpy as np

from fplbench.noise.draws import Draws
from fplbench.noise.levels import PerImage
from fplbench.noise.registry import noise
from fplbench.options import Options


class AsAcquiredOptions(Options):
    """Options of `as_acquired`: it has none."""


@noise(
    "as_acquired",
    label="as acquired",
    title="as acquired",
    options=AsAcquiredOptions,
    cites="none: the noise is that of the images; for low-dose CT: Moen et al. 2021, Low-dose CT image and projection dataset, "
    "doi 10.1002/mp.14594",
    needs="pair",
)
def as_acquired(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """The noisy image of a pair, as it was acquired: y is given, nothing is added to x.

    There is one noisy image of each clean one, whatever the seed. The two differ by all that the second acquisition changed:
    besides noise, that may be a movement of the patient, or another reconstruction.
    """
    return options.pair
