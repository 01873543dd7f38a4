"""CT of any source: patients, series, what is left out, and Hounsfield units, from DICOM and NIfTI files."""

import logging

import numpy as np
import pydicom
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.ct import CtOptions
from fplbench.datasets.persons import counted_lines, patients_counted_by
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.check import check_data
from fplbench.datasets.scan import scan
from tests.helpers.compression import JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE, compress
from tests.helpers.damage import check, mutate
from tests.helpers.dicom_files import FILES, write_ct
from tests.helpers.multiframe_files import write_multiframe
from tests.helpers.nifti_files import write_volume

CT = LOADERS["ct"]
read_header, read_images = CT.read_header, CT.read_images
STUDY = "1.2.840.99.1"


def arranged(root):
    """The slices of a folder, why files are left out, and what cannot be read."""
    options = CtOptions(root=root)
    found = scan(CT, options, 1)
    slices, omitted = CT.arrange(found.headers, options)
    return slices, found.skipped | omitted, found.unreadable


def values_of(path, root):
    header = read_header(path, CtOptions(root=root))
    (one,), _ = CT.arrange({path.name: header}, CtOptions(root=root))
    (plane,) = read_images(path, [one], CtOptions(root=root))
    return plane.values


def test_a_patient_without_an_identifier_is_counted_by_study_with_a_note(tmp_path):
    """As in an anonymised CT that was refused: the identifier is empty, missing or blank."""
    for number, patient in enumerate(("", None, "  ")):
        for z in range(2):
            name = f"{number}-{z}.dcm"
            write_ct(tmp_path / name, PatientID=patient, z=z, series=f"1.{number}", StudyInstanceUID=f"{STUDY}.{number // 2}")
    slices, skipped, unreadable = arranged(tmp_path)
    assert len(slices) == 6 and not skipped and not unreadable
    patients = [one.patient for one in slices]
    assert patients[:4] == [patients[0]] * 4 and patients[4:] == [patients[4]] * 2 and patients[0] != patients[4]
    assert all(patient.startswith("study-") and STUDY not in patient for patient in patients)
    assert counted_lines(patients_counted_by(slices)) == ["Patients without an identifier are counted by study: 2."]


def test_without_a_study_the_series_counts_and_without_that_the_folder(tmp_path):
    options = CtOptions(root=tmp_path)
    by_series = read_header(write_ct(tmp_path / "a.dcm", PatientID="", StudyInstanceUID=""), options)
    by_folder = read_header(write_ct(tmp_path / "x/y/a.dcm", PatientID="", SeriesInstanceUID=""), options)
    assert (by_series["identified_by"], by_series["patient"][:7]) == ("SeriesInstanceUID", "series-")
    assert (by_folder["identified_by"], by_folder["patient"]) == ("folder", "x/y")
    slices, _ = CT.arrange({"a.dcm": by_series, "x/y/a.dcm": by_folder}, options)
    assert patients_counted_by(slices) == {"series": 1, "folder": 1}


def test_patients_with_an_identifier_need_no_note(tmp_path):
    write_ct(tmp_path / "a.dcm", patient=" P7 ")
    (one,), _, _ = arranged(tmp_path)
    assert one.patient == "P7" and not patients_counted_by([one])


def test_files_without_an_instance_identifier_are_not_copies_of_each_other(tmp_path):
    for z in range(3):
        path = write_ct(tmp_path / f"{z}.dcm", z=z)
        dataset = pydicom.dcmread(path)
        del dataset.SOPInstanceUID
        dataset.save_as(path)
    slices, skipped, _ = arranged(tmp_path)
    assert [one.position for one in slices] == [0, 1, 2] and not skipped


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localiser image"),
        ({"SeriesDescription": "Topogram  0.6  T20f"}, "a localiser image"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MPR"]}, "a reformatted or projected image"),
        ({"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]}, "a reformatted or projected image"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MIP"]}, "a reformatted or projected image"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "a screenshot, such as a dose report"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "ImagePositionPatient": None},
            "a screenshot, such as a dose report",
        ),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.30"}, "a map that was computed from images"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "not an axial plane"),
        ({"RescaleType": "Z_EFF"}, "values that are not HU"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "a colour image"),
        ({"Modality": "SEG"}, "modality SEG"),
        ({"Modality": "SR"}, "modality SR"),
        ({"Modality": "MR"}, "modality MR"),
    ],
)
def test_what_is_no_slice_as_it_was_acquired_is_left_out_with_a_reason(tmp_path, elements, reason):
    with pytest.raises(NotAnImage, match=f"^{reason}$"):
        read_header(write_ct(tmp_path / "a.dcm", **elements), CtOptions(root=tmp_path))


@pytest.mark.parametrize(
    "image_type",
    [
        ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
        ["DERIVED", "PRIMARY", "AXIAL"],
        ["ORIGINAL", "PRIMARY", "AXIAL", "HELIX"],
        "",
    ],
)
def test_ordinary_and_converted_slices_are_not(tmp_path, image_type):
    assert read_header(write_ct(tmp_path / "a.dcm", ImageType=image_type), CtOptions(root=tmp_path))["patient"] == "P1"


def test_images_of_one_series_that_do_not_fit_each_other_are_separate_stacks(tmp_path):
    """A helical scan and a thin slice of another matrix in one series; the stack with the first image has its name."""
    for z in range(3):
        write_ct(tmp_path / f"a{z}.dcm", z=z, number=z + 1)
    write_ct(tmp_path / "b.dcm", z=1, number=9, hounsfield=np.zeros((40, 40), np.int16))
    write_ct(tmp_path / "c.dcm", z=1.5, number=8, PixelSpacing=[0.9, 0.9])
    slices, skipped, _ = arranged(tmp_path)
    assert [(one.series, one.source) for one in slices] == [
        ("1.2.3", "a0.dcm"), ("1.2.3", "a1.dcm"), ("1.2.3", "a2.dcm"), ("1.2.3 stack 2", "c.dcm"), ("1.2.3 stack 3", "b.dcm"),
    ]  # fmt: skip
    assert not skipped


def test_directions_that_differ_by_rounding_are_one_stack(tmp_path):
    tilts = (0.3, 0.3 + 1e-4, 0.3 - 1e-4)
    for z, tilt in enumerate(tilts):
        write_ct(tmp_path / f"{z}.dcm", z=3 * z, ImageOrientationPatient=[1, 0, 0, 0, np.cos(tilt), np.sin(tilt)])
    slices, _, _ = arranged(tmp_path)
    assert {one.series for one in slices} == {"1.2.3"} and [one.number for one in slices] == [0, 1, 2]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_hounsfield_units_do_not_depend_on_how_a_viewer_would_show_them(tmp_path, photometric):
    expected = np.arange(-1024, -1024 + 576 * 7, 7).reshape(24, 24)
    path = write_ct(tmp_path / "a.dcm", hounsfield=expected, PhotometricInterpretation=photometric)
    assert np.array_equal(values_of(path, tmp_path), expected)


def test_padding_that_nothing_or_only_a_private_element_declares_is_air(tmp_path):
    stored = np.full((24, 24), 1064, np.int16)
    stored[0] = -3024
    path = write_ct(tmp_path / "a.dcm", stored=stored)
    dataset = pydicom.dcmread(path)
    dataset.private_block(0x0045, "GEMS_HELIOS_01", create=True).add_new(0x01, "SS", -3024)
    dataset.save_as(path)
    values = values_of(path, tmp_path)
    assert (values[0] == -1024).all() and (values[1:] == 40).all()


def test_a_range_of_padding_is_air(tmp_path):
    """Stored numbers from 28000 to 28010, unsigned, far above bone without being so high that they must be negative."""
    stored = np.full((24, 24), 1064, np.uint16)
    stored[0, :3] = 28000, 28005, 28010
    stored[1, :2] = 27999, 28011
    path = write_ct(tmp_path / "a.dcm", stored=stored, signed=False)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "US", 28010)
    dataset.add_new("PixelPaddingRangeLimit", "US", 28000)
    dataset.save_as(path)
    values = values_of(path, tmp_path)
    assert values[0, :3].tolist() == [-1024] * 3 and values[1, :2].tolist() == [26975, 26987]


def test_the_test_file_of_pydicom_is_in_hounsfield_units():
    dataset = pydicom.dcmread(FILES / "CT_small.dcm")
    expected = np.maximum(dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept), -1024)
    assert np.array_equal(values_of(FILES / "CT_small.dcm", FILES), expected)


def test_dicom_and_nifti_files_of_a_folder_are_one_data_set_and_masks_are_left_out(tmp_path):
    right, anterior, superior = np.indices((24, 20, 4))
    volume = 100 * right + 10 * anterior + superior
    for name in ("scan7", "sub-03/ct/sub-03_ct", "sub-03/ct/sub-03_acq-thin_ct"):
        write_volume(tmp_path / f"{name}.nii.gz", volume, axes="LPS")
    for name in ("scan7_seg", "sub-03/ct/sub-03_ct_label-liver_mask", "labelsTr/scan7", "mask", "Segmentation_2"):
        write_volume(tmp_path / f"{name}.nii.gz", volume)
    for z in range(3):
        write_ct(tmp_path / f"dicom/{z}", z=z)
    found = scan(CT, CtOptions(root=tmp_path), 1)
    slices, _ = CT.arrange(found.headers, CtOptions(root=tmp_path))
    assert found.others == {"a mask": 5} and not found.skipped and not found.unreadable
    assert {(one.patient, one.series) for one in slices} == {
        ("P1", "1.2.3"),
        ("scan7", "scan7"),
        ("sub-03", "sub-03/ct/sub-03_ct"),
        ("sub-03", "sub-03/ct/sub-03_acq-thin_ct"),
    }
    assert len({one.image_id for one in slices}) == len(slices) == 15
    own = [one for one in slices if one.source == "scan7.nii.gz"]
    planes = {plane.slice.number: plane for plane in read_images(tmp_path / "scan7.nii.gz", own, CtOptions(root=tmp_path))}
    assert np.array_equal(planes[2].values, volume[::-1, ::-1, 2].T)
    assert own[2].spacing == pytest.approx((0.7, 0.8)) and [one.position for one in own] == [0, 2.5, 5, 7.5]


def test_a_volume_and_the_series_that_it_was_made_of_have_the_same_positions_and_pixels(tmp_path):
    """The affine of a DICOM series in mm, with the axes of NIfTI: to the right and to the front."""
    import nibabel

    values = np.random.default_rng(0).integers(-1024, 2000, (5, 24, 20)).astype(np.int16)
    for number, image in enumerate(values):
        write_ct(tmp_path / f"{number}.dcm", hounsfield=image, z=-40 + 2.5 * number)
    affine = np.array([[-0.6, 0, 0, 10], [0, -0.7, 0, 10], [0, 0, 2.5, -40], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0), affine), tmp_path / "volume.nii")
    slices, _, _ = arranged(tmp_path)
    series, volume = slices[:5], slices[5:]
    assert [(one.position, one.spacing) for one in series] == [(one.position, one.spacing) for one in volume]
    images = {plane.slice: plane.values for plane in read_images(tmp_path / "volume.nii", volume, CtOptions(root=tmp_path))}
    assert all(np.array_equal(images[one], values[one.number]) for one in volume)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a.nii", ""), ("Task03/imagesTr/liver_7.nii.gz", ""), ("sub-01/ses-2/ct/sub-01_ses-2_ct.nii.gz", ""), ("IM0001", ""),
        ("1.2.840.113619", ""), ("Labrador/a.nii", ""), ("masked/../scan.nii", ""), ("segovia/scan.nii", ""),
        ("Task03/labelsTr/liver_7.nii.gz", "a mask"), ("scan_SEG.nii", "a mask"), ("scan-label.nii.gz", "a mask"),
        ("label.nii", "a mask"), ("segmentation-3.nii", "a mask"), ("masks/scan.nii", "a mask"), ("sub-01_dseg.nii", "a mask"),
        ("segovia_ct.nii.gz", ""), ("masked_ct.nii", ""), ("labelled-2.nii", ""), ("maskell.nii", ""), ("roi_ct.nii", ""),
        ("seg.nii.gz", "a mask"), ("label01.nii", "a mask"), ("scan_mask_2.nii", "a mask"), ("my labels.nii", "a mask"),
        ("Segmentation_2.nii", "a mask"), ("scan_roi.nii", "a mask"), ("gt/scan.nii", "a mask"),
        ("069.xml", ".xml, not an image"), ("a.json", ".json, not an image"),
        ("a.PNG", ".png, not read by ct; the loader radiograph reads it"),
        ("a/b.jpeg", ".jpeg, not read by ct; the loader radiograph reads it"),
        ("a.tif", ".tif, a kind of picture that is not read"), ("a.BMP", ".bmp, a kind of picture that is not read"),
    ],
)  # fmt: skip
def test_masks_and_other_files_are_known_by_name(tmp_path, path, reason):
    assert CT.left_out(path, tmp_path) == reason


def test_one_volume_in_four_dimensions_is_read_and_several_are_left_out(tmp_path):
    import nibabel

    values = np.random.default_rng(0).integers(-1000, 1000, (8, 9, 5, 1)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.5, -1.5, 3, 1])), tmp_path / "one.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.repeat(values, 2, axis=3), np.eye(4)), tmp_path / "two.nii.gz")
    slices, skipped, _ = arranged(tmp_path)
    assert skipped == {"two.nii.gz": "4 dimensions"} and {one.source for one in slices} == {"one.nii.gz"}
    planes = {p.slice.number: p.values for p in read_images(tmp_path / "one.nii.gz", slices, CtOptions(root=tmp_path))}
    assert all(np.array_equal(planes[number], values[:, :, number, 0].T) for number in range(5))


@pytest.mark.parametrize("axes", ["LPS", "SAR"])
def test_a_volume_of_coronal_or_sagittal_slices_is_left_out_as_such_planes_are(tmp_path, axes):
    for name, spacing in {
        "coronal": (0.7, 3, 0.8),
        "sagittal": (3, 0.7, 0.8),
        "axial": (0.7, 0.7, 3),
        "thin": (0.7, 0.7, 0.4),
    }.items():
        write_volume(tmp_path / f"{name}.nii", np.zeros((5, 6, 4)), axes=axes, spacing=spacing)
    slices, skipped, _ = arranged(tmp_path)
    assert set(skipped) == {"coronal.nii", "sagittal.nii"} and {one.source for one in slices} == {"axial.nii", "thin.nii"}
    assert set(skipped.values()) == {"not a volume of axial slices, as its largest voxel spacing shows"}


def test_volumes_in_two_files_are_left_out_with_advice_but_not_dicom_files_of_such_names(tmp_path):
    import nibabel

    for kind, name in ((nibabel.Nifti1Pair, "a.img"), (nibabel.AnalyzeImage, "b.img.gz")):
        nibabel.save(kind(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / name)
    write_ct(tmp_path / "c.img")
    slices, skipped, unreadable = arranged(tmp_path)
    assert [one.source for one in slices] == ["c.img"] and not unreadable
    assert set(skipped) == {"a.hdr", "a.img", "b.hdr.gz", "b.img.gz"}
    assert set(skipped.values()) == {"one of the two files of a NIfTI or Analyze volume; convert it to .nii"}


def test_volumes_of_colours_are_left_out(tmp_path):
    import nibabel

    colours = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(NotAnImage, match="colours"):
        read_header(tmp_path / "a.nii", CtOptions(root=tmp_path))


def test_a_truncated_volume_is_unreadable(tmp_path):
    path = write_volume(tmp_path / "a.nii", np.zeros((32, 32, 8)))
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(Unreadable, match="truncated"):
        read_header(path, CtOptions(root=tmp_path))


def test_a_data_set_of_any_name_is_checked_with_the_loader(tmp_path, caplog):
    for patient in range(3):
        for z in range(12):
            path = tmp_path / f"in/{patient}/{z}.dcm"
            study = f"{STUDY}.{patient}"
            write_ct(path, PatientID="", StudyInstanceUID=study, series=study, z=z, hounsfield=np.full((24, 24), 40, np.int16))
    sampling = SamplingOptions(train=4, validation=2, test=2, size=16)
    options = CtOptions(root=tmp_path / "in")
    lines, possible = check_data("mayo", options, sampling, 1, 1, tmp_path / "sheet.png", loader="ct")
    assert possible and "Patients: 3" in lines and "Slices:   36 in 36 files" in lines
    assert "Patients without an identifier are counted by study: 3." in lines
    summary = sample_dataset("mayo", options, sampling, 1, tmp_path / "out", loader="ct", hu=True)
    assert "Patients without an identifier are counted by study: 3." in caplog.messages
    assert (summary["patients_found"], summary["images"]["train"]) == (3, 4)
    assert summary["persons_known"] and summary["patients_counted_by"] == {"study": 3}
    assert (np.load(tmp_path / "out/test_hu.npy") == 40).all()


@pytest.mark.slow
def test_mutated_multi_frame_and_compressed_files(tmp_path, caplog):
    """Each one ends as an image or is reported with a reason."""
    random, root = np.random.default_rng(5), tmp_path / "in"
    stored = random.integers(0, 3000, (4, 64, 64)).astype(np.int16)
    originals = [write_multiframe(tmp_path / "plain.dcm", stored, [(0, 0, z) for z in range(4)])]
    single = write_ct(tmp_path / "single.dcm", stored=stored[0])
    for syntax in (RLE, JPEG_2000, JPEG_LS, JPEG_LOSSLESS):
        originals.append(compress(originals[0], tmp_path / f"many-{syntax}.dcm", syntax))
        originals.append(compress(single, tmp_path / f"one-{syntax}.dcm", syntax))
    root.mkdir()
    mutants = [root / f"bad-{number}.dcm" for number in range(90)]
    for number, path in enumerate(mutants):
        dataset = pydicom.dcmread(originals[number % len(originals)])
        dataset.PatientID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = f"M{number}", f"1.8.{number}", f"1.7.{number}"
        dataset.save_as(path)
        content = path.read_bytes()
        pixels = content.index(b"\xe0\x7f\x10\x00")
        # A third in the header, a third in the pixels, and a third anywhere.
        if number % 3 == 0:
            path.write_bytes(mutate(content, random, pixels))
        elif number % 3 == 1:
            path.write_bytes(content[:pixels] + mutate(content[pixels:], random, len(content) - pixels))
        else:
            path.write_bytes(mutate(content, random, len(content)))
    for number in range(12):
        places = [(0, 0, z) for z in range(4)]
        write_multiframe(root / f"good-{number}.dcm", stored, places, PatientID=f"P{number}", SeriesInstanceUID=f"1.{number}")
    sampling = SamplingOptions(train=150, validation=12, test=12, size=16, split="random_slice")
    with caplog.at_level(logging.INFO):
        found = check("ct", CtOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert {f"good-{number}.dcm" for number in range(12)} <= found.headers.keys() and found.unreadable
    damaged = [message for message in caplog.messages if message.startswith("Unreadable: bad-")]
    assert len(damaged) > len(found.unreadable) + 5  # in the pixels too
