"""PNG and JPEG files of grey images."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from fplbench.datasets.formats.images import check_grey, is_picture, read_grey
from fplbench.datasets.registry import NotAnImage, Unreadable

GREY = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
TRANSPARENT_LEVEL = "an image with a grey level that stands for transparent pixels"
DEEP = GREY.astype(np.uint16) * 257 + 3


def png(rows, columns, depth=8, colour=0, data=b""):
    """A PNG file that claims a size, whatever its data."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def save(path, array, mode=None, **options):
    (Image.fromarray(array) if mode is None else Image.fromarray(array).convert(mode)).save(path, **options)
    return path


@pytest.mark.parametrize(("values", "highest"), [(GREY, 255), (DEEP, 65535)])
def test_a_grey_png_has_its_values_and_the_range_of_its_bits(tmp_path, values, highest):
    """Both depths, written by OpenCV."""
    cv2.imwrite(str(tmp_path / "a.png"), values)
    check_grey(tmp_path / "a.png")
    found, bits = read_grey(tmp_path / "a.png")
    assert found.dtype == np.float32 and np.array_equal(found, values) and bits == (0, highest)


def test_a_jpeg_is_decoded_as_opencv_does(tmp_path):
    smooth = cv2.GaussianBlur(GREY, (0, 0), 3)
    path = save(tmp_path / "a.jpg", smooth, quality=90)
    found, bits = read_grey(path)
    assert np.abs(found - cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(float)).max() <= 1 and bits == (0, 255)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_a_grey_image_stored_in_colours_is_the_grey_image(tmp_path, mode):
    path = save(tmp_path / "a.png", GREY, mode)
    check_grey(path)
    assert np.array_equal(read_grey(path)[0], GREY) and read_grey(path)[1] == (0, 255)


def test_a_grey_jpeg_stored_in_colours_is_a_grey_image(tmp_path):
    path = save(tmp_path / "a.jpeg", GREY, "RGB", quality=95)
    check_grey(path)
    assert np.array_equal(read_grey(path)[0], cv2.imread(str(path))[:, :, 0])


def almost_grey(tmp_path):
    colours = np.stack([GREY] * 3, axis=2)
    colours[3, 4, 1] ^= 1
    return save(tmp_path / "a.png", colours)


def transparent(tmp_path):
    return save(tmp_path / "a.png", np.stack([GREY, np.where(GREY > 9, 255, 9).astype(np.uint8)], axis=2))


def moving(tmp_path):
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    return tmp_path / "a.png"


def deep_colours(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.stack([DEEP] * 3, axis=2))
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (almost_grey, "a colour image"),
        (lambda folder: save(folder / "a.jpg", np.stack([GREY] * 4, axis=2), "CMYK"), "a colour image"),
        (lambda folder: save(folder / "a.png", GREY, "1"), "an image of 1 bit, black and white"),
        (transparent, "an image with transparent pixels"),
        (
            lambda folder: save(folder / "a.png", GREY, transparency=7),
            TRANSPARENT_LEVEL,
        ),
        (
            lambda folder: save(folder / "a.png", DEEP, transparency=7),
            TRANSPARENT_LEVEL,
        ),
        (moving, "several frames in one file"),
        (deep_colours, "PNG with 16 bits of RGB; with 16 bits, only grey alone is read"),
    ],
)
def test_other_images_are_left_out_with_the_reason(tmp_path, make, reason):
    path = make(tmp_path)
    for read in (check_grey, read_grey):
        with pytest.raises(NotAnImage, match=f"^{reason}$"):
            read(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(9000, 9000), r"its image of 9000x9000 pixels is too large"),
        (png(1, 9000), r"its image of 1x9000 pixels is too large"),
        (png(60_000, 60_000), "its image is too large"),  # which Pillow refuses before
        (png(60_000, 60_000, colour=2), "its image is too large"),
        (b"\x89PNG\r\n\x1a\n", "it is not a PNG or JPEG file, or its header is damaged"),
        (b"GIF89a" + bytes(40), "it is not a PNG or JPEG file"),
        (b"", "it is not a PNG or JPEG file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Image size")
def test_an_implausible_size_or_another_kind_of_file_is_refused_before_it_is_decoded(tmp_path, content, reason):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        check_grey(tmp_path / "a.png")


def test_only_these_suffixes_are_pictures():
    assert all(map(is_picture, ("a.png", "b/c.JPG", "d.jpeg"))) and not any(
        map(is_picture, ("a.dcm", "png", "a.png.csv", "a.gif"))
    )
