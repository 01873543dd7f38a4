"""Written DICOM files against other programs: dicom3tools, DCMTK and pydicom's validation."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from fplbench.files import file_hash
from tests.helpers.dicom_files import write_ct
from tests.helpers.dicom_scans import apply, find, find_one, in_process, only_file
from tests.helpers.multiframe_files import write_multiframe

__all__ = ["in_process"]

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "lidc"
needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
needs_dcmj2pnm = pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="dcmj2pnm (dcmtk) is not installed")
RESIDUAL_TERM = "Warning - Unrecognized defined term <RESIDUAL> for value 4 of attribute <Image Type>"
FILES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jp2klossless.dcm",
    "693_J2KI.dcm",
    "JPEG2000.dcm",
    "examples_overlay.dcm",
)


def messages(path: Path) -> Counter:
    """What dciodvfy says of a file, with the number of times."""
    result = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace")
    return Counter((result.stdout + result.stderr).splitlines())


def copy_of(name: str, folder: Path) -> Path:
    """A file of pydicom's own tests, in a folder of its own."""
    folder.mkdir()
    return Path(shutil.copy(get_testdata_file(name, download=False), folder))


@needs_dciodvfy
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("name", FILES)
def test_no_message_that_the_input_did_not_have(tmp_path, name):
    source = copy_of(name, tmp_path / "in")
    apply(find_one(source.parent), tmp_path / "out")
    assert messages(only_file(tmp_path / "out" / "denoised")) - messages(source) == Counter()
    # Value 4 of the type of a CT is open; dciodvfy knows 2D and 3D.
    assert set(messages(only_file(tmp_path / "out" / "residual")) - messages(source)) <= {RESIDUAL_TERM}


CLASSES = {  # SOP class, and the values of ImageType after the first two
    "CR": ("1.1", []),
    "DX": ("1.1.1", [""]),
    "MG": ("1.1.2", [""]),
    "MR": ("4", ["M"]),
    "NM": ("20", ["STATIC", "EMISSION"]),
    "PT": ("128", []),
    "RF": ("12.2", ["SINGLE PLANE"]),
    "US": ("6.1", []),
    "XA": ("12.1", ["SINGLE PLANE"]),
}


@needs_dciodvfy
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("modality", CLASSES)
def test_no_error_for_any_modality(tmp_path, modality):
    kind, rest = CLASSES[modality]
    bits = {"BitsStored": 8, "HighBit": 7} if modality == "US" else {}
    stored = np.random.default_rng(0).integers(0, 250, (32, 24)).astype(np.uint16)
    source = write_ct(
        tmp_path / "in" / "x.dcm",
        modality=modality,
        stored=stored,
        signed=False,
        intercept=0,
        SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}",
        ImageType=["ORIGINAL", "PRIMARY", *rest],
        SeriesDescription="x",
        **bits,
    )
    apply(find_one(source.parent), tmp_path / "out")
    for output in ("denoised", "residual"):
        new = messages(only_file(tmp_path / "out" / output)) - messages(source)
        assert [message for message in new if message.startswith("Error")] == []


@needs_dciodvfy
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_no_message_for_an_enhanced_file_either(tmp_path, modality):
    source = enhanced(tmp_path / "in", modality)
    apply(find_one(source.parent), tmp_path / "out")
    for kind in ("denoised", "residual"):
        assert messages(only_file(tmp_path / "out" / kind)) - messages(source) == Counter()


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("name", FILES)
def test_pydicom_finds_nothing_invalid(tmp_path, name, monkeypatch):
    source = copy_of(name, tmp_path / "in")
    apply(find_one(source.parent), tmp_path / "out")
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.RAISE)
    for kind in ("denoised", "residual"):
        path = only_file(tmp_path / "out" / kind)
        file = pydicom.dcmread(path)
        list(file.iterall())  # which parses every element
        pydicom.dcmwrite(tmp_path / "copy.dcm", file, enforce_file_format=True)
        assert np.array_equal(pydicom.dcmread(tmp_path / "copy.dcm").pixel_array, file.pixel_array)


@needs_dcmj2pnm
@pytest.mark.usefixtures("in_process")
def test_dcmtk_shows_the_denoised_slice(tmp_path):
    rng = np.random.default_rng(4)
    source = write_ct(tmp_path / "in" / "x.dcm", hounsfield=rng.integers(-300, 400, (40, 30)).astype(np.int16))
    written = apply(find_one(source.parent), tmp_path / "out")
    for kind, (centre, width) in {"denoised": (40, 400), "residual": (0, 200)}.items():
        picture = shown(only_file(tmp_path / "out" / kind), centre, width)
        grey = ((written[kind][0] - (centre - 0.5)) / (width - 1) + 0.5) * 255  # PS3.3 C.11.2.1.2.1
        assert np.abs(picture - np.clip(grey, 0, 255)).max() <= 1


@needs_dcmj2pnm
@pytest.mark.usefixtures("in_process")
def test_dcmtk_shows_each_frame_of_an_enhanced_file(tmp_path):
    source = enhanced(tmp_path / "in", "MR")
    written = apply(find_one(source.parent), tmp_path / "out")
    path = only_file(tmp_path / "out" / "denoised")
    # DCMTK does not apply the rescaling of functional groups: the picture is that of the stored integers.
    for number in range(3):
        stored = written["denoised"][number] / (number + 1)
        picture = shown(path, 1000, 2000, "+F", str(number + 1))
        grey = np.clip(((stored - 999.5) / 1999 + 0.5) * 255, 0, 255)
        assert np.abs(picture - grey).max() <= 1


@pytest.mark.slow
@needs_dciodvfy
@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample CT is not there (fplbench fetch sample)")
def test_the_sample_ct(tmp_path):
    sources = sorted(path for path in SAMPLE.rglob("*.dcm"))
    few = tmp_path / "in"
    few.mkdir()
    for path in sources[::20]:
        shutil.copy(path, few)
    hashes = {path: file_hash(path) for path in few.iterdir()}
    found = find(few)
    apply(found.scans[0], tmp_path / "out")
    assert {path: file_hash(path) for path in few.iterdir()} == hashes
    for source in hashes:
        (denoised,) = (tmp_path / "out" / "denoised").rglob(source.name)
        (residual,) = (tmp_path / "out" / "residual").rglob(source.name)
        assert messages(denoised) - messages(source) == Counter()
        assert set(messages(residual) - messages(source)) <= {RESIDUAL_TERM}


@pytest.mark.slow
def test_a_file_that_changes_between_header_and_pixels_stops_in_one_sentence(tmp_path):
    """In processes of their own: a decoder that crashes or fails does not reach the main process, and the next slice is read."""
    from fplbench.errors import InputError

    for z in range(3):
        write_ct(tmp_path / f"{z}.dcm", z=z)
    scan = find_one(tmp_path)
    damaged = tmp_path / "1.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-600])
    planes = scan.planes([0, 1])
    assert next(planes).values.shape == (24, 24)
    with pytest.raises(InputError, match=r"^1\.dcm cannot be read: it is damaged\.$"):
        next(planes)
    assert next(scan.planes([2])).number == 2


def enhanced(folder: Path, modality: str) -> Path:
    stored = np.random.default_rng(0).integers(0, 2000, (3, 32, 20)).astype(np.uint16)
    return write_multiframe(
        folder / "x.dcm",
        stored,
        [(0, 0, z) for z in range(3)],
        modality=modality,
        rescale=[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)],
        frame_types=[["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]] * 3,
        groups=[{"FrameVOILUTSequence": {"WindowCenter": 40, "WindowWidth": 400}}] * 3,
        FrameOfReferenceUID="1.2.9",
    )


def shown(path: Path, centre: float, width: float, *options: str) -> np.ndarray:
    """The picture that dcmj2pnm makes of a file with a window, 8 bit (H, W)."""
    from PIL import Image

    picture = path.with_suffix(".pgm")
    window = ["+Ww", str(centre), str(width)]
    subprocess.run(["dcmj2pnm", "+op", *window, *options, str(path), str(picture)], check=True, capture_output=True)
    grey = np.asarray(Image.open(picture)).astype(float)
    picture.unlink()
    return grey
