"""Programs beside Python that some tests need."""

import shutil
import subprocess


def has_imagemagick() -> bool:
    """Whether `convert` is there, and not some other program of that name."""
    program = shutil.which("convert")
    if program is None:
        return False
    return "ImageMagick Studio" in subprocess.run([program, "-version"], capture_output=True, text=True).stdout
