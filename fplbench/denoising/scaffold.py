"""Files for a new method, to start from."""

import builtins
import importlib.util
import keyword
import re
from pathlib import Path
from string import Template

from fplbench.errors import InputError

TAKEN = ("np", "denoise", "per_image", "method", "noisy", "options", "image")
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
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"{name!r} cannot be a method's name: use lower-case letters, digits and underscores.")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise InputError(f"{name!r} cannot be a method's name: it is a keyword of Python. Choose another one.")
    if importlib.util.find_spec(name) or hasattr(builtins, name) or name in TAKEN:
        raise InputError(f"{name!r} cannot be a method's name: Python or the method's file has something of that name already.")
    method = root / "fplbench" / "methods" / f"{name}.py"
    test = root / "tests" / "methods" / f"test_{name}.py"
    if not method.parent.is_dir():
        raise InputError(f"{root.resolve()} has no folder fplbench/methods: name the repository by --root.")
    rule = root / "workflow" / "rules" / "baselines" / f"{name}.smk"
    for path in (method, test, rule):
        if path.exists():
            raise InputError(f"{path} already exists: choose another name.")
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "model": name.title().replace("_", "")}
    test.parent.mkdir(parents=True, exist_ok=True)
    method.write_text(METHOD.substitute(words))
    test.write_text(TEST.substitute(words))
    return [method, test]
