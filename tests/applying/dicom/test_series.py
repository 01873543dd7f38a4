"""Which DICOM files make up a scan, in which order, and what is left out."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets.formats.dicom import digest
from tests.helpers.compression import LOSSLESS, compress
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.dicom_scans import STAMP, apply, find, find_one, in_process, only_file
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]


def write_series(folder, positions, **elements):
    """Slices that hold their position as HU."""
    for number, z in enumerate(positions):
        image = np.full((8, 8), round(z), np.int16)
        write_ct(folder / f"{number}.dcm", z=z, number=number + 1, hounsfield=image, **elements)


def centres(scan):
    return [float(plane.values[0, 0]) for plane in scan.planes(range(scan.facts.slices))]


def test_slices_are_ordered_by_position_not_by_name(tmp_path):
    write_series(tmp_path / "s", [10, -20, 0, -10])
    scan = find_one(tmp_path)
    assert centres(scan) == [-20, -10, 0, 10]
    assert (scan.facts.name, scan.facts.label, scan.facts.modality, scan.facts.notes) == ("s", "s", "CT", ())
    assert (scan.facts.spacing, scan.facts.slices, scan.facts.hounsfield) == ((0.7, 0.6), 4, True)


def test_planes_of_any_orientation_are_ordered_along_their_normal(tmp_path):
    for number, x in enumerate([3, 1, 2]):
        image = np.full((8, 8), x, np.int16)
        place, axes = [x, 0, 0], [0, 1, 0, 0, 0, -1]  # sagittal
        write_ct(
            tmp_path / f"{number}.dcm", number=number, hounsfield=image, ImagePositionPatient=place, ImageOrientationPatient=axes
        )
    assert centres(find_one(tmp_path)) == [1, 2, 3]


def test_slices_of_different_orientations_are_in_the_order_of_their_numbers(tmp_path):
    for number, axes in enumerate([[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]]):
        write_ct(tmp_path / f"{9 - number}.dcm", z=number, number=number, ImageOrientationPatient=axes)
    scan = find_one(tmp_path)
    assert [path.name for path in scan.files] == ["9.dcm", "8.dcm", "7.dcm"]
    assert scan.facts.notes == ("Its slices have different orientations, so they are in the order of their numbers.",)


def test_missing_and_repeated_positions_are_noted_and_nothing_is_dropped(tmp_path):
    write_series(tmp_path, [0, 2, 4, 4, 10, 12])
    notes = find_one(tmp_path).facts.notes
    assert "2 slices seem to be missing: neighbours are up to 6 mm apart, and usually 2 mm." in notes
    assert any(note.startswith("Positions are repeated once") for note in notes)


@pytest.mark.parametrize(("damaged", "gap"), [(1, True), (0, False), (3, False)])
def test_a_damaged_slice_that_is_left_out_is_noted(tmp_path, damaged, gap):
    """Of two distances that are left, the shorter one is the usual one. Positions cannot tell of a slice at an end."""
    write_series(tmp_path, [0, 2, 4, 6])
    path = tmp_path / f"{damaged}.dcm"
    path.write_bytes(path.read_bytes()[:-40])
    found = find(tmp_path)
    (scan,) = found.scans
    assert list(found.problems) == [path.name] and scan.facts.slices == 3
    missing = "A slice seems to be missing: neighbours are up to 4 mm apart, and usually 2 mm."
    assert scan.facts.notes == (*([missing] if gap else []), "A file beside its own cannot be read, so slices may be missing.")


def test_several_series_in_a_folder_are_scans_of_their_own(tmp_path):
    write_series(tmp_path / "a", [0, 1], series="1.2.1", SeriesNumber=3)
    write_series(tmp_path / "a" / "more", [0, 1], series="1.2.9", SeriesNumber=3)
    for number in (4, 5):
        write_ct(tmp_path / "a" / f"other{number}.dcm", series=f"1.2.{number}", SeriesNumber=4)
    found = find(tmp_path)
    hashes = sorted("a/series-" + digest(f"1.2.{number} 24 24 ") for number in (4, 5))
    assert [scan.facts.name for scan in found.scans] == sorted(["a/series-3", "a/more", *hashes])
    notes = {scan.facts.name: scan.facts.notes for scan in found.scans}
    assert notes["a/series-3"] == ("Its folder holds 3 scans, so it is written to a folder of its own, series-3.",)
    assert notes["a/more"] == ()


def test_images_of_another_size_in_a_series_are_a_scan_of_their_own(tmp_path):
    write_series(tmp_path, [0, 1, 2])
    write_ct(tmp_path / "wide.dcm", z=3, hounsfield=np.zeros((8, 16), np.int16))
    scans = find(tmp_path).scans
    assert sorted((scan.facts.slices, scan.facts.columns) for scan in scans) == [(1, 16), (3, 8)]
    for scan in scans:
        size = f"8x{scan.facts.columns}"
        sentence = f"Its series has images of several sizes; those of {size} pixels are a scan of their own."
        assert sentence in scan.facts.notes


def test_a_copy_is_left_out(tmp_path):
    write_ct(tmp_path / "a.dcm", sop="1.2.3.4")
    write_ct(tmp_path / "b.dcm", sop="1.2.3.4")
    found = find(tmp_path)
    assert (len(found.scans), found.skipped) == (1, {"b.dcm": "a copy of a.dcm"})


def test_a_copy_in_another_compression_is_left_out(tmp_path):
    stored = np.random.default_rng(0).integers(0, 2000, (16, 16)).astype(np.uint16)
    path = write_ct(tmp_path / "a.dcm", stored=stored, signed=False)
    compress(path, tmp_path / "b.dcm", LOSSLESS["RLE"])
    assert find(tmp_path).skipped == {"b.dcm": "a copy of a.dcm"}


SHARED = "Different images have the same SOPInstanceUID: all are kept, and what is made of them gets UIDs of its own."


def test_slices_that_share_a_uid_are_kept_and_written_with_uids_of_their_own(tmp_path):
    """As after careless anonymisation. Slices of air have the same pixels, and other positions."""
    write_series(tmp_path / "in", [0, 1, 2], sop="1.2.3.4")
    write_ct(tmp_path / "in" / "air.dcm", z=3, hounsfield=np.full((8, 8), 2, np.int16), sop="1.2.3.4")
    write_ct(tmp_path / "in" / "copy.dcm", z=3, hounsfield=np.full((8, 8), 2, np.int16), sop="1.2.3.4")
    found = find(tmp_path / "in")
    (scan,) = found.scans
    assert (centres(scan), found.skipped, scan.facts.notes) == ([0, 1, 2, 2], {"copy.dcm": "a copy of air.dcm"}, (SHARED,))
    apply(scan, tmp_path / "out")
    files = [pydicom.dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    assert (len(files), len({file.SOPInstanceUID for file in files})) == (8, 8)
    assert {file.SourceImageSequence[0].ReferencedSOPInstanceUID for file in files} == {"1.2.3.4"}


def test_images_without_a_position_that_share_a_uid_differ_by_their_pixels(tmp_path):
    for name, value in (("a", 1), ("b", 2), ("c", 1)):
        image = np.full((8, 8), value, np.int16)
        write_ct(tmp_path / f"{name}.dcm", hounsfield=image, sop="1.2.3.4", ImagePositionPatient=None)
    found = find(tmp_path)
    assert found.skipped == {"c.dcm": "a copy of a.dcm"}
    assert centres(found.scans[0]) == [1, 2]


def test_images_of_several_series_that_share_a_uid_are_written_with_uids_of_their_own(tmp_path):
    for series in ("1.2.7", "1.2.8"):
        write_ct(tmp_path / "in" / series / "a.dcm", series=series, sop="1.2.3.4")
    for scan in find(tmp_path / "in").scans:
        apply(scan, tmp_path / "out")
    files = [pydicom.dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    assert len({file.SOPInstanceUID for file in files}) == 4


NO_SERIES = "Its files have no SeriesInstanceUID: those of one folder, study and number are taken for a series."


def test_files_without_a_series_belong_together_by_folder_study_and_number(tmp_path):
    for folder, study, number in (("a", "1.2.5", 1), ("a", "1.2.6", 1), ("a", "1.2.6", 2), ("b", "1.2.5", 1)):
        for z in (0, 1):
            path = tmp_path / "in" / folder / f"{study}-{number}-{z}.dcm"
            sop = f"1.2.{folder == 'a':d}.{study}.{number}.{z + 1}"
            write_ct(path, z=z, sop=sop, SeriesInstanceUID=None, StudyInstanceUID=study, SeriesNumber=number)
    found = find(tmp_path / "in")
    assert [scan.facts.slices for scan in found.scans] == [2, 2, 2, 2]
    assert all(NO_SERIES in scan.facts.notes for scan in found.scans)
    series = set()
    for scan in found.scans:
        apply(scan, tmp_path / "out")
        for kind in ("denoised", "residual"):
            paths = (tmp_path / "out" / kind / scan.facts.name).glob("*.dcm")
            (uid,) = {pydicom.dcmread(path).SeriesInstanceUID for path in paths}
            assert uid.is_valid
            series.add(uid)
    assert len(series) == 8


def test_an_enhanced_file_without_a_series_refers_to_what_stands_for_it(tmp_path):
    write_multiframe(tmp_path / "in" / "x.dcm", np.zeros((2, 8, 8), np.int16), [(0, 0, 0), (0, 0, 1)], SeriesInstanceUID="")
    apply(find_one(tmp_path / "in"), tmp_path / "out")
    file = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    uid = file.SourceImageEvidenceSequence[0].ReferencedSeriesSequence[0].SeriesInstanceUID
    assert uid.is_valid and file.SeriesInstanceUID.is_valid and uid != file.SeriesInstanceUID


LEFT_OUT = {
    "a localiser image": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    "a colour image": {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
    "a segmentation": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"},
    "SR without an image": {"Modality": "SR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "PixelData": None},
    "PR without an image": {"Modality": "PR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1", "PixelData": None},
    "a secondary capture of a CT, without HU": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "RescaleSlope": None},
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_what_is_no_scan_is_skipped_with_its_reason(tmp_path, reason):
    write_ct(tmp_path / "x.dcm", **LEFT_OUT[reason])
    (tmp_path / "notes.txt").write_text("x")
    found = find(tmp_path)
    assert (found.scans, found.problems) == ([], {})
    assert found.skipped == {"x.dcm": reason, "notes.txt": "not a DICOM file"}


DAMAGED = {
    "it has no SOPClassUID": {"SOPClassUID": None},
    "its rescale slope or intercept is missing or not a number": {"RescaleSlope": None},
    "its rescale slope is zero": {"RescaleSlope": 0},
    "it claims to store 17 of 16 bits per pixel": {"BitsStored": 17},
    "it is truncated: its pixels need 1152000 bytes, and it has 1152": {"Rows": 24000},
    "it is truncated: it ends before its pixels": {"PixelData": None},
}


@pytest.mark.parametrize("reason", DAMAGED)
def test_a_damaged_file_is_a_problem_with_its_reason(tmp_path, reason):
    write_ct(tmp_path / "x.dcm", **DAMAGED[reason])
    found = find(tmp_path)
    assert (found.scans, found.problems) == ([], {"x.dcm": reason})


def test_no_phrase_names_the_patient(tmp_path):
    write_ct(tmp_path / "x.dcm", PatientName="Doe^Jane", Modality="DOE JANE")
    data = (tmp_path / "x.dcm").read_bytes()
    for cut in range(140, len(data), 23):
        (tmp_path / "x.dcm").write_bytes(data[:cut])
        found = find(tmp_path)
        assert "DOE" not in str((found.skipped, found.problems)).upper()
        assert found.scans == []


def test_compressed_pixels_that_end_early_are_a_problem(tmp_path):
    path = write_radiograph(tmp_path / "x.dcm", np.zeros((64, 64), np.uint8), SeriesInstanceUID="1.2")
    path.write_bytes(path.read_bytes()[:-60])
    assert find(tmp_path).problems == {"x.dcm": "it is truncated: it ends within its pixels"}


def test_the_frames_of_an_enhanced_file_are_slices_with_their_own_rescaling(tmp_path):
    stored = np.arange(3, dtype=np.uint16)[:, None, None] * np.ones((1, 8, 8), np.uint16) + 10
    places = [(0, 0, 5), (0, 0, 0), (0, 0, 2.5)]
    write_multiframe(tmp_path / "mr.dcm", stored, places, modality="MR", rescale=[(1.0, 0.0), (2.0, 1.0), (0.5, 0.0)])
    scan = find_one(tmp_path)
    assert (scan.facts.slices, scan.facts.modality, scan.facts.spacing, scan.facts.hounsfield) == (3, "MR", (0.7, 0.6), False)
    assert centres(scan) == [2 * 11 + 1, 0.5 * 12, 10]  # the frames 1, 2, 0 by position


def test_each_multi_frame_file_of_a_series_is_a_scan(tmp_path):
    for name in "ab":
        write_multiframe(tmp_path / f"{name}.dcm", np.zeros((2, 8, 8), np.int16), [(0, 0, 0), (0, 0, 1)])
    assert [(scan.facts.slices, scan.facts.label) for scan in find(tmp_path).scans] in (
        [(2, "a.dcm"), (2, "b.dcm")],
        [(2, "b.dcm"), (2, "a.dcm")],
    )


def test_padding_that_is_a_value_of_tissue_is_ignored(tmp_path):
    write_ct(tmp_path / "x.dcm", PixelPaddingValue=1024)  # 0 HU
    scan = find_one(tmp_path)
    assert next(scan.planes([0])).valid is None
    assert scan.facts.notes == ("Its padding value is one of tissue, so it is ignored.",)


def test_values_are_computed_once_and_cannot_be_changed(tmp_path, monkeypatch):
    """The writers need what the slices hold as long as these are in use. Nobody else keeps it in memory."""
    import weakref

    from fplbench.applying.dicom.coding import PixelCoding

    computed = []
    values = PixelCoding.values
    monkeypatch.setattr(PixelCoding, "values", lambda coding, stored: computed.append(stored) or values(coding, stored))
    write_series(tmp_path / "in", [0, 1])
    scan = find_one(tmp_path)
    writer = scan.writer("denoised", tmp_path / "out", STAMP)
    (plane,) = scan.planes([1])
    with pytest.raises(ValueError, match="read-only"):
        plane.values[0, 0] = 5
    written = writer.write(1, plane.values)
    assert len(computed) == 2  # what was read and what was written
    assert np.array_equal(written, plane.values)
    gone = weakref.ref(plane.values)
    del plane
    assert gone() is None
