"""The annotated lesions, a control that explains no network."""

from typing import TYPE_CHECKING

from fplbench.errors import InputError
from fplbench.explaining.registry import feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "mask",
    title="Annotated lesions",
    options=("annotations",),
    equation="F = 1 in the lesions of the clean image, else 0",
    cites="none: the annotations of the data set",
    has_gradient=lambda options: False,
    of_images=False,
)
def mask(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """The lesions that readers marked in the clean image: a control, as a weight of the residual loss."""
    raise InputError(
        "The feature mask cannot be found in images: it is the lesion stack beside a clean stack, from which fplbench features "
        "makes maps, and only a weight of the loss can use it."
    )
