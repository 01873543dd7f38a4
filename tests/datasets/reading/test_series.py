"""Reading DICOM series: each file once, and only the frames that are wanted."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets import LOADERS
from fplbench.datasets.formats import dicom
from fplbench.datasets.loaders.ct import CtOptions
from fplbench.datasets.registry import Unreadable
from tests.helpers.compression import LOSSLESS, compress
from tests.helpers.dicom_files import write_ct
from tests.helpers.multiframe_files import write_multiframe

CT = LOADERS["ct"]
DEFLATED = "1.2.840.10008.1.2.1.99"
STORED = np.random.default_rng(0).integers(0, 3000, (6, 24, 24)).astype(np.int16)


@pytest.fixture
def reads(monkeypatch):
    """The files that pydicom parses, one entry each time."""
    found, dcmread = [], pydicom.dcmread

    def counting(path, *arguments, **options):
        found.append(path)
        return dcmread(path, *arguments, **options)

    monkeypatch.setattr(pydicom, "dcmread", counting)
    return found


def write_many(path, **elements):
    return write_multiframe(path, STORED, [(0, 0, z) for z in range(6)], **elements)


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_ct(folder / "a.dcm", stored=STORED[0]),
        lambda folder: write_many(folder / "a.dcm"),
        lambda folder: write_many(folder / "a.dcm", syntax=DEFLATED),
        lambda folder: compress(write_many(folder / "plain.dcm"), folder / "a.dcm", LOSSLESS["RLE"]),
    ],
)
@pytest.mark.parametrize("at_once", [0, 2**24])
def test_a_file_is_parsed_once_for_its_images(tmp_path, monkeypatch, reads, write, at_once):
    """Files larger than the limit, other than deflated ones, are opened a second time by the decoder alone."""
    monkeypatch.setattr(dicom, "AT_ONCE", at_once)
    path, options = write(tmp_path), CtOptions(root=tmp_path)
    slices, _ = CT.arrange({"a.dcm": CT.read_header(path, options)}, options)
    reads.clear()
    images = [plane.values for plane in CT.read_images(path, slices[::2], options)]
    assert reads == [path] and np.array_equal(images, STORED[: len(slices) : 2] - 1024)


@pytest.mark.parametrize("at_once", [0, 2**24])
def test_pixels_that_end_too_early_are_named(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(dicom, "AT_ONCE", at_once)
    path = write_many(tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[: STORED.nbytes - 9])
    with pytest.raises(Unreadable, match="truncated"):
        dicom.open_frames(path)
