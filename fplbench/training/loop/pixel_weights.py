"""Weights of the pixels of the residual loss, from maps of features of the clean images."""

import numpy as np
import torch
from torch.nn import functional

CHUNK = 64  # images at once


def pixel_weights(
    maps: np.ndarray, size: tuple[int, int], strength: float, quantile: float, device: torch.device
) -> torch.Tensor:
    """Weights W = 1 + strength m, divided by their mean over the image, so that the mean of W over each image is 1.

    m is the magnitude of the features, which is the root of the sum of their squares over the channels, divided by its quantile
    in the whole stack and clipped to 1. Where the quantile is 0, as that of masks of small lesions, the largest magnitude takes
    its place. Maps of a lower resolution are enlarged bilinearly.

    Args:
        maps: (all, H, W) or (all, C, h, w), where the sides are those of the images over a power of 2, rounded up.
        size: H and W of the images.
        strength: of the weights, at least 0.
        quantile: of the magnitudes, 0 to 1.
        device: where the weights are needed.

    Returns:
        float32 (all, H, W) on the device; 1 everywhere where the features are 0.
    """
    magnitude = np.empty((len(maps), *size), np.float32)
    for first in range(0, len(maps), CHUNK):
        part = slice(first, first + CHUNK)
        magnitude[part] = _magnitude(torch.from_numpy(np.array(maps[part])).float(), size).numpy()
    scale = float(np.quantile(magnitude, quantile)) or float(magnitude.max()) or 1.0
    weights = torch.from_numpy(magnitude).div_(scale).clamp_(max=1).mul_(strength).add_(1)
    weights /= weights.mean(dim=(1, 2), keepdim=True)
    return weights.to(device)


def _magnitude(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Magnitudes (N, H, W) of maps (N, H, W) or (N, C, h, w)."""
    magnitude = maps.abs() if maps.ndim == 3 else maps.square().sum(1).sqrt()
    scale = 2 ** round(float(np.log2(size[0] / magnitude.shape[1])))
    if scale > 1:
        magnitude = functional.interpolate(magnitude[:, None], scale_factor=scale, mode="bilinear", align_corners=False)[:, 0]
    return magnitude[:, : size[0], : size[1]]
