"""PNG and JPEG files of grey images."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.display import check_size

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: "RGB", 4: "grey and transparency", 6: "RGB and transparency"}  # colour types of PNG
LARGEST = {"L": 255.0, "I;16": 65535.0}  # modes of grey images in Pillow
MIXED = ("RGB", "RGBA", "P", "PA", "LA")  # modes of images that may be grey


def is_picture(path: str) -> bool:
    """Whether a file is named like a PNG or JPEG file."""
    return path.lower().endswith(SUFFIXES)


def check_grey(path: Path) -> None:
    """Check that a file holds one grey image of plausible size. Pixels are only decoded to see whether they are colourless.

    Raises:
        NotAnImage: it is a colour image, has transparent pixels, several frames, or a kind of pixels that is not supported.
        Unreadable: it is neither PNG nor JPEG, or its size is implausible; other exceptions if it is damaged.
    """
    with _opened(path) as image:
        if image.mode not in LARGEST:
            _colourless(image)


def read_grey(path: Path) -> tuple[np.ndarray, tuple[float, float]]:
    """Read a grey image, or one stored in colours that are all grey.

    Returns:
        The values, float32 (H, W), and the range of their bits: 0 to 255, or 0 to 65535.

    Raises:
        NotAnImage, Unreadable: as for `check_grey`.
    """
    with _opened(path) as image:
        values = np.asarray(image) if image.mode in LARGEST else _colourless(image)
        return values.astype(np.float32), (0.0, LARGEST.get(image.mode, 255.0))


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    """Context that yields an image whose size has been checked and whose pixels have not been decoded."""
    from PIL import Image, UnidentifiedImageError

    _check_depth(path)
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            check_size(image.height, image.width)
            if getattr(image, "n_frames", 1) > 1:
                raise NotAnImage("several frames in one file")
            if image.mode in LARGEST and "transparency" in image.info:
                raise NotAnImage("an image with a grey level that stands for transparent pixels")
            yield image
    except UnidentifiedImageError:
        raise Unreadable("it is not a PNG or JPEG file, or its header is damaged") from None
    except Image.DecompressionBombError:
        raise Unreadable("its image is too large") from None


def _check_depth(path: Path) -> None:
    """Raise NotAnImage for PNG files with several channels of 16 bits, of which Pillow reads the upper 8 bits only."""
    with open(path, "rb") as file:
        start = file.read(26)
    if start.startswith(PNG) and len(start) == 26 and start[24] == 16 and start[25] in CHANNELS:
        raise NotAnImage(f"PNG with 16 bits of {CHANNELS[start[25]]}; with 16 bits, only grey alone is read")


def _colourless(image: "Image") -> np.ndarray:
    """The grey levels, uint8 (H, W), of an image with equal channels. Raises NotAnImage if they differ."""
    if image.mode == "1":
        raise NotAnImage("an image of 1 bit, black and white")
    if image.mode not in MIXED:
        raise NotAnImage("a colour image")
    red, green, blue, opaque = np.moveaxis(np.asarray(image.convert("RGBA")), 2, 0)
    if not (np.array_equal(red, green) and np.array_equal(red, blue)):
        raise NotAnImage("a colour image")
    if opaque.min() < 255:
        raise NotAnImage("an image with transparent pixels")
    return red
