"""Which images of CT and MR are left out, as no model is for them."""

import numpy as np
import pytest

from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.dicom_scans import find, find_one, in_process
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
LEFT_OUT = [
    ("CT", "values that are not HU", {"RescaleType": "MGML"}),  # iodine
    ("CT", "values that are not HU", {"RescaleType": "Z_EFF"}),
    ("CT", "a localiser image", {"SeriesDescription": "Topogram 0.6 T80f"}),
    ("CT", "a reformatted or projected image", {"ImageType": ["DERIVED", "SECONDARY", "MIP"]}),
    ("CT", "a screenshot, such as a dose report", {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}),
    ("MR", "a localiser image", {"SeriesDescription": "3-plane localizer"}),
    ("MR", "a mosaic of several slices", {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}),
    ("MR", "a map that was computed from images", {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}),
    ("MR", "a phase image, or the real or imaginary part of an image", {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}),
    ("MR", "a phase image, or the real or imaginary part of an image", {"ComplexImageComponent": "PHASE"}),
    ("MR", "a screenshot, such as a dose report", {"SOPClassUID": CAPTURE, "ImagePositionPatient": None}),
]


@pytest.mark.parametrize(("modality", "reason", "elements"), LEFT_OUT)
def test_what_is_no_slice_as_it_was_acquired_is_left_out(tmp_path, modality, reason, elements):
    write_ct(tmp_path / "x.dcm", modality=modality, **elements)
    found = find(tmp_path)
    assert (found.scans, found.skipped, found.problems) == ([], {"x.dcm": reason}, {})


def test_a_ct_with_a_table_of_values_is_not_in_hounsfield_units(tmp_path):
    """The table gives other values than the rescaling, and the standard has none for CT."""
    from pydicom import Dataset

    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [2, 0, 16], "US", b"\0\0\1\0"
    write_ct(tmp_path / "x.dcm", ModalityLUTSequence=[table], RescaleSlope=None, RescaleIntercept=None)
    assert find(tmp_path).skipped == {"x.dcm": "values that are not HU"}


@pytest.mark.parametrize("unit", [None, "HU", "US", "HU_MOD"])
def test_values_in_hounsfield_units_are_taken(tmp_path, unit):
    """HU_MOD: of dual energy, such as virtual images without contrast agent (PS3.3 C.11.1.1.2)."""
    write_ct(tmp_path / "x.dcm", **({"RescaleType": unit} if unit else {}))
    assert find_one(tmp_path).facts.hounsfield


@pytest.mark.parametrize("kind", ["MPR", "CSA MPR", "CT_SOM5 MPR", "REFORMATTED"])
def test_a_reformatted_plane_is_denoised_with_a_note(tmp_path, kind):
    write_ct(tmp_path / "x.dcm", ImageType=["DERIVED", "SECONDARY", "AXIAL", kind])
    (note,) = find_one(tmp_path).facts.notes
    assert note.startswith("Its slices were reformatted from others")


@pytest.mark.parametrize("kind", ["AXIAL", "IMPROVED", "COMPRESSED"])
def test_other_words_say_nothing_of_that(tmp_path, kind):
    write_ct(tmp_path / "x.dcm", ImageType=["ORIGINAL", "PRIMARY", kind])
    assert find_one(tmp_path).facts.notes == ()


def test_a_skeletal_survey_is_no_localiser(tmp_path):
    grey = np.full((16, 16), 9, np.uint8)
    write_radiograph(tmp_path / "x.dcm", grey, SeriesInstanceUID="1.2", SeriesDescription="Skeletal survey")
    assert find_one(tmp_path).facts.modality == "CR"


@pytest.mark.parametrize(
    ("modality", "reason", "groups"),
    [
        ("CT", "values that are not HU", {"PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleType": "MGML"}}),
        (
            "MR",
            "a phase image, or the real or imaginary part of an image",
            {"MRImageFrameTypeSequence": {"FrameType": ["P"] * 4}},
        ),
        ("MR", "a map that was computed from images", {"MRImageFrameTypeSequence": {"FrameType": ["DERIVED", "PRIMARY", "ADC"]}}),
    ],
)
def test_an_enhanced_file_with_such_a_frame_is_left_out(tmp_path, modality, reason, groups):
    """All of it, as the output has the frames of the input."""
    write_multiframe(
        tmp_path / "x.dcm", np.zeros((2, 8, 8), np.int16), [(0, 0, 0), (0, 0, 1)], modality=modality, groups=[{}, groups]
    )
    assert find(tmp_path).skipped == {"x.dcm": reason}
