"""Channels of a model observer."""

import numpy as np


def laguerre_gauss(size: int, count: int, width: float) -> np.ndarray:
    """Laguerre-Gauss channels, rotationally symmetric about the centre of a square patch (Gallas and Barrett 2003).

    u_n(r) = sqrt(2) / a exp(-pi r^2 / a^2) L_n(2 pi r^2 / a^2), n = 0, 1, ..., with the Laguerre polynomials L_n. In the
    plane they are orthonormal; so are they on pixels, nearly, as long as a is several pixels and the patch is large enough.

    Args:
        size: side of the patch, pixels. With an odd side the centre is that of a pixel.
        count: number of channels.
        width: a, pixels. The first channel is a Gaussian function of standard deviation a / sqrt(2 pi).

    Returns:
        float64 (size * size, count), a channel a column.
    """
    from numpy.polynomial.laguerre import lagval

    centre = (size - 1) / 2
    rows, columns = np.indices((size, size)) - centre
    argument = 2 * np.pi * (rows**2 + columns**2).ravel() / width**2
    polynomials = lagval(argument, np.eye(count))
    return (np.sqrt(2) / width * np.exp(-argument / 2) * polynomials).T
