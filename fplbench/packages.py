"""Optional packages: whether they can be used here, and how to install them."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

# Found is not enough for these: a build made for another torch is there, but fails when it is imported.
BUILT_FOR_TORCH = ("torchvision",)


def unusable(name: str, requires: Sequence[str], extra: str | None) -> str | None:
    """Why the packages that something needs cannot be used here.

    Args:
        name: what needs them, for the sentence.
        requires: names of modules.
        extra: the extra of this package that installs them.

    Returns:
        One sentence that says how to install them; None if all can be used.
    """
    for module in requires:
        if problem := _problem(module):
            return f"{name!r} needs the package {module}, which {problem}: pip install -e '.[{extra or module}]'."
    return None


@cache
def _problem(module: str) -> str | None:
    """What is wrong with a module, as the end of a clause; None if nothing is."""
    if importlib.util.find_spec(module) is None:
        return "is not installed"
    if module not in BUILT_FOR_TORCH:
        return None
    # In a process of its own: an import that fails half-way leaves operators registered in torch.
    run = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return None
    return f"cannot be imported ({run.stderr.strip().splitlines()[-1]}); a build for the installed torch is needed"
