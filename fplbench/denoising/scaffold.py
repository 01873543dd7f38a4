"""Files for a new method or network, to start from."""

import builtins
import importlib.util
import keyword
import re
from pathlib import Path
from string import Template

from fplbench.errors import InputError

TAKEN = ("np", "denoise", "per_image", "method", "noisy", "options", "image", "peer", "nn", "layers")
METHOD = Template('''"""$title."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import method, per_image
from fplbench.options import Options

GRID = {"strength": [0.25, 0.5, 0.75, 1]}


class ${model}Options(Options):
    """Options of $title."""

    strength: float = Field(0.5, ge=0, le=1, description="Share of the local mean in the result.")


@method("$name", label="$title", cites="$name", options=${model}Options, grid=GRID)
def $name(noisy: np.ndarray, options: ${model}Options) -> np.ndarray:
    """Mix each pixel with the mean of its 3x3 window: replace this by what the method does, and its source."""
    from scipy.ndimage import uniform_filter

    def denoise(image: np.ndarray) -> np.ndarray:
        grey_levels = image.astype(np.float64)
        return grey_levels + options.strength * (uniform_filter(grey_levels, 3) - grey_levels)

    return per_image(noisy, denoise)
''')

TEST = Template("""import numpy as np

from fplbench.methods import denoise


def test_strength_moves_a_pixel_towards_the_mean_of_its_window():
    noisy = np.zeros((1, 5, 5), np.uint8)
    noisy[0, 2, 2] = 180
    # The mean of the window is 180 / 9 = 20; half of the way there is 100.
    assert denoise("$name", noisy, strength=0.5)[0, 2, 2] == 100
""")

NETWORK = Template('''"""$title."""

from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn


class ${model}Options(Options):
    """Options of $title."""

    width: int = Field(64, ge=1, description="Channels of each layer but the last.")
    depth: int = Field(5, ge=2, description="Convolutions.")


@peer(
    "$name",
    label="$title",
    cites="$name",
    options=${model}Options,
    output="noise",
    training={"learning_rate": 1e-3},
    small={"width": 8, "depth": 3},
)
def $name(options: ${model}Options) -> "nn.Module":
    """Convolutions that predict the noise (Author et al. 2025): replace this by the network, and its source."""
    from torch import nn

    layers: list[nn.Module] = [nn.Conv2d(1, options.width, 3, padding=1), nn.ReLU()]
    for _ in range(options.depth - 2):
        layers += [nn.Conv2d(options.width, options.width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(options.width, 1, 3, padding=1))
''')


def write_baseline(name: str, root: Path) -> list[Path]:
    """Write the file of a new method and its test.

    Args:
        name: the method's name: a lower-case Python identifier.
        root: folder of the repository.

    Returns:
        The two files.

    Raises:
        InputError: the name cannot be used or is taken, or `root` is not the repository.
    """
    _check_name(name, "method")
    method = root / "fplbench" / "methods" / f"{name}.py"
    test = root / "tests" / "methods" / f"test_{name}.py"
    if not method.parent.is_dir():
        raise InputError(f"{root.resolve()} has no folder fplbench/methods: name the repository by --root.")
    rule = root / "workflow" / "rules" / "baselines" / f"{name}.smk"
    _check_free(method, test, rule, root / "fplbench" / "peers" / f"{name}.py")
    words = _words(name)
    test.parent.mkdir(parents=True, exist_ok=True)
    method.write_text(METHOD.substitute(words))
    test.write_text(TEST.substitute(words))
    return [method, test]


def write_network(name: str, root: Path) -> Path:
    """Write the file of a new network, from which its training and its method follow.

    Args:
        name: the network's name: a lower-case Python identifier.
        root: folder of the repository.

    Returns:
        The file.

    Raises:
        InputError: the name cannot be used or is taken, or `root` is not the repository.
    """
    _check_name(name, "network")
    network = root / "fplbench" / "peers" / f"{name}.py"
    if not network.parent.is_dir():
        raise InputError(f"{root.resolve()} has no folder fplbench/peers: name the repository by --root.")
    _check_free(network, *(root / "fplbench" / folder / f"{name}.py" for folder in ("methods", "training", "networks")))
    network.write_text(NETWORK.substitute(_words(name)))
    return network


def _words(name: str) -> dict[str, str]:
    return {"name": name, "title": name.replace("_", " ").capitalize(), "model": name.title().replace("_", "")}


def _check_name(name: str, kind: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"{name!r} cannot be a {kind}'s name: use lower-case letters, digits and underscores.")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise InputError(f"{name!r} cannot be a {kind}'s name: it is a keyword of Python. Choose another one.")
    if importlib.util.find_spec(name) or hasattr(builtins, name) or name in TAKEN:
        raise InputError(f"{name!r} cannot be a {kind}'s name: Python or the new file has something of that name already.")


def _check_free(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise InputError(f"{path} already exists: choose another name.")
