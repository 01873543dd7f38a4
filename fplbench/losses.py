"""The two losses of the paper: sums over the pixels of an image, averaged over the images of a batch."""

import torch


def residual_loss(
    residual: torch.Tensor, noise: torch.Tensor, weights: torch.Tensor | None = None, absolute: bool = False
) -> torch.Tensor:
    """Residual loss ||r - M_noise||^2 (Eq. 5), or a variant of it.

    Args:
        residual: predicted noise r = I_noise - I_denoised (Eq. 4), (N, 1, H, W).
        noise: true noise M_noise = I_noise - I_clean, of the same shape.
        weights: of the pixels, of the same shape; None: all count alike, as in the paper.
        absolute: whether to sum the absolute values of the difference in place of their squares.

    Returns:
        Scalar: the sum over the pixels, averaged over the N images.
    """
    if weights is None and not absolute:
        return _squared_norm(residual - noise)
    difference = residual - noise
    distance = difference.abs() if absolute else difference.square()
    return (distance if weights is None else weights * distance).sum() / len(noise)


def feature_preserving_loss(denoised_maps: torch.Tensor, clean_maps: torch.Tensor, normalise: bool = False) -> torch.Tensor:
    """Feature preserving loss ||F_denoised - F_clean||^2 (Eq. 3).

    Args:
        denoised_maps: maps of the denoised images, such as those of guided back-propagation, (N, C, h, w), from
            guided_backprop(..., create_graph=True) or explain(..., create_graph=True).
        clean_maps: the maps of the clean images, of the same shape.
        normalise: whether to divide the sum for each image by the variance of its F_clean over channels and pixels. The scale
            of the maps differs by orders of magnitude between images and between restoration networks, and the normalised
            loss does not depend on it. False is as published.

    Returns:
        Scalar: the squared norm of the difference, averaged over the N images.
    """
    difference = denoised_maps - clean_maps
    if normalise:
        # The floor only matters if F_clean is constant, as for an empty image.
        deviation = clean_maps.std(dim=(1, 2, 3), correction=0, keepdim=True).clamp(min=1e-6)
        difference = difference / deviation
    return _squared_norm(difference)


def _squared_norm(difference: torch.Tensor) -> torch.Tensor:
    return difference.square().sum() / difference.shape[0]
