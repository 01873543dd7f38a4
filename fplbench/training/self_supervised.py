"""Training on noisy images alone: what the losses and the trainings of self-supervised denoisers share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Input, Inputs

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from fplbench.training.loop.meter import Terms

INPUTS: tuple[Input, ...] = ("noisy", "validation_clean", "validation_noisy")


class SelfSupervisedLoss(ABC):
    """A loss that sees noisy images alone. The network predicts the noise, which is subtracted, as in FPL.

    Args:
        network: the network.
        noisy: uint8 stack (all, H, W), on the device of the network.
        options: its options.
        seed: seed of flips, crops and the loss's own random numbers.
        flips: the axes along which images are flipped.
    """

    terms: ClassVar[tuple[str, ...]]
    """Names of the terms."""
    stream: ClassVar[str]
    """Name of the loss's random numbers."""

    def __init__(self, network: "nn.Module", noisy: "Tensor", options: AugmentedOptions, seed: int, flips: Sequence[str] = ()):
        from fplbench.training.loop.views import Views

        self.network, self.noisy, self.options, self.seed = network, noisy, options, seed
        self.views = Views(len(noisy), noisy.shape[1:], seed, flips, options.patch)
        self._step = -1

    def __call__(self, positions: "Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step of the training."""
        from fplbench.seeds import generator

        if step != self._step:  # the micro-batches of a step go on drawing from its stream
            self._step = step
            self._draw = generator(self.seed, self.stream, step)
        return self.compare(self.views(positions, step).of(self.noisy), step, self._draw)

    @abstractmethod
    def compare(self, images: "Tensor", step: int, draw: "np.random.Generator") -> "Terms":
        """The terms for noisy images (N, 1, H, W) in [0, 1], with the random numbers of this step."""

    def denoise(self, images: "Tensor") -> "Tensor":
        """The denoised images, of the same shape."""
        from fplbench.device import mixed_precision

        with mixed_precision(images.device):
            noise = self.network(images)
        return images - noise.float()


def train_self_supervised(
    name: str, loss: type[SelfSupervisedLoss], inputs: Inputs, out: Path, options: AugmentedOptions, seed: int, device: str
) -> None:
    """Train FPL's U-Net on a noisy stack alone, and write its weights and log.

    Args:
        name: name of the training.
        loss: the loss.
        inputs: the stack `noisy`; `validation_clean` and `validation_noisy`, if the network is to be scored during training.
        out: the .safetensors file; the log is written beside it, ending in .csv.
        options: the options, also those of the loss.
        seed: seed of the initial weights, the batches, flips, crops and the loss.
        device: auto, cpu or cuda.
    """
    from fplbench.device import choose_device
    from fplbench.training.card import training_card
    from fplbench.training.fpl import new_denoiser
    from fplbench.training.loop.draws import allowed_flips
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    images = load_images(inputs["noisy"], target)
    card = training_card(name, inputs, options, seed)
    network = new_denoiser(options.width, seed, target)
    flips = allowed_flips(inputs["noisy"]) if options.flips else ()
    function = loss(network, images, options, seed, flips)
    validation = read_validation(inputs, network, lambda noisy: noisy - network(noisy), options)
    files, record = [inputs["noisy"]], {"output": "noise", "flips": flips}
    run_training(
        network, function, list(loss.terms), len(images), options, files, out, seed, record, validation=validation, card=card
    )
