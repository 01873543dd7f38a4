"""What is written for headers that are damaged or unusual."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.helpers.dicom_files import write_ct
from tests.helpers.dicom_scans import apply, find_one, in_process, only_file
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]


def derived(source: Path, folder: Path) -> pydicom.Dataset:
    apply(find_one(source.parent), folder)
    return pydicom.dcmread(only_file(folder / "denoised"))


@pytest.mark.parametrize("number", ["abcd", "nan ", "1e99", "1\\2 "])
def test_a_number_of_the_series_that_is_none_counts_as_zero(tmp_path, number):
    source = write_ct(tmp_path / "in" / "x.dcm", SeriesNumber=1234)
    source.write_bytes(source.read_bytes().replace(b"IS\x04\x001234", b"IS\x04\x00" + number.encode(), 1))
    assert derived(source, tmp_path / "out").SeriesNumber == 1000


def test_a_number_beyond_the_range_of_an_integer_string_starts_anew(tmp_path):
    source = write_ct(tmp_path / "in" / "x.dcm", SeriesNumber=2**31 - 5)
    assert derived(source, tmp_path / "out").SeriesNumber == 1000


def test_a_name_of_the_series_with_a_backslash_becomes_one_value(tmp_path):
    source = write_ct(tmp_path / "in" / "x.dcm", SeriesDescription="A\\B")
    assert derived(source, tmp_path / "out").SeriesDescription == "A/B denoised, FPL, Gaussian"


def frames(folder: Path, **elements) -> Path:
    return write_multiframe(folder / "x.dcm", np.zeros((2, 8, 8), np.int16), [(0, 0, 0), (0, 0, 1)], **elements)


def test_a_part_of_a_concatenation_becomes_an_object_of_its_own(tmp_path):
    """The output has UIDs of its own, so it is no part of the original's concatenation (PS3.3 C.7.6.16.2.2.4)."""
    parts = {
        "ConcatenationUID": "1.2.77",
        "SOPInstanceUIDOfConcatenationSource": "1.2.78",
        "InConcatenationNumber": 1,
        "InConcatenationTotalNumber": 2,
        "ConcatenationFrameOffsetNumber": 0,
    }
    after = derived(frames(tmp_path / "in", **parts), tmp_path / "out")
    assert [keyword for keyword in parts if keyword in after] == []


def test_each_series_that_is_referred_to_has_one_item(tmp_path):
    """PS3.3 C.12.2: one item for each series. The original refers to another image of its own series."""
    from pydicom import Dataset

    other, series = Dataset(), Dataset()
    other.ReferencedSOPClassUID, other.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.99"
    series.SeriesInstanceUID, series.ReferencedInstanceSequence = "1.2.3", [other]
    source = frames(tmp_path / "in", ReferencedSeriesSequence=[series])
    before, after = pydicom.dcmread(source), derived(source, tmp_path / "out")
    (item,) = after.ReferencedSeriesSequence
    assert item.SeriesInstanceUID == before.SeriesInstanceUID
    assert [one.ReferencedSOPInstanceUID for one in item.ReferencedInstanceSequence] == ["1.2.99", before.SOPInstanceUID]


@pytest.mark.parametrize(
    ("elements", "value"), [({"RescaleIntercept": None}, 14), ({"RescaleSlope": None}, 17), ({"RescaleSlope": ""}, 17)]
)
def test_half_a_rescaling_of_mr_is_completed(tmp_path, elements, value):
    """As data sets do it: a missing slope is 1, a missing intercept 0. Stored is 7, the slope 2, the intercept 10."""
    stored = np.full((8, 8), 7, np.uint16)
    given = {"RescaleSlope": 2, "RescaleIntercept": 10} | elements
    write_ct(tmp_path / "in" / "x.dcm", modality="MR", stored=stored, signed=False, **given)
    scan = find_one(tmp_path / "in")
    (plane,) = scan.planes([0])
    assert (plane.values == value).all()
    written = apply(scan, tmp_path / "out", model=lambda values: values + 4)
    assert (written["denoised"][0] == value + 4).all() and (written["residual"][0] == 4).all()


def test_axes_that_span_no_plane_are_not_known(tmp_path):
    """Two slices with the same direction for rows and columns: they are in the order of their numbers."""
    for number in (1, 2):
        write_ct(tmp_path / f"{number}.dcm", z=-number, number=number, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
    scan = find_one(tmp_path)
    assert [path.name for path in scan.files] == ["1.dcm", "2.dcm"]
    assert scan.images[0][1].axes is None
    assert scan.facts.notes == ("Positions of slices are not known, so they are in the order of their numbers.",)
