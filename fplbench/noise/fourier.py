"""Moving images by a fraction of a pixel."""

import numpy as np


def change_by_shift(rows: np.ndarray, distance: float) -> np.ndarray:
    """What moving rows to the right adds to them: F^-1(F(x) (exp(-2 pi i k D) - 1)), the shift theorem.

    A row goes on as its mirror image, to twice its length, and so closes without a jump: nothing wraps to the other
    border, and no seam rings into the image.

    Args:
        rows: float32 (M, W).
        distance: D in pixels. Zero adds exactly zero.

    Returns:
        float32 (M, W).
    """
    import scipy.fft

    width = rows.shape[1]
    spectrum = scipy.fft.rfft(np.concatenate([rows, rows[:, ::-1]], axis=1))
    spectrum *= (np.exp(-2j * np.pi * scipy.fft.rfftfreq(2 * width) * distance) - 1).astype(np.complex64)
    return scipy.fft.irfft(spectrum, 2 * width)[:, :width]
