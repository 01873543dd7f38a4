"""Download of one package from the Python package index, by hash. Nothing in it is installed or run."""

import subprocess
import sys
from pathlib import Path

from fplbench.errors import InputError


def download_wheel(requirement: str, folder: Path, what: str) -> Path:
    """Download a wheel with pip, which verifies its hash.

    Args:
        requirement: name, version and hash, as in a requirements file: `name==1.0 --hash=sha256:...`.
        folder: receives the wheel; it must be empty.
        what: what the wheel is for, for messages.

    Returns:
        The wheel.

    Raises:
        InputError: pip could not download it, or the hash differs.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{requirement}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reason = (result.stderr.strip() or "no file was downloaded").splitlines()[-1]
        raise InputError(f"pip could not download {what}: {reason} Check the network connection and run the same command again.")
    return wheels[0]
