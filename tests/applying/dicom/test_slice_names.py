"""What people find each slice of a scan in DICOM by: its file, and the number of the image or of the frame."""

import numpy as np
import pytest

from tests.helpers.dicom_files import write_ct
from tests.helpers.dicom_scans import find_one, in_process
from tests.helpers.multiframe_files import write_multiframe

pytestmark = pytest.mark.usefixtures("in_process")
__all__ = ["in_process"]


def test_slices_are_named_by_their_files_in_the_folder_of_the_series(tmp_path):
    for name, z, number in (("in/a", 5, 7), ("in/part/b", 0, 9), ("in/c", 10, 0)):
        write_ct(tmp_path / f"{name}.dcm", z=z, number=number)
    names = ("part/b.dcm, InstanceNumber 9", "a.dcm, InstanceNumber 7", "c.dcm")
    assert find_one(tmp_path).facts.names == names


def test_frames_are_counted_from_one_as_in_dicom(tmp_path):
    write_multiframe(tmp_path / "mr.dcm", np.zeros((3, 8, 8), np.int16), [(0, 0, 5), (0, 0, 0), (0, 0, 2.5)])
    assert find_one(tmp_path).facts.names == ("mr.dcm, frame 2", "mr.dcm, frame 3", "mr.dcm, frame 1")
