"""Shifting images by a fraction of a pixel."""

import numpy as np


def change_by_shift(rows: np.ndarray, distance: float) -> np.ndarray:
    """What a shift to the right adds to rows: F^-1(F(x) (exp(-2 pi i k D) - 1)), by the shift theorem.

    Each row is first extended to twice its length by its mirror image. The extended row is periodic without a jump, so
    that nothing wraps to the other border and no ringing arises there.

    Args:
        rows: float32 (M, W).
        distance: D in pixels. For zero, the result is exactly zero.

    Returns:
        float32 (M, W).
    """
    import scipy.fft

    width = rows.shape[1]
    spectrum = scipy.fft.rfft(np.concatenate([rows, rows[:, ::-1]], axis=1))
    spectrum *= (np.exp(-2j * np.pi * scipy.fft.rfftfreq(2 * width) * distance) - 1).astype(np.complex64)
    return scipy.fft.irfft(spectrum, 2 * width)[:, :width]
