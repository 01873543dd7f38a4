"""Feature maps of denoised slices at their own size."""

import os

import numpy as np
from torch import Tensor, nn

from fplbench.device import choose_device
from fplbench.explaining.guided import guided_backprop
from fplbench.files import file_hash
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor
from fplbench.networks.tiles import Place, in_tiles
from fplbench.networks.unet import UNET_MULTIPLE, UNet, fold_batch_norm

TILE = 512  # pixels; the derivatives of the paper's network at this size take 1.3 GB
OVERLAP = 256  # pixels; a value depends on places up to 188 pixels away, though hardly on the farthest


class FeatureMaps:
    """Guided back-propagation maps of a restoration network, which show the pixels that it restores an image from.

    A map is the gradient of the sum of the restored image with respect to the image, gated as in `guided_backprop`: the map of
    FPL's loss, without a unit. Slices are extended by reflection to multiples of 16 pixels; those larger than 512 pixels go
    through in overlapping tiles, which are interpolated as in the whole slice.

    Args:
        restoration: weight file of the restoration network.
        device: auto, cpu or cuda.

    Attributes:
        digest: SHA-256 of the weight file, hexadecimal.

    Raises:
        InputError: the file cannot be used, or holds another network.
    """

    def __init__(self, restoration: str | os.PathLike[str], device: str = "auto") -> None:
        network = load_network(restoration, UNet, device, output="image")
        # Folded, it is the same function with half of the intermediate images.
        self._network = fold_batch_norm(network)
        self._device = choose_device(device)
        self.digest = file_hash(restoration)

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """The map of a slice.

        Args:
            grey: float32 (H, W) in [0, 1], of any size.

        Returns:
            float32 (H, W).
        """
        height, width = grey.shape
        images = to_tensor(pad_to_multiple(grey[np.newaxis], UNET_MULTIPLE), self._device)
        return in_tiles(self._map, images, TILE, OVERLAP, UNET_MULTIPLE)[0, 0, :height, :width].cpu().numpy()

    def _map(self, images: Tensor, place: Place | None) -> Tensor:
        return guided_backprop(_Placed(self._network, place), images)


class _Placed(nn.Module):
    """A network that is told where in a slice its tile lies."""

    def __init__(self, network: nn.Module, place: Place | None) -> None:
        super().__init__()
        self.network, self.place = network, place

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images, self.place)
