"""What is known of a column of the tables by its name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fplbench.denoising.registry import Method


def method_of(name: str) -> "Method | None":
    """The method of a column: the one of its name, without what stands for tuning or a budget; None where a config renamed it."""
    from fplbench.config.fits import SAME_SECONDS
    from fplbench.denoising.columns import TUNED_SUFFIX
    from fplbench.methods import METHODS

    plain = name if name in METHODS else name.removesuffix(TUNED_SUFFIX).removesuffix(SAME_SECONDS)
    if plain not in METHODS:
        return None
    return METHODS[plain]


def is_trained(name: str) -> bool:
    """Whether the method of a column has learned weights."""
    method = method_of(name)
    return method is not None and method.weights is not None


def is_filter(name: str) -> bool:
    """Whether the method of a column filters: it has no weights, and does more than leave the image as it is."""
    method = method_of(name)
    return method is not None and method.weights is None and method.cites is not None
