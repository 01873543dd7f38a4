"""Compressed DICOM: lossless compression gives the stored values exactly, and every file the same values everywhere."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets.formats import decoding, dicom
from fplbench.datasets.loaders.ct import CT, CtOptions
from fplbench.datasets.registry import Unreadable
from tests.helpers.compression import LOSSLESS, compress
from tests.helpers.dicom_files import EXPLICIT, FILES, write_ct
from tests.helpers.multiframe_files import write_multiframe

STORED = [(8, False), (8, True), (12, False), (12, True), (15, False), (15, True), (16, False), (16, True)]


def random_values(bits, signed, shape=(64, 64)):
    """Values that use all of the bits, with both ends among them."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    values = np.random.default_rng(bits).integers(low, high, shape)
    values.flat[:2] = low, high - 1
    return values.astype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")


def write_bits(path, values, bits):
    """Write values of some bits without compression, 8 of them in a byte."""
    allocated = 8 * values.dtype.itemsize
    elements = {"BitsAllocated": allocated, "BitsStored": bits, "HighBit": bits - 1, "PixelData": values.tobytes()}
    return write_ct(path, stored=values, signed=values.dtype.kind == "i", **elements)


def frames_of(path, frames=None):
    header, images_of = dicom.open_frames(path)
    return list(images_of(range(dicom.frame_count(header)) if frames is None else frames))


@pytest.mark.parametrize(("bits", "signed"), STORED)
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_compression_gives_the_values_exactly(tmp_path, name, bits, signed):
    values = random_values(bits, signed)
    path = compress(write_bits(tmp_path / "plain.dcm", values, bits), tmp_path / "a.dcm", LOSSLESS[name])
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == LOSSLESS[name]
    (found,) = frames_of(path)
    assert np.array_equal(found, values) and found.dtype == values.dtype
    assert np.array_equal(dicom.read_pixels(path)[1], values)


@pytest.mark.parametrize("name", LOSSLESS)
def test_frames_of_a_compressed_file_are_found_without_an_offset_table(tmp_path, name):
    values = random_values(12, True, (7, 64, 80))
    plain = write_multiframe(tmp_path / "plain.dcm", values, [(0, 0, z) for z in range(7)])
    path = compress(plain, tmp_path / "a.dcm", LOSSLESS[name])
    assert np.array_equal(frames_of(path), values)
    assert np.array_equal(frames_of(path, [5, 0, 3]), values[[5, 0, 3]]) and frames_of(path, []) == []


@pytest.mark.parametrize("name", [None, *LOSSLESS])
def test_a_slice_is_in_hounsfield_units_whatever_its_compression(tmp_path, name):
    expected = np.random.default_rng(0).integers(-1024, 3000, (64, 64))
    path = write_ct(tmp_path / "a.dcm", hounsfield=expected, signed=False, syntax=EXPLICIT)
    if name:
        path = compress(path, tmp_path / "b.dcm", LOSSLESS[name])
    options = CtOptions(root=tmp_path)
    assert (CT.read_header(path, options)["rows"], CT.read_header(path, options)["patient"]) == (64, "P1")
    (plane,) = CT.read_images(path, [None], options)
    assert np.array_equal(plane.values, expected)


@pytest.mark.parametrize(
    "name",
    [
        "693_J2KI.dcm",  # lossy JPEG 2000, 14 of 16 bits
        "J2K_pixelrep_mismatch.dcm",  # signed values in an unsigned code stream
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "examples_overlay.dcm",
        "image_dfl.dcm",
        "rtdose.dcm",  # 15 frames of 32 bits
        "rtdose_expb.dcm",
        "rtdose_rle.dcm",
    ],
)
def test_the_values_are_those_of_pydicom(name):
    expected = pydicom.dcmread(FILES / name).pixel_array
    found = np.array(frames_of(FILES / name))
    assert np.array_equal(found.reshape(expected.shape), expected)


def test_every_compression_has_a_decoder_of_its_own(tmp_path):
    """Not whichever is installed: the first of each list is a dependency of the package."""
    for syntax, plugins in decoding.DECODERS.items():
        assert plugins[0] in pydicom.pixels.get_decoder(syntax).available_plugins


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.100", "its compression is not supported"),  # video
        ("1.2.840.10008.1.2.4.51", "lossy JPEG of 12 bits, is not supported"),
    ],
)
def test_a_compression_without_a_decoder_is_named(tmp_path, syntax, reason):
    path = compress(write_ct(tmp_path / "plain.dcm"), tmp_path / "a.dcm", LOSSLESS["RLE"])
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    with pytest.raises(Unreadable, match=reason):
        frames_of(path)


def write_upper_bits(path, values, signed, **elements):
    """A file of 12 bits, whose upper four bits are those of `values`."""
    return write_ct(path, stored=values, signed=signed, BitsStored=12, HighBit=11, **elements)


@pytest.mark.parametrize("signed", [False, True])
def test_an_old_overlay_in_the_upper_bits_is_dropped(tmp_path, signed):
    values = random_values(12, signed)
    overlay = values.view(np.uint16) & 0x0FFF | 0x8000
    path = write_upper_bits(tmp_path / "a.dcm", overlay.view(values.dtype), signed)
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x6000, 0x0100), "US", 16)
    dataset.add_new((0x6000, 0x0102), "US", 15)
    dataset.save_as(path)
    (found,) = frames_of(path)
    assert np.array_equal(found, values)


def test_upper_bits_without_an_overlay_are_part_of_the_number(tmp_path):
    """Outside the field of view many scanners store -2000, in files that claim to store 12 bits."""
    stored = np.full((24, 24), 1064, np.uint16)
    stored[0] = 63536  # -2000 without its sign
    (plane,) = CT.read_images(write_upper_bits(tmp_path / "a.dcm", stored, False), [None], CtOptions())
    assert (plane.values[0] == -1024).all() and (plane.values[1:] == 40).all()
    beyond = np.array([[-3024, 5, 2047, -2048]], np.int16)
    (found,) = frames_of(write_upper_bits(tmp_path / "b.dcm", beyond, True))
    assert np.array_equal(found, beyond)


def test_a_sign_that_ends_at_the_stored_bits_is_extended(tmp_path):
    """As the standard has it: the highest stored bit is the sign, whatever the bits above it are."""
    values = random_values(12, True)
    unextended = (values.view(np.uint16) & 0x0FFF).view(np.int16)
    (found,) = frames_of(write_upper_bits(tmp_path / "a.dcm", unextended, True))
    assert np.array_equal(found, values)
