"""Made-up slices for the tests of the quality page, and their statistics."""

import base64

import cv2
import numpy as np

from fplbench.applying.quality import slice_statistics
from fplbench.applying.scan import Plane

WINDOW = (-1200.0, 1000.0)
VALUES = {"air": -1000, "lung": -700, "fat": -90, "soft_tissue": 40, "bone": 600}
SPACING = (0.7, 0.7)


def phantom():
    """Five bands of tissue, float32 (300, 200)."""
    return np.repeat(np.array(list(VALUES.values()), np.float32), 60)[:, None].repeat(200, axis=1)


def white(sigma, shape=(300, 200), seed=0):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


def statistics(before, after, valid=None, window=WINDOW, hounsfield=True, spacing=SPACING):
    return slice_statistics(Plane(3, before, valid), after, window, hounsfield, spacing)


def whole(shape=(300, 200)):
    return np.full(shape, 255, np.uint8)


def body_on_a_table():
    """A body of 40 HU with lungs in air, on a table; the change is larger in air and table than in a lung."""
    row, column = np.indices((256, 256))
    before = np.full((256, 256), -1000, np.float32)
    before[(row - 110) ** 2 + (column - 128) ** 2 < 90**2] = 40
    before[(row - 110) ** 2 + (column - 100) ** 2 < 30**2] = -850
    before[205:212] = 100
    after = before.copy()
    after[205:212, 20:60] -= 200  # of the table
    after[20:40, 20:40] += 150  # of the air
    after[100:106, 95:101] += 60  # in a lung
    return before, after


def decoded(uri):
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8), cv2.IMREAD_UNCHANGED)
