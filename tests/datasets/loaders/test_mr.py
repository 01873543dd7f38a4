"""MR of any source: planes of any orientation, windows from percentiles, and values without a unit."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.mr import MrOptions
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.scan import scan
from fplbench.stacks import read_index
from tests.helpers.dicom_files import FILES, write_ct
from tests.helpers.multiframe_files import write_multiframe
from tests.helpers.nifti_files import write_volume

MR = LOADERS["mr"]
read_header, read_images = MR.read_header, MR.read_images
AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]


def write_mr(path, *, place=(0, 0, 0), axes=AXIAL, slope=None, intercept=None, **elements):
    """Write an MR slice, without a rescale unless it is given."""
    position = {"ImagePositionPatient": list(place), "ImageOrientationPatient": axes}
    rescale = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    elements = {"StudyInstanceUID": "1.2", "stored": np.arange(576, dtype=np.int16).reshape(24, 24)} | elements
    return write_ct(path, modality="MR", **position, **rescale | elements)


def arranged(root):
    found = scan(MR, MrOptions(root=root), 1)
    slices, omitted = MR.arrange(found.headers, MrOptions(root=root))
    return slices, found.skipped | omitted


def plane_of(path):
    options = MrOptions(root=path.parent)
    (one,), _ = MR.arrange({path.name: read_header(path, options)}, options)
    (plane,) = read_images(path, [one], options)
    return plane


@pytest.mark.parametrize(("axes", "along"), [(AXIAL, 2), (CORONAL, 1), (SAGITTAL, 0)])
@pytest.mark.parametrize("direction", [1, -1])
def test_slices_of_any_orientation_are_ordered_along_their_normal(tmp_path, axes, along, direction):
    """Towards the head, the back or the left, which increase in DICOM."""
    for number in range(4):
        place = [11.0, -7.0, 5.0]
        place[along] = 100 - 3.5 * direction * number
        write_mr(tmp_path / f"{number}.dcm", place=place, axes=axes, number=number + 1)
    slices, skipped = arranged(tmp_path)
    expected = sorted((100 - 3.5 * direction * number, f"{number}.dcm") for number in range(4))
    assert [(one.position, one.source) for one in slices] == expected and not skipped
    assert [one.number for one in slices] == [0, 1, 2, 3]


def test_an_oblique_stack_is_ordered_along_its_own_normal(tmp_path):
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    normal = np.cross(turn[0], turn[1])
    normal *= np.sign(normal[np.abs(normal).argmax()])
    for number in (2, 0, 1):
        write_mr(tmp_path / f"{number}.dcm", place=(4.0 * number * normal).tolist(), axes=[*turn[0], *turn[1]], number=9 - number)
    slices, _ = arranged(tmp_path)
    assert [one.source for one in slices] == ["0.dcm", "1.dcm", "2.dcm"]
    assert [one.position for one in slices] == pytest.approx([0, 4, 8], abs=2e-3)


def test_orientations_and_echoes_in_one_series_are_separate_stacks(tmp_path):
    number = 0
    for axes, along in ((SAGITTAL, 0), (CORONAL, 1)):
        for echo in (10, 90):
            for step in range(2):
                place, number = [0.0, 0.0, 0.0], number + 1
                place[along] = 5.0 * step
                write_mr(tmp_path / f"{number}.dcm", place=place, axes=axes, number=number, EchoTime=echo)
    slices, skipped = arranged(tmp_path)
    names = ["1.2.3", "1.2.3 stack 2", "1.2.3 stack 3", "1.2.3 stack 4"]
    assert [one.series for one in slices] == [name for name in names for _ in range(2)] and not skipped
    assert [one.source for one in slices] == [f"{number}.dcm" for number in range(1, 9)]


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "a phase image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M"], "ComplexImageComponent": "PHASE"}, "a phase image"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"]}, "a map that was computed"),
        ({"ImageType": ["DERIVED", "SECONDARY", "T1 MAP"]}, "a map that was computed"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}, "a mosaic"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR", "CSA MPR"]}, "a reformatted or projected"),
        ({"SeriesDescription": "3-plane_LOCALIZER"}, "a localiser"),
        ({"SeriesDescription": "AAHead_Scout"}, "a localiser"),
        ({"SeriesDescription": "SURVEY"}, "a localiser"),
        ({"Modality": "CT"}, "modality CT"),
    ],
)
def test_what_is_no_slice_as_it_was_acquired_is_left_out_with_a_reason(tmp_path, elements, reason):
    with pytest.raises(NotAnImage, match=reason):
        read_header(write_mr(tmp_path / "a.dcm", **elements), MrOptions(root=tmp_path))


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"], "SeriesDescription": "t2_tse_sag"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"]},
        {"ImageType": ["DERIVED", "SECONDARY", "OTHER"], "SeriesDescription": "Knee scouting report"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "TRACEW"], "ComplexImageComponent": "MAGNITUDE"},
    ],
)
def test_ordinary_images_are_not(tmp_path, elements):
    assert read_header(write_mr(tmp_path / "a.dcm", **elements), MrOptions(root=tmp_path))["patient"] == "P1"


@pytest.mark.parametrize(("slope", "intercept"), [(None, None), (1.5, -20), (0.25, 3)])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_values_are_rescaled_and_monochrome1_is_inverted(tmp_path, slope, intercept, photometric):
    """Within the range of the bits: of 12 stored bits, 0 becomes 4095."""
    stored = np.arange(576, dtype=np.uint16).reshape(24, 24)
    kinds = {"PhotometricInterpretation": photometric, "BitsStored": 12, "HighBit": 11}
    path = write_mr(tmp_path / "a.dcm", slope=slope, intercept=intercept, stored=stored, signed=False, **kinds)
    plane, factor, offset = plane_of(path), slope or 1, intercept or 0
    shown = 4095.0 - stored if photometric == "MONOCHROME1" else stored
    assert np.allclose(plane.values, shown * factor + offset, rtol=1e-6) and plane.values.dtype == np.float32
    assert plane.range == (offset, 4095 * factor + offset) and plane.inverted == (photometric == "MONOCHROME1")


def test_each_frame_is_rescaled_by_its_own_slope(tmp_path):
    """As in files of some manufacturers, where every slice uses all of the bits."""
    stored = np.full((3, 16, 16), 1000, np.uint16)
    rescale = [(1.0, 0.0), (2.5, 10.0), (0.5, -5.0)]
    path = write_multiframe(tmp_path / "a.dcm", stored, [(0, 0, z) for z in range(3)], modality="MR", rescale=rescale)
    options = MrOptions(root=tmp_path)
    slices, _ = MR.arrange({"a.dcm": read_header(path, options)}, options)
    assert [float(plane.values.mean()) for plane in read_images(path, slices, options)] == [1000, 2510, 495]


def test_padding_has_the_lowest_value_of_the_other_pixels(tmp_path):
    stored = np.full((24, 24), 300, np.int16)
    stored[0], stored[1, 0] = -2000, 120
    path = write_mr(tmp_path / "a.dcm", stored=stored)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    dataset.save_as(path)
    values = plane_of(path).values
    assert (values[0] == 120).all() and values[1, 0] == 120 and (values[1, 1:] == 300).all()


@pytest.mark.parametrize("slope", [0, "nan"])
def test_an_impossible_slope_is_named(tmp_path, slope):
    path = write_mr(tmp_path / "a.dcm", slope="1.0", intercept=0)
    if slope == 0:
        path = write_mr(tmp_path / "a.dcm", slope=0, intercept=0)
    else:
        tag = b"\x28\x00\x53\x10DS\x04\x00"
        path.write_bytes(path.read_bytes().replace(tag + b"1.0 ", tag + b"nan "))
    with pytest.raises(Unreadable, match="slope"):
        plane_of(path)


@pytest.mark.parametrize(
    "name",
    ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_expb.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"],
)
def test_the_test_files_of_pydicom_have_their_values(name):
    """They are one image, in five transfer syntaxes; it is reported as derived, and has no rescale."""
    assert np.array_equal(plane_of(FILES / name).values, pydicom.dcmread(FILES / "MR_small.dcm").pixel_array)


@pytest.mark.parametrize(("axes", "across"), [("RAS", 0), ("LPS", 0), ("RAS", 1), ("PIL", 1), ("SAR", 2), ("LPI", 2)])
def test_a_volume_is_cut_across_its_largest_spacing(tmp_path, axes, across):
    """Rows run towards the feet, or in axial slices to the back; columns towards the left, or in sagittal ones to the back."""
    shape = (6, 5, 4)
    right, anterior, superior = np.indices(shape)
    volume = 100 * right + 10 * anterior + superior
    spacing = [0.8, 0.7, 0.9]
    spacing[across] = 4.0
    path = write_volume(tmp_path / "sub-01_T1w.nii.gz", volume, axes=axes, spacing=tuple(spacing))
    options = MrOptions(root=tmp_path)
    slices, _ = MR.arrange({path.name: read_header(path, options)}, options)
    images = {plane.slice.number: plane.values for plane in read_images(path, slices, options)}
    flipped = volume[::-1, ::-1, ::-1]  # to the left, the back and the feet
    if across == 2:
        expected = flipped[:, :, ::-1].transpose(2, 1, 0)
    else:
        expected = np.moveaxis(flipped, across, 0).transpose(0, 2, 1)
    assert np.array_equal(np.stack([images[number] for number in range(shape[across])]), expected)
    assert slices[0].patient == "sub-01" and np.diff([one.position for one in slices]) == pytest.approx(4.0)
    rows, columns = {0: (2, 1), 1: (2, 0), 2: (1, 0)}[across]
    assert slices[0].spacing == pytest.approx((spacing[rows], spacing[columns]))


def test_an_isotropic_volume_is_cut_into_axial_slices(tmp_path):
    path = write_volume(tmp_path / "a.nii", np.zeros((6, 5, 4)), axes="SAR", spacing=(1.0, 1.0, 1.0))
    options = MrOptions(root=tmp_path)
    slices, _ = MR.arrange({"a.nii": read_header(path, options)}, options)
    assert len(slices) == 4 and slices[0].patient == "a"


def test_a_volume_with_numbers_that_are_none_stays_finite(tmp_path):
    volume = np.full((6, 5, 4), 7.0)
    volume[0], volume[1], volume[2] = np.nan, np.inf, 3.0
    path = write_volume(tmp_path / "a.nii", volume, dtype=np.float32)
    options = MrOptions(root=tmp_path)
    slices, _ = MR.arrange({"a.nii": read_header(path, options)}, options)
    for plane in read_images(path, slices, options):
        assert plane.values.T[:, 0].tolist() == [7, 7, 7, 3, 7, 3] and plane.range == (3, 7)


def write_patients(root):
    """Three patients, whose values are a scanner's own: those of each are three times those of the one before."""
    for patient in range(3):
        for number in range(10):
            stored = ((3**patient) * np.linspace(0, 1000, 576)).reshape(24, 24).astype(np.uint16)
            write_mr(
                root / f"{patient}-{number}.dcm",
                place=(2.0 * number, 0, 0),
                axes=SAGITTAL,
                number=number,
                patient=f"P{patient}",
                series=f"1.{patient}",
                stored=stored,
                signed=False,
            )
    return root


def test_each_series_has_the_window_of_its_percentiles(tmp_path):
    """The 576 values of every slice of a series are the same, so percentiles of one slice are those of the series."""
    sampling = SamplingOptions(train=4, validation=2, test=2, size=24)
    options = MrOptions(root=write_patients(tmp_path / "in"), percentiles=(10, 90))
    sample_dataset("knees", options, sampling, 1, tmp_path / "out", loader="mr")
    for row in read_index(tmp_path / "out/train.npy", 4):
        stored = pydicom.dcmread(tmp_path / "in" / row["source"]).pixel_array
        expected = np.percentile(stored, (10, 90), method="inverted_cdf")
        assert [float(row["window_low"]), float(row["window_high"])] == expected.tolist()


def test_a_window_takes_the_place_of_percentiles(tmp_path):
    sampling = SamplingOptions(train=4, validation=2, test=2, size=24)
    options = MrOptions(root=write_patients(tmp_path / "in"), window=(0, 9000))
    sample_dataset("knees", options, sampling, 1, tmp_path / "out", loader="mr")
    assert {float(row["window_high"]) for row in read_index(tmp_path / "out/train.npy")} == {9000}


@pytest.mark.parametrize("empty", [("RescaleSlope",), ("RescaleIntercept",), ("RescaleSlope", "RescaleIntercept")])
def test_an_empty_slope_or_intercept_counts_as_missing(tmp_path, empty):
    stored = np.arange(576, dtype=np.int16).reshape(24, 24)
    assert np.array_equal(plane_of(write_mr(tmp_path / "a.dcm", stored=stored, **dict.fromkeys(empty, ""))).values, stored)


def test_a_dynamic_scan_keeps_its_repetitions(tmp_path):
    """Two slices at three times, which AcquisitionTime alone tells apart."""
    for number in range(6):
        place, time = (0, 0, 5.0 * (number % 2)), f"1200{number:02d}.5"
        write_mr(tmp_path / f"{number}.dcm", place=place, number=number + 1, AcquisitionTime=time, AcquisitionNumber=1)
    slices, skipped = arranged(tmp_path)
    assert [(one.series, one.source) for one in slices] == [
        ("1.2.3", "0.dcm"), ("1.2.3", "1.dcm"), ("1.2.3 stack 2", "2.dcm"), ("1.2.3 stack 2", "3.dcm"),
        ("1.2.3 stack 3", "4.dcm"), ("1.2.3 stack 3", "5.dcm"),
    ]  # fmt: skip
    assert not skipped
