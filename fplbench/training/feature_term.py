"""The feature preserving loss as a term of a training: its weight, its gradient, and how that lies to the residual loss."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from fplbench.training.denoiser import DenoiserOptions
    from fplbench.training.explained import Explained


class FeatureTerm:
    """L_FP of denoised images, weighted, whose gradient with respect to these images is measured.

    `measured` has, as means over the images or the part of a batch of the last call:

    - cosine_feature: cosine of the angle between minus the gradient of L_FP and the clean minus the denoised image.
    - gradient_ratio_feature: norm of the weighted gradient of L_FP over that of the residual loss.
    - feature_weight: the weight, if `balance` chooses it.

    The factor `feature_interval` is left out in both: it makes up for the steps without L_FP.

    Args:
        explained: what L_FP compares with; a frozen copy of its network is explained.
        options: weight or balance, the loss that L_FP is weighed against.
        device: where the training runs.
    """

    def __init__(self, explained: "Explained", options: "DenoiserOptions", device: "torch.device") -> None:
        from fplbench.training.loop.balance import Balance

        self.explained, self.options = explained.frozen(), options
        self.balance = None if options.balance is None else Balance(options.balance, device)
        self.gauges = ["cosine_feature", "gradient_ratio_feature", *(["feature_weight"] if self.balance else [])]
        self.measured: Mapping[str, torch.Tensor] = {}

    def __call__(
        self, denoised: "torch.Tensor", clean: "torch.Tensor", positions: "torch.Tensor"
    ) -> "tuple[torch.Tensor, float | torch.Tensor]":
        """L_FP of denoised images (N, 1, H, W), and its weight.

        Args:
            denoised: the images, right way round, with the graph of the denoiser.
            clean: the clean images, of the same shape.
            positions: their places in the stack.
        """
        import torch

        from fplbench.training.loop.surrogate import with_gradient

        interval = self.options.feature_interval
        factor = 1.0 if self.balance else self.options.feature_weight * interval
        leaf = denoised.detach().requires_grad_()
        loss = self.explained.loss(leaf, positions, self.options.normalise)
        if loss.requires_grad:
            (gradient,) = torch.autograd.grad(factor * loss, leaf, materialize_grads=True)
        else:
            gradient = torch.zeros_like(leaf)
        error = leaf.detach() - clean
        norms = torch.linalg.vector_norm(self._residual_gradient(error).double()), torch.linalg.vector_norm(gradient.double())
        weight: float | torch.Tensor = factor
        if self.balance:
            weight = self.balance(*norms, len(denoised) / self.options.batch).to(loss.dtype) * interval
        self._measure(gradient, error, norms, weight)
        return with_gradient(denoised, loss, gradient, factor), weight

    def state(self) -> "dict[str, torch.Tensor]":
        """What a training that is resumed needs of the steps before."""
        return self.balance.state() if self.balance else {}

    def load(self, state: "Mapping[str, torch.Tensor]") -> None:
        """Go on from a state."""
        if self.balance:
            self.balance.load(state)

    def _residual_gradient(self, error: "torch.Tensor") -> "torch.Tensor":
        """The gradient of the residual loss with respect to the denoised images, from their errors."""
        return (error.sign() if self.options.loss == "absolute" else 2 * error) / len(error)

    def _measure(
        self,
        gradient: "torch.Tensor",
        error: "torch.Tensor",
        norms: "tuple[torch.Tensor, torch.Tensor]",
        weight: "float | torch.Tensor",
    ) -> None:
        import torch
        from torch.nn import functional

        interval = self.options.feature_interval
        # The tiny floor keeps the cosine of an image without error or gradient at 0.
        cosines = functional.cosine_similarity(gradient.flatten(1).double(), error.flatten(1).double(), eps=1e-30)
        residual, feature = norms
        # With a balance, the weight is not yet part of the gradient.
        weighted = feature * weight if self.balance else feature
        ratio = torch.where(residual > 0, weighted / residual, 0.0) / interval
        self.measured = {"cosine_feature": cosines.mean(), "gradient_ratio_feature": ratio}
        if self.balance:
            self.measured |= {"feature_weight": torch.as_tensor(weight) / interval}
