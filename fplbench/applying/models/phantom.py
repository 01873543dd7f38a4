"""A generated image of a body, by which a model bundle is checked: no patient is in it."""

import numpy as np

from fplbench.seeds import generator

SIZE = 256
SEED = 16
NOISE = 0.06  # of the full range
SOFTNESS = 1.5  # pixels over which an outline falls

# Centre (row, column), half axes and angle (degrees) as shares of the image, then the grey level.
Ellipse = tuple[float, float, float, float, float, float]
ORGANS: tuple[Ellipse, ...] = (
    (0.50, 0.50, 0.38, 0.46, 0, 0.62),  # body
    (0.46, 0.28, 0.24, 0.13, 8, 0.15),  # lungs
    (0.46, 0.72, 0.24, 0.13, -8, 0.15),
    (0.52, 0.53, 0.11, 0.09, 25, 0.70),  # heart
    (0.75, 0.50, 0.07, 0.06, 0, 0.92),  # spine
    (0.70, 0.42, 0.03, 0.03, 0, 0.72),  # aorta
)
LESIONS: tuple[Ellipse, ...] = (
    (0.36, 0.26, 0.020, 0.018, 0, 0.55),
    (0.56, 0.31, 0.012, 0.014, 0, 0.45),
    (0.40, 0.74, 0.008, 0.008, 0, 0.50),
    (0.60, 0.70, 0.026, 0.020, 30, 0.35),
    (0.83, 0.62, 0.022, 0.022, 0, 0.55),
    (0.22, 0.50, 0.016, 0.020, 0, 0.68),
)


def make_phantom() -> np.ndarray:
    """A slice through a chest with small lesions and Gaussian noise, always the same.

    Returns:
        float32 (256, 256) in [0, 1].
    """
    image = np.full((SIZE, SIZE), 0.02)
    for *outline, level in (*ORGANS, *LESIONS):
        inside = _inside(*outline)
        image += inside * (level - image)
    noise = generator(SEED, "phantom").normal(0, NOISE, image.shape)
    return np.clip(image + noise, 0, 1).astype(np.float32)


def _inside(row: float, column: float, height: float, width: float, angle: float) -> np.ndarray:
    """Share of each pixel that an ellipse covers: float64 (256, 256), 1 inside and 0 outside, with a soft edge."""
    rows, columns = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    turn = np.deg2rad(angle)
    down, right = rows - row, columns - column
    along = (down * np.cos(turn) - right * np.sin(turn)) / height
    across = (down * np.sin(turn) + right * np.cos(turn)) / width
    distance = (1 - np.hypot(along, across)) * min(height, width) * SIZE  # pixels from the outline, approximately
    return np.clip(distance / SOFTNESS + 0.5, 0, 1)
