"""Feature maps of DICOM scans as parametric maps."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fplbench.applying.dicom.parametric_map import grouped
from fplbench.applying.dicom.parametric_map_file import MapFile, SourceFrame, write_map_file
from fplbench.applying.dicom.scan import find_dicom_scans
from fplbench.applying.scan import ReadingOptions, Stamp
from fplbench.errors import InputError
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.multiframe_files import write_multiframe

STAMP = Stamp("FPL, Gaussian", "ab" * 32, "Denoised.")
AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
needs_highdicom = pytest.mark.skipif(importlib.util.find_spec("highdicom") is None, reason="needs the package highdicom")


def scan_in(folder: Path):
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.dcm"))]
    (scan,) = find_dicom_scans(folder, files, ReadingOptions()).scans
    return scan


def maps_of(scan):
    facts = scan.facts
    return np.random.default_rng(0).normal(0, 1, (facts.slices, facts.rows, facts.columns)).astype(np.float32)


def written(scan, folder, maps):
    writer = scan.writer("features", folder, STAMP)
    for number in reversed(range(len(maps))):
        assert np.array_equal(writer.write(number, maps[number]), maps[number])
    return writer.finish()


def frames_of(path):
    """Each frame of a map with the image that it refers to: UID, number of the frame, pixels and place."""
    import pydicom

    image = pydicom.dcmread(path)
    pixels = image.pixel_array.reshape(-1, image.Rows, image.Columns)
    assert pixels.dtype == np.float32
    for values, group in zip(pixels, image.PerFrameFunctionalGroupsSequence, strict=True):
        (source,) = group.DerivationImageSequence[0].SourceImageSequence
        place = tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))
        yield source.ReferencedSOPInstanceUID, source.get("ReferencedFrameNumber"), values, place


def errors(path):
    """What dciodvfy calls an error."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("needs dciodvfy: apt-get install dicom3tools")
    report = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True).stderr
    return [line for line in report.splitlines() if line.startswith("Error")]


def series(folder, places=(5.0, 0.0, 2.5), **elements):
    for number, z in enumerate(places, start=1):
        write_ct(folder / f"{number}.dcm", z=z, number=number, StudyInstanceUID="1.2.9", FrameOfReferenceUID="1.2.8", **elements)
    return folder


@needs_highdicom
@pytest.mark.slow
def test_each_frame_is_the_map_of_the_image_that_it_refers_to(tmp_path):
    import pydicom

    scan = scan_in(series(tmp_path / "in", PatientName="A^B", BodyPartExamined="CHEST"))
    maps = maps_of(scan)
    (path,) = written(scan, tmp_path / "out", maps)
    sources = {pydicom.dcmread(file).SOPInstanceUID: number for number, file in enumerate(scan.files)}
    found = list(frames_of(path))
    assert len(found) == 3
    for uid, _, values, place in found:
        number = sources[uid]
        assert np.array_equal(values, maps[number])
        assert place == (-10.0, -10.0, 2.5 * number)
    image = pydicom.dcmread(path)
    (mapping,) = image.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    (unit,) = mapping.MeasurementUnitsCodeSequence
    assert (unit.CodingSchemeDesignator, unit.CodeValue) == ("UCUM", "1")
    assert mapping.RealWorldValueSlope == 1 and mapping.RealWorldValueIntercept == 0
    assert image.ContentLabel == "FEATURES" and image.PatientName == "A^B" and image.StudyInstanceUID == "1.2.9"
    assert "SliceThickness" not in image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert list(path.parent.iterdir()) == [path]
    assert errors(path) == []


@needs_highdicom
@pytest.mark.slow
def test_frames_of_a_multi_frame_file_are_referred_to_by_their_numbers(tmp_path):
    """Frames that lie in the file in no order, with an orientation of their own each."""
    places = [(0.0, 0.0, z) for z in (5.0, 0.0, 10.0, 2.5)]
    stored = np.zeros((4, 24, 24), np.int16)
    write_multiframe(tmp_path / "in" / "a.dcm", stored, places, orientations=[AXES] * 4)
    scan = scan_in(tmp_path / "in")
    maps = maps_of(scan)
    (path,) = written(scan, tmp_path / "out", maps)
    for _, frame, values, place in frames_of(path):
        assert place == places[frame - 1]
        assert np.array_equal(values, maps[sorted(places).index(place)])
    assert errors(path) == []


@needs_highdicom
@pytest.mark.slow
def test_a_series_that_shows_places_twice_has_two_files(tmp_path):
    scan = scan_in(series(tmp_path / "in", places=(0.0, 0.0, 2.5, 2.5, 5.0, 5.0)))
    maps = maps_of(scan)
    paths = written(scan, tmp_path / "out", maps)
    assert [len(list(frames_of(path))) for path in paths] == [3, 3]
    assert sorted(values.tobytes() for path in paths for *_, values, _ in frames_of(path)) == sorted(
        one.tobytes() for one in maps
    )


@needs_highdicom
@pytest.mark.slow
def test_images_that_share_a_uid_have_maps_with_uids_of_their_own(tmp_path, monkeypatch):
    import pydicom

    monkeypatch.setattr("fplbench.applying.dicom.parametric_map.FILE_BYTES", 2 * 4 * 24 * 24)
    scan = scan_in(series(tmp_path / "in", places=(0.0, 2.5, 5.0, 7.5), sop="1.2.3.4"))
    maps = maps_of(scan)
    paths = written(scan, tmp_path / "out", maps)
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in paths}) == len(paths) == 2
    for *_, values, place in (frame for path in paths for frame in frames_of(path)):
        assert np.array_equal(values, maps[round(place[2] / 2.5)])


@needs_highdicom
@pytest.mark.slow
def test_images_without_a_series_have_a_map(tmp_path):
    scan = scan_in(series(tmp_path / "in", SeriesInstanceUID=None))
    (path,) = written(scan, tmp_path / "out", maps_of(scan))
    assert len(list(frames_of(path))) == 3
    assert errors(path) == []


@needs_highdicom
@pytest.mark.slow
def test_the_same_scan_and_model_give_the_same_file(tmp_path):
    scan = scan_in(series(tmp_path / "in"))
    maps = maps_of(scan)
    (first,), (second,) = (written(scan, tmp_path / name, maps) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


@needs_highdicom
@pytest.mark.slow
def test_an_interrupted_run_is_continued(tmp_path):
    scan = scan_in(series(tmp_path / "in"))
    maps = maps_of(scan)
    scan.writer("features", tmp_path / "out", STAMP).write(0, maps[0])
    writer = scan.writer("features", tmp_path / "out", STAMP)
    with pytest.raises(InputError, match="slice 2 has not been written"):
        writer.finish()
    for number in (1, 2):
        writer.write(number, maps[number])
    (path,) = writer.finish()
    assert {values.tobytes() for *_, values, _ in frames_of(path)} == {one.tobytes() for one in maps}
    assert scan.writer("features", tmp_path / "out", STAMP).finish() == [path]  # killed before it could be recorded


@needs_highdicom
@pytest.mark.slow
def test_an_image_without_a_place_in_the_patient_is_refused(tmp_path):
    write_radiograph(tmp_path / "in" / "a.dcm", np.full((16, 16), 9, np.uint8), SeriesInstanceUID="1.2.3")
    with pytest.raises(InputError, match="no place in the patient"):
        scan_in(tmp_path / "in").writer("features", tmp_path / "out", STAMP)


@needs_highdicom
def test_numbers_of_series_follow_those_of_the_other_outputs(tmp_path):
    """Denoised images have 1000 more than the original, residuals 2000, and maps 3000."""
    import pydicom

    write_ct(tmp_path / "a.dcm", SeriesNumber=7)
    np.save(tmp_path / "0.npy", np.ones((24, 24), np.float32))
    source = SourceFrame(tmp_path / "a.dcm", 0, False, (-10, -10, 0), AXES, (0.7, 0.6))
    write_map_file(MapFile(tmp_path / "map.dcm", 1, (source,), (tmp_path / "0.npy",), STAMP, 1.0))
    assert pydicom.dcmread(tmp_path / "map.dcm").SeriesNumber == 3007


@pytest.mark.slow
def test_a_missing_package_is_named(tmp_path, monkeypatch):
    scan = scan_in(series(tmp_path / "in"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'fplbench\[parametric-map\]'"):
        scan.writer("features", tmp_path / "out", STAMP)


@needs_highdicom
def test_odd_headers_have_a_map(tmp_path):
    """Dates, times, a sex and a number of the series that are none, and no elements that every DICOM image should have."""
    odd = {
        "PatientSex": "male",
        "SeriesNumber": "1234",
        "StudyDate": "yesterday",
        "StudyTime": "noon",
        "PatientBirthDate": "19",
        "Laterality": "both",
    }
    from pydicom import config

    with config.disable_value_validation():
        path = write_ct(tmp_path / "a.dcm", PatientID=None, **odd)
    path.write_bytes(path.read_bytes().replace(b"IS\x04\x001234", b"IS\x04\0none", 1))
    np.save(tmp_path / "0.npy", np.ones((24, 24), np.float32))
    source = SourceFrame(tmp_path / "a.dcm", 0, False, (-10, -10, 0), AXES, (0.7, 0.6))
    write_map_file(MapFile(tmp_path / "map.dcm", 1, (source,), (tmp_path / "0.npy",), STAMP, 1.0))
    ((_, _, values, place),) = frames_of(tmp_path / "map.dcm")
    assert np.array_equal(values, np.ones((24, 24))) and place == (-10, -10, 0)
    assert errors(tmp_path / "map.dcm") == []


def test_a_file_holds_one_orientation_and_a_few_slices():
    def frame(z, axes=AXES):
        return SourceFrame(Path("a"), 0, False, (0.0, z, z), axes, (1.0, 1.0))

    assert grouped([frame(float(z)) for z in range(5)], 2) == [[0, 1], [2, 3], [4]]
    assert grouped([frame(0.0), frame(0.0, CORONAL), frame(1.0), frame(1.0, CORONAL)], 9) == [[0, 2], [1, 3]]
    assert grouped([frame(z) for z in (0.0, 0.0, 1.0, 1.0)], 9) == [[0, 2], [1, 3]]
