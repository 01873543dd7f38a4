"""Programs beside Python that some tests need."""

import shutil
import signal
import subprocess


def has_imagemagick() -> bool:
    """Whether `convert` is there, and not some other program of that name."""
    program = shutil.which("convert")
    if program is None:
        return False
    return "ImageMagick Studio" in subprocess.run([program, "-version"], capture_output=True, text=True).stdout


def heed_interrupts() -> None:
    """Let a new process end at SIGINT, as a `preexec_fn`: tests in the background ignore it, and their children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
