"""DICOM files without the prefix and the elements before the data set, as old archives exported them."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from fplbench.datasets import LOADERS, SamplingOptions
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.scan import scan
from tests.applying.scans import contents
from tests.helpers.compression import DEFLATED, LOSSLESS, compress
from tests.helpers.damage import check, mutate
from tests.helpers.dicom_files import EXPLICIT, IMPLICIT, write_ct
from tests.helpers.dicom_scans import apply, find, find_one, in_process
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]


def strip(path: Path, target: Path, meta: bool = False) -> Path:
    """Copy a file without its first 132 bytes, and without the elements of its file header unless `meta`."""
    data = path.read_bytes()
    assert data[128:140] == b"DICM\x02\0\0\0UL\x04\0"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data[132 if meta else 144 + int.from_bytes(data[140:144], "little") :])
    return target


@pytest.mark.parametrize("meta", [False, True])
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm"])
def test_the_output_is_that_of_the_whole_file(tmp_path, name, meta):
    source = Path(get_testdata_file(name, download=False))
    (tmp_path / "whole" / "in").mkdir(parents=True)
    (tmp_path / "whole" / "in" / "a").write_bytes(source.read_bytes())
    strip(source, tmp_path / "bare" / "in" / "a", meta)
    for kind in ("whole", "bare"):
        apply(find_one(tmp_path / kind), tmp_path / "out" / kind)
    assert contents(tmp_path / "out" / "whole") == contents(tmp_path / "out" / "bare") != {}


@pytest.mark.parametrize("at_once", [0, 2**24])
def test_frames_of_such_a_file_are_read_one_by_one(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr("fplbench.applying.dicom.pixels.AT_ONCE", at_once)
    stored = np.random.default_rng(0).integers(0, 2000, (3, 8, 6)).astype(np.uint16)
    path = write_multiframe(tmp_path / "x.dcm", stored, [(0, 0, z) for z in (1, 0, 2)], modality="MR", rescale=(1, 0))
    scan = find_one(strip(path, tmp_path / "bare" / "a").parent)
    assert np.array_equal(np.stack([plane.values for plane in scan.planes(range(3))]), stored[[1, 0, 2]])


def test_compressed_pixels_without_a_name_of_their_compression_are_refused(tmp_path):
    """Two bytes of noise for each pixel do not get smaller, so the file is long enough for uncompressed ones."""
    stored = np.random.default_rng(0).integers(0, 2**16, (64, 64)).astype(np.uint16)
    path = compress(write_ct(tmp_path / "x.dcm", stored=stored, signed=False), tmp_path / "y.dcm", LOSSLESS["RLE"])
    strip(path or tmp_path / "y.dcm", tmp_path / "bare" / "a")
    assert find(tmp_path / "bare").problems == {"a": "its pixels are compressed, and it does not say how"}


def options_of(name, root):
    return LOADERS[name].options(root=root)


def planes_of(name, path):
    """The images of a file, by the header scan of its folder."""
    loader, options = LOADERS[name], options_of(name, path.parent)
    found = scan(loader, options, 1)
    slices, omitted = loader.arrange(found.headers, options)
    assert not found.skipped and not found.unreadable and not omitted
    planes = {plane.slice.number: plane.values for plane in loader.read_images(path, slices, options)}
    return [planes[number] for number in sorted(planes)]


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("meta", [False, True])
@pytest.mark.parametrize("name", ["lidc", "ct", "mr", "radiograph", "rsna"])
def test_loaders_read_such_a_file_like_the_whole_one(tmp_path, name, meta, syntax):
    stored = np.random.default_rng(0).integers(0, 2000, (24, 20)).astype(np.uint16)
    modality = {"mr": "MR", "radiograph": "DX", "rsna": "DX"}.get(name, "CT")
    whole = tmp_path / "whole" / "stage_2_train_images" / "a.dcm"
    write_ct(whole, stored=stored, signed=False, intercept=0, modality=modality, syntax=syntax)
    bare = strip(whole, tmp_path / "bare" / "stage_2_train_images" / "a.dcm", meta)
    (expected,), (found,) = planes_of(name, whole), planes_of(name, bare)
    assert np.array_equal(found, expected) and np.array_equal(found, stored)


@pytest.mark.parametrize("meta", [False, True])
@pytest.mark.parametrize("at_once", [0, 2**24])
def test_loaders_read_frames_of_such_a_file(tmp_path, monkeypatch, at_once, meta):
    monkeypatch.setattr("fplbench.datasets.formats.dicom.AT_ONCE", at_once)
    stored = np.random.default_rng(0).integers(0, 2000, (3, 8, 6)).astype(np.uint16)
    path = write_multiframe(tmp_path / "x.dcm", stored, [(0, 0, z) for z in (1, 0, 2)], modality="MR", rescale=(1, 0))
    assert np.array_equal(planes_of("mr", strip(path, tmp_path / "bare" / "a", meta)), stored[[1, 0, 2]])


@pytest.mark.parametrize("at_once", [0, 2**24])
def test_loaders_read_a_large_file_that_pydicom_cannot_read_in_parts(tmp_path, monkeypatch, at_once):
    """One that is deflated, and one with the prefix that does not name its transfer syntax."""
    monkeypatch.setattr("fplbench.datasets.formats.dicom.AT_ONCE", at_once)
    path = write_ct(tmp_path / "x.dcm", hounsfield=np.full((8, 8), 7, np.int16))
    compress(path, tmp_path / "deflated" / "a.dcm", DEFLATED)
    unnamed = strip(path, tmp_path / "unnamed" / "a.dcm")
    unnamed.write_bytes(bytes(128) + b"DICM" + unnamed.read_bytes())
    for file in (tmp_path / "deflated" / "a.dcm", unnamed):
        assert planes_of("ct", file)[0].tolist() == [[7] * 8] * 8


@pytest.mark.parametrize("name", ["lidc", "ct"])
def test_loaders_refuse_compressed_pixels_without_a_name_of_their_compression(tmp_path, name):
    stored = np.random.default_rng(0).integers(0, 2**16, (64, 64)).astype(np.uint16)
    path = compress(write_ct(tmp_path / "x.dcm", stored=stored, signed=False), tmp_path / "y.dcm", LOSSLESS["RLE"])
    with pytest.raises(Unreadable, match=r"^its pixels are compressed, and it does not say how$"):
        planes_of(name, strip(path, tmp_path / "bare" / "a"))


@pytest.mark.filterwarnings("ignore:Expected explicit VR")
@pytest.mark.parametrize(("file", "error"), [("a", NotAnImage), ("a.dcm", Unreadable)])
@pytest.mark.parametrize("data", [b"", b"\x08\0", b"text " * 40, b"\x02\0" + bytes(200)])
def test_loaders_know_that_other_files_are_no_dicom_files(tmp_path, data, file, error):
    (tmp_path / file).write_bytes(data)
    with pytest.raises(error, match="not a DICOM file"):
        LOADERS["ct"].read_header(tmp_path / file, options_of("ct", tmp_path))


@pytest.mark.slow
def test_mutants_of_such_files_are_images_or_are_reported(tmp_path, caplog):
    random, root = np.random.default_rng(3), tmp_path / "in"
    for number in range(30):
        values = random.integers(0, 1000, (24, 24)).astype(np.int16)
        path = write_ct(tmp_path / "x.dcm", patient=f"P{number}", series=f"1.{number}", hounsfield=values)
        strip(path, root / f"good-{number}", meta=number % 2 == 1)
    mutants = [root / f"bad-{number}" for number in range(60)]
    for number, path in enumerate(mutants):
        content = (root / f"good-{number % 30}").read_bytes()
        path.write_bytes(mutate(content, random, 300))
    sampling = SamplingOptions(train=40, validation=5, test=5, size=16, split="random_slice")
    found = check("ct", options_of("ct", root).model_copy(update={"max_unreadable": 1.0}), mutants, caplog, tmp_path, sampling)
    assert {f"good-{number}" for number in range(30)} <= found.headers.keys()


@pytest.mark.filterwarnings("ignore:Expected explicit VR")
@pytest.mark.parametrize(
    "data", [b"", b"\x08\0", b"\x08\0\x05\0CS\x02\0AB", b"\x08\0" * 90, b"text " * 40, b"\x02\0" + bytes(200)]
)
def test_other_files_are_no_dicom_files(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    found = find(tmp_path)
    assert (found.scans, found.skipped, found.problems) == ([], {"a": "not a DICOM file"}, {})


def test_the_prefix_alone_is_enough(tmp_path):
    """A file with the prefix that does not name its transfer syntax."""
    path = write_ct(tmp_path / "x.dcm", hounsfield=np.full((8, 8), 7, np.int16))
    bare = strip(path, tmp_path / "bare" / "a.dcm")
    bare.write_bytes(bytes(128) + b"DICM" + bare.read_bytes())
    assert next(find_one(bare.parent).planes([0])).values.tolist() == [[7] * 8] * 8
    assert "TransferSyntaxUID" not in pydicom.dcmread(bare).file_meta
