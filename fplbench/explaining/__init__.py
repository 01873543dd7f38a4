"""Guided back-propagation and the feature maps it gives. Importing this package does not import torch."""

import importlib
from typing import Any

_HOMES = {"guided_backprop": "guided", "feature_maps": "maps"}


def __getattr__(name: str) -> Any:
    """Import a function on first access."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
