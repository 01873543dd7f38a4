"""CT series in DICOM, with the peculiarities of LIDC-IDRI."""

import numpy as np
import pytest

from fplbench.datasets.loaders.lidc import FIELDS, LidcOptions, arrange, left_out, read_header, read_images
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.lesions.lidc_annotations import DATABASE
from tests.helpers.compression import JPEG_LOSSLESS, compress
from tests.helpers.dicom_files import write_ct


def headers_of(paths, root):
    return {path.relative_to(root).as_posix(): read_header(path, LidcOptions(root=root)) for path in paths}


def hounsfield_of(path):
    (plane,) = read_images(path, [None], LidcOptions())
    return plane.values


@pytest.mark.parametrize("direction", [1, -1])
def test_slices_run_from_the_feet_up_whatever_their_numbers(tmp_path, direction):
    paths = [write_ct(tmp_path / f"{z}.dcm", z=z, number=10 + direction * z) for z in (5, -5, 0)]
    slices, repeats = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [one.source for one in slices] == ["-5.dcm", "0.dcm", "5.dcm"]
    assert [one.number for one in slices] == [0, 1, 2] and not repeats
    assert [one.position for one in slices] == [-5, 0, 5]


def test_a_tilted_gantry_is_ordered_along_its_normal(tmp_path):
    tilt = np.deg2rad(20)
    axes = [1, 0, 0, 0, np.cos(tilt), np.sin(tilt)]
    normal = np.array([0, -np.sin(tilt), np.cos(tilt)])
    places = {name: (3 * index * normal).tolist() for index, name in enumerate("cab")}
    paths = [
        write_ct(
            tmp_path / f"{name}.dcm",
            number=1,
            sop=f"1.{index}",
            ImageOrientationPatient=axes,
            ImagePositionPatient=place,
        )
        for index, (name, place) in enumerate(places.items())
    ]
    slices, _ = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [one.source for one in slices] == ["c.dcm", "a.dcm", "b.dcm"]
    assert [one.position for one in slices] == pytest.approx([0, 3, 6], abs=1e-3)


def test_a_plane_seen_from_below_still_counts_upwards(tmp_path):
    axes = [1, 0, 0, 0, -1, 0]  # normal towards the feet
    paths = [write_ct(tmp_path / f"{z}.dcm", z=z, ImageOrientationPatient=axes) for z in (4, 2)]
    slices, _ = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [one.position for one in slices] == [2, 4]


def test_a_second_image_at_a_position_is_left_out(tmp_path):
    paths = [write_ct(tmp_path / f"{number}.dcm", z=7.5, number=number) for number in (2, 1)]
    slices, repeats = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [one.source for one in slices] == ["1.dcm"]
    assert repeats == {"2.dcm": "a second image at the same position in its series"}


def test_a_copy_of_a_file_is_left_out(tmp_path):
    paths = [write_ct(tmp_path / folder / "1.dcm", sop="1.9.9") for folder in ("b", "a")]
    slices, repeats = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [one.source for one in slices] == ["a/1.dcm"] and list(repeats) == ["b/1.dcm"]


def test_two_scans_of_a_patient_stay_two_series(tmp_path):
    paths = [write_ct(tmp_path / f"{series}-{z}.dcm", series=series, z=z) for series in ("1.2", "1.3") for z in (0, 1)]
    slices, _ = arrange(headers_of(paths, tmp_path), LidcOptions())
    assert [(one.patient, one.series, one.number) for one in slices] == [
        ("P1", "1.2", 0), ("P1", "1.2", 1), ("P1", "1.3", 0), ("P1", "1.3", 1),
    ]  # fmt: skip
    assert len({one.image_id for one in slices}) == 4


def test_a_missing_slice_leaves_the_others_as_they_are(tmp_path):
    paths = [write_ct(tmp_path / f"{z}.dcm", z=z) for z in (0, 2, 6)]
    names = {one.source: one.image_id for one in arrange(headers_of(paths, tmp_path), LidcOptions())[0]}
    fewer = arrange(headers_of(paths[1:], tmp_path), LidcOptions())[0]
    assert [names[one.source] for one in fewer] == [one.image_id for one in fewer]


@pytest.mark.parametrize("modality", ["DX", "CR", "SEG", "SR"])
def test_other_modalities_are_left_out_by_name(tmp_path, modality):
    path = write_ct(tmp_path / "a.dcm", modality=modality)
    with pytest.raises(NotAnImage, match=modality):
        read_header(path, LidcOptions())


@pytest.mark.parametrize("frames", [1, 3])
def test_a_segmentation_of_one_bit_a_pixel_is_left_out(tmp_path, frames):
    """As such objects are: 24x24 pixels of one bit, eight to a byte."""
    bits = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "PixelRepresentation": 0, "NumberOfFrames": frames}
    path = write_ct(tmp_path / "a.dcm", modality="SEG", PixelData=bytes(24 * 24 * frames // 8), **bits)
    with pytest.raises(NotAnImage, match="modality SEG"):
        read_header(path, LidcOptions())


def test_a_report_without_pixels_is_left_out(tmp_path):
    path = write_ct(tmp_path / "a.dcm", modality="SR", Rows=None, Columns=None, PixelData=None)
    with pytest.raises(NotAnImage, match="modality SR"):
        read_header(path, LidcOptions())


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localiser"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "axial"),
        ({"NumberOfFrames": 3}, "frames"),
    ],
)
def test_images_that_are_not_axial_slices_are_left_out(tmp_path, element, reason):
    with pytest.raises(NotAnImage, match=reason):
        read_header(write_ct(tmp_path / "a.dcm", **element), LidcOptions())


def test_without_a_position_slices_are_ordered_by_location_or_number(tmp_path):
    located = write_ct(tmp_path / "a.dcm", ImagePositionPatient=None, SliceLocation=12.5)
    numbered = write_ct(tmp_path / "b.dcm", ImagePositionPatient=None, number=7)
    assert float(read_header(located, LidcOptions())["position"]) == 12.5
    assert float(read_header(numbered, LidcOptions())["position"]) == 7


def test_names_of_files_and_folders_do_not_matter(tmp_path):
    tcia = write_ct(tmp_path / "LIDC-IDRI/LIDC-IDRI-0001/1.2/1.3/000001.dcm", z=0)
    idc = write_ct(tmp_path / "lidc_idri/LIDC-IDRI-0001/1.2/CT_1.3/8f3f7a0e.dcm", z=1)
    bare = write_ct(tmp_path / "IM0001", z=2)
    slices, _ = arrange(headers_of([idc, bare, tcia], tmp_path), LidcOptions())
    assert [one.position for one in slices] == [0, 1, 2]
    assert not any(left_out(path.name, tmp_path) for path in (tcia, idc, bare))
    assert left_out("LIDC/069.XML", tmp_path) == ".xml, not an image"


def test_the_size_of_an_image_is_in_its_header_and_numbers_are_shared(tmp_path):
    header = read_header(write_ct(tmp_path / "a.dcm", hounsfield=np.zeros((600, 700), np.int16)), LidcOptions())
    assert (header["rows"], header["columns"]) == (600, 700)
    assert FIELDS["rows"]("600") is FIELDS["rows"]("600") and header.keys() == FIELDS.keys()


def test_annotation_files_are_left_out_of_the_images_by_name(tmp_path):
    assert left_out(f"LIDC/{DATABASE}", tmp_path) == ".sqlite, not an image"


def test_identifiers_are_meaningful_and_fit_file_names(tmp_path):
    path = write_ct(tmp_path / "a.dcm", patient="a/b 1", z=-12.5)
    ((one,), _) = arrange(headers_of([path], tmp_path), LidcOptions())
    assert one.image_id.startswith("a_b_1_z-12.5_") and one.patient == "a/b 1"
    assert one.spacing == (0.7, 0.6)


def test_jpeg_lossless_gives_the_exact_values(tmp_path):
    pytest.importorskip("gdcm", reason="python-gdcm writes and decodes the file")
    expected = np.random.default_rng(0).integers(-1024, 3000, (24, 24))
    plain = write_ct(tmp_path / "plain.dcm", hounsfield=expected, signed=False)
    packed = compress(plain, tmp_path / "packed.dcm", JPEG_LOSSLESS)
    assert read_header(packed, LidcOptions()) and np.array_equal(hounsfield_of(packed), expected)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-200], "truncated"),
        (lambda content: b"x" * len(content), "not a DICOM file"),
        (lambda content: b"", "not a DICOM file"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(tmp_path, damage, reason):
    path = write_ct(tmp_path / "a.dcm", hounsfield=np.zeros((64, 64), np.int16))
    path.write_bytes(damage(path.read_bytes()))
    if reason == "truncated":
        path.write_bytes(path.read_bytes()[: 64 * 64])
    with pytest.raises(Unreadable, match=reason):
        read_header(path, LidcOptions())


def test_an_implausible_size_is_refused_before_memory_is_allocated(tmp_path):
    path = write_ct(tmp_path / "a.dcm", Rows=65535, Columns=65535)
    with pytest.raises(Unreadable, match="65535x65535"):
        read_header(path, LidcOptions())
