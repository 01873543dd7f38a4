"""The networks and their weight files. Importing this package does not import torch."""

import importlib

_HOMES = {"UNet": "unet", "DRUNet": "drunet", "CvfSid": "cvf_sid"}


def __getattr__(name: str):
    """Import a network class when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
