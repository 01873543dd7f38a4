"""DnCNN, a plain convolutional network that predicts the noise (Zhang et al. 2017)."""

from torch import Tensor, nn


class DnCnn(nn.Module):
    """3x3 convolutions with ReLU between them, and batch norm before each ReLU but the first.

    Weights start as the paper's do (He et al. 2015), but for those of the last layer, which are zero, so that the denoiser starts
    as the identity.

    Args:
        width: number of channels of each layer but the last. Published: 64.
        layers: number of convolutions. Published: 17 for noise of a known level, which gives 556,096 parameters.
        batch_norm: whether the layers between the first and the last have batch norm. Published: true.
    """

    def __init__(self, width: int = 64, layers: int = 17, batch_norm: bool = True) -> None:
        super().__init__()
        modules: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(layers - 2):
            modules.append(nn.Conv2d(width, width, 3, padding=1, bias=not batch_norm))
            modules += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)] if batch_norm else [nn.ReLU(inplace=True)]
        for module in modules:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        last = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(*modules, last)

    def forward(self, images: Tensor) -> Tensor:
        """The noise of images (N, 1, H, W) in [0, 1], in the same shape."""
        return self.layers(images)
