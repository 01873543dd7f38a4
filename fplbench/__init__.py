"""A benchmark of medical image denoising: Tables 2 to 4 of Dong and Basu (arXiv 2310.20101), and your method beside them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fplbench.applying.models.library import load_denoiser as load_denoiser

__version__ = "0.1.0"

DEFAULT_SEED = 2310
"""Seed of a config, and of every command, that names none."""


def __getattr__(name: str) -> Any:
    """Import `load_denoiser` on first access: it needs torch."""
    if name == "load_denoiser":
        from fplbench.applying.models.library import load_denoiser

        return load_denoiser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
