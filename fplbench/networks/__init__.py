"""The networks, one file each, and their weight files. Importing this package does not import torch.

`weights.load` loads a network from a weight file, which names its architecture, and `weights.save` writes one; see the
example of `weights.load`. `UNet(width=64)` and `DRUNet()` create networks with random weights.

The class of a network has the name of its file without underscores, in any case: `UNet` is in unet.py, `RedCnn` in
red_cnn.py. A weight file can therefore name its architecture, and the networks need not be listed anywhere.
"""

import importlib
import pkgutil
from typing import Any

MACHINERY = ("card", "card_text", "counting", "inference", "tiles", "weights")


def architectures() -> list[str]:
    """Names of the networks, which are the names of their files."""
    return sorted({module.name for module in pkgutil.iter_modules(__path__)} - set(MACHINERY))


def network_class(architecture: str) -> type:
    """The class of a network, by the name of its file."""
    module = importlib.import_module(f"{__name__}.{architecture}")
    return next(found for name, found in vars(module).items() if _matches(architecture, name) and isinstance(found, type))


def _matches(architecture: str, name: str) -> bool:
    return architecture.replace("_", "") == name.lower()


def __getattr__(name: str) -> Any:
    """Import a network class on first access."""
    for architecture in architectures():
        if _matches(architecture, name):
            return getattr(importlib.import_module(f"{__name__}.{architecture}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
