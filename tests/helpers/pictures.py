"""Pictures for tests."""

from pathlib import Path

from PIL import Image


def write_picture(path: Path, width: int = 40, height: int = 30) -> Path:
    """Write a grey picture; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height), 128).save(path)
    return path
