"""DICOM files that are written: their pixels, and what their headers say."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from fplbench.applying.scan import Stamp
from fplbench.errors import InputError
from fplbench.files import file_hash
from tests.helpers.compression import LOSSLESS, compress
from tests.helpers.dicom_files import IMPLICIT, write_ct, write_radiograph
from tests.helpers.dicom_scans import STAMP, apply, find_one, in_process, mean, only_file
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]

TYPES = [["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]] * 3
PLACES = [(0, 0, 0), (0, 0, 2), (0, 0, 1)]


def noise(shape=(24, 20), low=-900, high=1500, seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int16)


def rescaled(path: Path) -> np.ndarray:
    """The values of a single-frame file as pydicom reads them."""
    file = pydicom.dcmread(path)
    return file.pixel_array * float(file.get("RescaleSlope", 1)) + float(file.get("RescaleIntercept", 0))


def one_ct(folder: Path, **elements):
    """A CT slice, its denoised and its residual file, and the values that were written."""
    source = write_ct(folder / "in" / "x.dcm", **({"hounsfield": noise()} | elements))
    written = apply(find_one(source.parent), folder / "out")
    return source, only_file(folder / "out" / "denoised"), only_file(folder / "out" / "residual"), written


def test_the_file_holds_the_values_that_were_written(tmp_path):
    _, denoised, residual, written = one_ct(tmp_path)
    assert np.array_equal(rescaled(denoised), written["denoised"][0])
    assert np.array_equal(rescaled(residual), written["residual"][0])
    expected = np.rint(mean(noise().astype(np.float32)))  # steps of 1 HU
    assert np.array_equal(written["denoised"][0], expected)
    assert denoised.relative_to(tmp_path / "out" / "denoised") == Path("in/x.dcm")


def test_denoised_is_original_plus_residual_in_stored_integers(tmp_path):
    stored = noise(low=0, high=4096).astype(np.uint16)
    source, denoised, residual, _ = one_ct(tmp_path, stored=stored, signed=False, RescaleSlope=1.3, BitsStored=12, HighBit=11)
    before, after, change = (pydicom.dcmread(path).pixel_array.astype(int) for path in (source, denoised, residual))
    assert np.array_equal(before + change, after)
    assert change.any()


def test_the_original_is_not_touched(tmp_path):
    source = write_ct(tmp_path / "in" / "x.dcm")
    before = file_hash(source), source.stat().st_mtime_ns
    apply(find_one(source.parent), tmp_path / "out")
    assert (file_hash(source), source.stat().st_mtime_ns) == before


@pytest.mark.parametrize("at_once", [0, 2**24])
@pytest.mark.parametrize("name", LOSSLESS)
def test_every_compression_gives_the_same_uncompressed_output(tmp_path, monkeypatch, name, at_once):
    """Whether a file is read at once, as small ones are, or its header first."""
    monkeypatch.setattr("fplbench.applying.dicom.pixels.AT_ONCE", at_once)
    source = write_ct(tmp_path / "plain" / "x.dcm", stored=noise((64, 48), 0, 3000).astype(np.uint16), signed=False)
    compress(source, tmp_path / name / "x.dcm", LOSSLESS[name])
    files = []
    for folder in ("plain", name):
        apply(find_one(tmp_path / folder), tmp_path / "out" / folder)
        files.append(pydicom.dcmread(only_file(tmp_path / "out" / folder / "denoised")))
    assert files[1].file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert np.array_equal(files[0].pixel_array, files[1].pixel_array)


def test_implicit_vr_is_written_explicitly_with_the_same_elements(tmp_path):
    source, denoised, *_ = one_ct(tmp_path, syntax=IMPLICIT, PixelPaddingValue=-2000)
    before, after = pydicom.dcmread(source), pydicom.dcmread(denoised)
    assert after.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert (after.PixelPaddingValue, after["PixelPaddingValue"].VR) == (-2000, "SS")
    assert [after.PixelSpacing, after.ImagePositionPatient] == [before.PixelSpacing, before.ImagePositionPatient]


def test_loss_is_never_unsaid(tmp_path):
    grey = np.full((32, 32), 90, np.uint8)
    write_radiograph(tmp_path / "in" / "x.dcm", grey, SeriesInstanceUID="1.2", StudyInstanceUID="1.3")
    apply(find_one(tmp_path / "in"), tmp_path / "out")
    file = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    assert (file.LossyImageCompression, file.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert (file.BitsAllocated, file["PixelData"].VR, len(file.PixelData)) == (8, "OB", 1024)


def test_an_odd_number_of_bytes_is_filled_up(tmp_path):
    grey = np.full((5, 5), 90, np.uint8)
    write_radiograph(tmp_path / "in" / "x.dcm", grey, SeriesInstanceUID="1.2")
    apply(find_one(tmp_path / "in"), tmp_path / "out")
    assert pydicom.dcmread(only_file(tmp_path / "out" / "denoised")).pixel_array.shape == (5, 5)


def test_padding_that_is_stored_without_its_sign_stays(tmp_path):
    stored = noise(low=0, high=2000)
    stored[:5] = -2000
    path = write_ct(tmp_path / "in" / "x.dcm", stored=stored)
    file = pydicom.dcmread(path)
    file.add_new("PixelPaddingValue", "US", 63536)
    file.save_as(path)
    apply(find_one(path.parent), tmp_path / "out")
    after = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    assert (after.pixel_array[:5] == -2000).all()
    assert not pydicom.dcmread(only_file(tmp_path / "out" / "residual")).pixel_array[:5].any()
    assert after.PixelPaddingValue == 63536
    assert "PixelPaddingValue" not in pydicom.dcmread(only_file(tmp_path / "out" / "residual"))


def test_what_the_header_says(tmp_path):
    source, denoised, residual, _ = one_ct(
        tmp_path,
        SeriesNumber=7,
        SeriesDescription="Thorax 2.5 mm, a long description that fills all its 64 letters.",
        StudyInstanceUID="1.2.5",
        FrameOfReferenceUID="1.2.6",
        WindowCenter=40,
        WindowWidth=400,
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5"],
        BurnedInAnnotation="NO",
        InstanceCreationDate="20240101",
        SmallestImagePixelValue=3,
    )
    before, after, change = (pydicom.dcmread(path) for path in (source, denoised, residual))
    assert list(after.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5"]
    assert list(change.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "RESIDUAL", "CT_SOM5"]
    assert after.SeriesDescription == "Thorax 2.5 mm, a long description that denoised, FPL, Gaussian"
    assert change.SeriesDescription == "Thorax 2.5 mm, a long description that residual, FPL, Gaussian"
    assert (after.SeriesNumber, change.SeriesNumber) == (1007, 2007)
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient", "BurnedInAnnotation", "PatientID"):
        assert after[keyword] == change[keyword] == before[keyword]
    assert (after.WindowCenter, after.WindowWidth) == (40, 400)
    assert (change.WindowCenter, change.WindowWidth, change.RescaleIntercept) == (0, 200, 0)
    assert "InstanceCreationDate" not in after
    assert "SmallestImagePixelValue" not in after


def test_the_derivation_names_source_model_and_program(tmp_path):
    source, denoised, residual, _ = one_ct(tmp_path)
    before, after, change = (pydicom.dcmread(path) for path in (source, denoised, residual))
    (image,) = after.SourceImageSequence
    assert (image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID) == (before.SOPClassUID, before.SOPInstanceUID)
    assert image.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert after.DerivationDescription == STAMP.description
    assert change.DerivationDescription == "Denoised minus original, with FPL, Gaussian. Not for clinical use."
    assert [item.CodeValue for item in after.DerivationCodeSequence] == ["113087"]  # smoothing
    assert [item.CodeValue for item in change.DerivationCodeSequence] == ["113087", "113062"]  # and subtraction
    (program,) = after.ContributingEquipmentSequence
    assert (program.Manufacturer, program.PurposeOfReferenceCodeSequence[0].CodeValue) == ("fplbench", "109102")
    assert STAMP.digest in program.ContributionDescription


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "denoised, FPL, Gaussian"),
        ("Thorax", "Thorax denoised, FPL, Gaussian"),
        ("a" * 40 + " b", "a" * 40 + " denoised, FPL, Gaussian"),  # 64 characters
        ("a" * 39 + " b", "a" * 39 + " denoised, FPL, Gaussian"),  # not cut at the space, which would leave two
        ("a" * 60, "a" * 40 + " denoised, FPL, Gaussian"),
    ],
)
def test_the_name_of_the_series_is_cut_at_a_word(tmp_path, before, after):
    _, denoised, *_ = one_ct(tmp_path, SeriesDescription=before)
    assert pydicom.dcmread(denoised).SeriesDescription == after


@pytest.mark.parametrize("label", ["FPL\n\x1b[31m\\Gaussian\0", "Gauß\x85", "word\\\n " * 500, "x" * 3000])
def test_a_label_of_any_text_gives_valid_text(tmp_path, monkeypatch, label):
    """PS3.5 table 6.2-1: an LO has at most 64 characters, no backslash and no control characters; an ST at most 1024."""
    source = write_ct(tmp_path / "in" / "x.dcm")
    stamp = Stamp(label, STAMP.digest, f"Denoised with {label} by fplbench. Not for clinical use.")
    apply(find_one(source.parent), tmp_path / "out", stamp=stamp)
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    for kind in ("denoised", "residual"):
        file = pydicom.dcmread(only_file(tmp_path / "out" / kind))
        description, (program,) = file.DerivationDescription, file.ContributingEquipmentSequence
        assert len(file.SeriesDescription) <= 64 and len(description) <= 1024
        assert description.endswith("Not for clinical use.") and program.ContributionDescription.endswith(STAMP.digest)
        for text in (file.SeriesDescription, description, program.ContributionDescription):
            assert text.isascii() and text.isprintable() and "\\" not in text and "  " not in text


def test_codes_are_those_of_the_standard():
    from pydicom.sr.codedict import codes

    assert {codes.cid7203.Smoothing.value, codes.cid7203.PixelByPixelSubtraction.value} == {"113087", "113062"}
    assert codes.cid7202.SourceImageForImageProcessingOperation.value == "121322"
    assert codes.cid7005.ProcessingEquipment.value == "109102"


def test_the_same_input_and_model_give_the_same_files(tmp_path):
    source = write_ct(tmp_path / "in" / "x.dcm", hounsfield=noise())
    for run in "ab":
        apply(find_one(source.parent), tmp_path / run)
    other = Stamp(STAMP.model, "cd" * 32, STAMP.description)
    apply(find_one(source.parent), tmp_path / "c", stamp=other)
    uids = set()
    for kind in ("denoised", "residual"):
        a, b, c = (only_file(tmp_path / run / kind) for run in "abc")
        assert a.read_bytes() == b.read_bytes()
        files = [pydicom.dcmread(path) for path in (a, c)]
        uids |= {uid for file in files for uid in (file.SOPInstanceUID, file.SeriesInstanceUID)}
        assert all(file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID for file in files)
    assert len(uids) == 8
    assert all(uid.is_valid and len(uid) <= 64 for uid in uids)


def test_slices_of_a_series_stay_in_one_series(tmp_path):
    for z in (0, 1):
        write_ct(tmp_path / "in" / f"{z}.dcm", z=z)
    apply(find_one(tmp_path / "in"), tmp_path / "out")
    files = [pydicom.dcmread(path) for path in sorted((tmp_path / "out" / "denoised").rglob("*.dcm"))]
    assert len({file.SeriesInstanceUID for file in files}) == 1
    assert len({file.SOPInstanceUID for file in files}) == 2


def test_private_elements_go_unless_they_are_to_be_kept(tmp_path):
    path = write_ct(tmp_path / "in" / "x.dcm")
    file = pydicom.dcmread(path)
    nested = pydicom.Dataset()
    for dataset in (file, nested):
        dataset.private_block(0x0019, "MAKER", create=True).add_new(0x01, "LO", "Doe")
    file.RequestAttributesSequence = [nested]
    file.save_as(path)
    for keep in (False, True):
        apply(find_one(path.parent, keep_private=keep), tmp_path / str(keep))
        after = pydicom.dcmread(only_file(tmp_path / str(keep) / "denoised"))
        places = (after, after.RequestAttributesSequence[0])
        assert [(0x0019, 0x1001) in place for place in places] == [keep, keep]


def test_what_no_longer_holds_is_dropped_at_every_level(tmp_path):
    path = write_ct(tmp_path / "in" / "x.dcm")
    file = pydicom.dcmread(path)
    signed = pydicom.Dataset()
    signed.MACIDNumber = 1
    step = pydicom.Dataset()
    step.DigitalSignaturesSequence, step.StudyDescription = [signed], "kept"
    file.RequestAttributesSequence, file.DigitalSignaturesSequence, file.OriginalAttributesSequence = [step], [signed], [step]
    file.MACParametersSequence, file.IconImageSequence = [signed], [step]
    file.save_as(path)
    apply(find_one(path.parent), tmp_path / "out")
    after = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    for keyword in ("DigitalSignaturesSequence", "OriginalAttributesSequence", "MACParametersSequence", "IconImageSequence"):
        assert keyword not in after
    assert list(after.RequestAttributesSequence[0].dir()) == ["StudyDescription"]


def test_an_overlay_in_the_pixels_is_dropped_with_its_bits(tmp_path):
    image = noise(low=0, high=2**12).astype(np.uint16)
    stored = image | np.uint16(2**15)  # an overlay in the highest bit
    path = write_ct(tmp_path / "in" / "x.dcm", stored=stored, signed=False, BitsStored=12, HighBit=11)
    file = pydicom.dcmread(path)
    file.add_new((0x6000, 0x0010), "US", image.shape[0])
    file.add_new((0x6000, 0x0100), "US", 16)
    file.add_new((0x6000, 0x0102), "US", 15)
    file.save_as(path)
    apply(find_one(path.parent), tmp_path / "out", model=lambda values: values)
    after = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    assert np.array_equal(np.frombuffer(after.PixelData, "<u2").reshape(image.shape), image)
    assert not [tag for tag in after.keys() if tag.group == 0x6000]  # noqa: SIM118


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", IMPLICIT])
def test_text_keeps_its_character_set(tmp_path, syntax):
    _, denoised, *_ = one_ct(
        tmp_path, SpecificCharacterSet="ISO_IR 144", PatientName="Люкceмбypг", SeriesDescription="Грудь", syntax=syntax
    )
    after = pydicom.dcmread(denoised)
    assert (after.SpecificCharacterSet, str(after.PatientName)) == ("ISO_IR 144", "Люкceмбypг")
    assert after.SeriesDescription == "Грудь denoised, FPL, Gaussian"


def test_monochrome1_keeps_its_sense(tmp_path):
    grey = noise(low=0, high=256).astype(np.uint8)
    source = write_radiograph(tmp_path / "in" / "x.dcm", grey, photometric="MONOCHROME1", SeriesInstanceUID="1.2")
    written = apply(find_one(source.parent), tmp_path / "out")
    stored = pydicom.dcmread(source).pixel_array.astype(np.float32)
    after = pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    assert after.PhotometricInterpretation == "MONOCHROME1"
    assert np.array_equal(255 - written["denoised"][0], after.pixel_array)
    assert np.abs(after.pixel_array - mean(stored)).max() <= 0.5 + 1e-4


def multiframe(folder: Path) -> Path:
    voi = [{"FrameVOILUTSequence": {"WindowCenter": 40, "WindowWidth": 400}}] * 3
    rescale = [(1.0, -1024.0), (2.0, 0.0), (0.5, 10.0)]
    return write_multiframe(
        folder / "x.dcm", noise((3, 16, 12)), PLACES, rescale=rescale, frame_types=TYPES, groups=voi, SeriesNumber=4
    )


def test_frames_are_written_in_the_order_of_the_original(tmp_path):
    source = multiframe(tmp_path / "in")
    written = apply(find_one(source.parent), tmp_path / "out")
    before, after = pydicom.dcmread(source), pydicom.dcmread(only_file(tmp_path / "out" / "denoised"))
    for slice_number, frame in enumerate([0, 2, 1]):  # by position
        item = after.PerFrameFunctionalGroupsSequence[frame].PixelValueTransformationSequence[0]
        values = after.pixel_array[frame] * float(item.RescaleSlope) + float(item.RescaleIntercept)
        assert np.array_equal(values.astype(np.float32), written["denoised"][slice_number])
    change = pydicom.dcmread(only_file(tmp_path / "out" / "residual"))
    assert np.array_equal(before.pixel_array.astype(int) + change.pixel_array, after.pixel_array)


def test_each_frame_names_the_one_that_it_is_derived_from(tmp_path):
    source = multiframe(tmp_path / "in")
    apply(find_one(source.parent), tmp_path / "out")
    before = pydicom.dcmread(source)
    for kind, contrast in (("denoised", "NONE"), ("residual", "SUBTRACTION")):
        after = pydicom.dcmread(only_file(tmp_path / "out" / kind))
        assert list(after.ImageType) == ["DERIVED", "PRIMARY", "VOLUME", contrast]
        for number, frame in enumerate(after.PerFrameFunctionalGroupsSequence, start=1):
            assert list(frame.CTImageFrameTypeSequence[0].FrameType) == list(after.ImageType)
            image = frame.DerivationImageSequence[0].SourceImageSequence[0]
            assert (image.ReferencedSOPInstanceUID, image.ReferencedFrameNumber) == (before.SOPInstanceUID, number)
        listed = after.SourceImageEvidenceSequence[0].ReferencedSeriesSequence[0]
        assert listed.SeriesInstanceUID == before.SeriesInstanceUID
    window = after.PerFrameFunctionalGroupsSequence[1].FrameVOILUTSequence[0]
    rescaling = [frame.PixelValueTransformationSequence[0] for frame in after.PerFrameFunctionalGroupsSequence]
    assert (window.WindowCenter, window.WindowWidth) == (0, 200)
    assert [(item.RescaleSlope, item.RescaleIntercept) for item in rescaling] == [(1, 0), (2, 0), (0.5, 0)]


def test_a_multi_frame_file_appears_when_its_last_frame_is_there(tmp_path):
    scan = find_one(multiframe(tmp_path / "in").parent)
    first = scan.writer("denoised", tmp_path / "out", STAMP)
    for plane in scan.planes([0, 1]):
        first.write(plane.number, plane.values)
    with pytest.raises(InputError, match="slice 2 has not been written"):
        first.finish()
    assert not (tmp_path / "out" / "in" / "x.dcm").exists()
    again = scan.writer("denoised", tmp_path / "out", STAMP)  # after an interruption
    (plane,) = scan.planes([2])
    again.write(2, plane.values)
    assert again.finish() == [tmp_path / "out" / "in" / "x.dcm"]
    assert only_file(tmp_path / "out") == tmp_path / "out" / "in" / "x.dcm"
    assert again.finish() == [tmp_path / "out" / "in" / "x.dcm"]


def test_a_file_that_is_gone_is_named(tmp_path):
    path = write_ct(tmp_path / "in" / "x.dcm")
    scan = find_one(path.parent)
    path.unlink()
    with pytest.raises(InputError, match=r"^x\.dcm cannot be read: it cannot be read: No such file or directory\.$"):
        next(scan.planes([0]))
