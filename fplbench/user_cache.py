"""Where what can be found out again is kept for the user."""

import os
from pathlib import Path


def user_cache() -> Path:
    """The folder, which need not exist, of what the package keeps for the user who runs it: nobody else can write to it.

    Raises:
        RuntimeError: the user has no home.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fplbench"
