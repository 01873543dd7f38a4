"""RED-CNN, a residual encoder and decoder for low-dose CT (Chen et al. 2017)."""

from torch import Tensor, nn


class RedCnn(nn.Module):
    """Convolutions, then as many transposed convolutions, 5x5 pixels each, with ReLU after all of them.

    The input is added before the last ReLU, and what the second, fourth, ... convolution returns after the transposed
    convolution that has its size. Unlike the published network, which shrinks the image by four pixels in each convolution, all
    layers pad, so that features have the size of the image.

    Args:
        width: number of channels of each layer but the last. Published: 96.
        layers: number of convolutions, and of transposed convolutions. Published: 5, which gives 1,848,865 parameters.
    """

    def __init__(self, width: int = 96, layers: int = 5) -> None:
        super().__init__()
        channels = [1, *[width] * layers]
        self.encoder = nn.ModuleList(nn.Conv2d(channels[i], channels[i + 1], 5, padding=2) for i in range(layers))
        self.decoder = nn.ModuleList(
            nn.ConvTranspose2d(channels[i + 1], channels[i], 5, padding=2) for i in reversed(range(layers))
        )

    def forward(self, images: Tensor) -> Tensor:
        """Denoise images (N, 1, H, W) in [0, 1]; the result has the same shape and no negative values."""
        shortcuts, features = {0: images}, images
        for layer, convolution in enumerate(self.encoder, start=1):
            features = convolution(features).relu()
            if layer % 2 == 0 and layer < len(self.encoder):
                shortcuts[layer] = features
        for convolution, layer in zip(self.decoder, reversed(range(len(self.encoder))), strict=True):
            features = convolution(features)
            features = (features + shortcuts[layer] if layer in shortcuts else features).relu()
        return features
