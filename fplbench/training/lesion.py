"""A network that knows lesions, to be explained in place of the restoration network (section 4.6 of the paper)."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.errors import InputError
from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.training.loop.meter import Terms
    from fplbench.training.loop.segmentation import Annotated, LesionValidation

log = logging.getLogger(__name__)


class LesionOptions(AugmentedOptions):
    """Options of the network that finds lesions."""

    flips: bool = Field(True, description="Flip images at random, left to right and upside down.")
    dice_weight: float = Field(
        1.0, ge=0, allow_inf_nan=False, description="Weight of the soft Dice loss relative to the mean cross-entropy."
    )
    annotations: float = Field(
        1.0, gt=0, le=1, description="Share of the images with lesions whose annotation is used; the others are left out."
    )
    warn_below: float = Field(0.5, ge=0, le=1, description="Warn if the Dice coefficient on validation images is lower.")


@training(
    "lesion",
    options=LesionOptions,
    inputs=("clean", "lesions", "validation_clean", "validation_lesions"),
    per=("dataset",),
)
def lesion(inputs: Inputs, out: Path, options: LesionOptions, seed: int, device: str) -> None:
    """Train a U-Net to find the annotated lesions in the clean images of a data set."""
    from fplbench.device import choose_device
    from fplbench.networks.unet import UNet
    from fplbench.training.loop.run import run_training
    from fplbench.training.loop.segmentation import load_annotated
    from fplbench.training.loop.tensors import seeded

    target = choose_device(device)
    annotated = load_annotated(inputs["clean"], inputs["lesions"], target, options.annotations)
    if not annotated.share:
        raise InputError(
            f"{inputs['lesions']} has no lesion in any of its {len(annotated.images)} annotated images, so there is nothing to "
            "learn: draw more images with lesions (sampling.lesions), insert some (inserted), or explain another network."
        )
    network = seeded(lambda: UNet(options.width), seed, target)
    validation = read_lesion_validation(inputs, network, options, target)
    loss = LesionLoss(network, annotated, options, seed)
    terms, record, count = ["cross_entropy", "dice"], {"output": "lesion"}, len(annotated.images)
    scores = run_training(network, loss, terms, count, options, annotated.files, out, seed, record, validation=validation)
    if scores and scores["dice"] < options.warn_below:
        log.warning(
            "%s finds the lesions of the validation images with a Dice coefficient of %.2f only, less than %g: what it explains "
            "says little of lesions; train it longer, or on more lesions.",
            out, scores["dice"], options.warn_below,
        )  # fmt: skip


def read_lesion_validation(
    inputs: Inputs, network: "nn.Module", options: LesionOptions, device: "torch.device"
) -> "LesionValidation | None":
    """The validation images among the inputs, spread evenly over their stack; None where there are none, or none has a lesion.

    Raises:
        InputError: one of the stacks is missing, or they do not belong together; or the best weights are to be kept, and
            there is nothing to find them with.
    """
    from fplbench.training.loop.segmentation import LesionValidation, load_annotated

    clean, lesions = inputs.get("validation_clean"), inputs.get("validation_lesions")
    if (clean is None) != (lesions is None):
        raise InputError("Validation needs --validation-clean and --validation-lesions: one of them alone is not enough.")
    if clean is not None and lesions is not None:
        annotated = load_annotated(clean, lesions, device).chosen(options.validation_images)
        if annotated.share:
            return LesionValidation(network, annotated, options.micro_batch or options.batch)
        log.warning("None of the validation images of %s has a lesion, so the network is not scored.", clean)
    if options.keep == "best":
        raise InputError(
            "keep is best, which needs validation images with lesions: give --validation-clean and --validation-lesions, or keep "
            "the last weights."
        )
    return None


class LesionLoss:
    """Cross-entropy of the logits, and the soft Dice loss, for which the few pixels of lesions count as much as all the others.

    The cross-entropy is -mean(g log p + (1 - g) log(1 - p)) over the pixels, with p = sigmoid(logit); g is 1 in a lesion, else 0.

    Args:
        network: from images (N, 1, H, W) in [0, 1] to logits of the same shape.
        annotated: the images and their lesions.
        options: flips, crops and weights.
        seed: seed of flips and crops.
    """

    def __init__(self, network: "nn.Module", annotated: "Annotated", options: LesionOptions, seed: int = 0):
        from fplbench.training.loop.views import Views

        self.network, self.annotated, self.options = network, annotated, options
        flips = ("horizontal", "vertical") if options.flips else ()
        self.views = Views(len(annotated.images), annotated.images.shape[1:], seed, flips, options.patch)

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step."""
        from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

        from fplbench.device import mixed_precision
        from fplbench.training.loop.segmentation import soft_dice_loss

        view = self.views(positions, step)
        images, lesions = view.of(self.annotated.images), view.of(self.annotated.lesions).mul(255)
        with mixed_precision(images.device):
            logits = self.network(images)
        logits = logits.float()
        return {
            "cross_entropy": (cross_entropy(logits, lesions), 1.0),
            "dice": (soft_dice_loss(logits.sigmoid(), lesions), self.options.dice_weight),
        }
