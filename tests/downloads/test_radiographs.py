"""Radiographs projected from a CT."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets.formats import dicom
from fplbench.downloads.radiographs import (
    DETECTOR,
    SIDE,
    SOURCE,
    WATER,
    attenuation_of_body,
    project,
    project_boxes,
    write_radiographs,
)
from fplbench.files import read_csv
from tests.helpers.dicom_files import write_ct


def test_a_water_cylinder_projects_to_its_chords():
    """A ray at u mm on the axis passes the centre at a distance d = u / sqrt(1 + (u / S)^2); its chord is 2 sqrt(r^2 - d^2)."""
    radius, side = 60.0, 192
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    cylinder = np.repeat((np.hypot(x, y) < radius)[None].astype(np.float32) * np.float32(WATER), 3, axis=0)
    height = 150.0
    across = ((np.arange(DETECTOR) + 0.5) / DETECTOR - 0.5) * height
    distance = across / np.sqrt(1 + (across / SOURCE) ** 2)
    chords = 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0))
    inside = np.abs(distance) < 0.9 * radius
    for _, integrals in project(cylinder, 1.0, height, [-90, 0, 31]):
        assert integrals.shape == (3, DETECTOR)
        assert np.abs(integrals[:, inside] / (WATER * chords[inside]) - 1).max() < 0.04
        assert np.abs(integrals[0][inside].sum() / (WATER * chords[inside]).sum() - 1) < 0.002
        assert np.abs(integrals[:, np.abs(distance) > radius + 2]).max() == 0


@pytest.mark.parametrize(("angle", "place"), [(0, (0, 40)), (90, (40, 0)), (-90, (-40, 0))])
def test_a_point_is_projected_to_the_right_place(angle, place):
    """A wire 40 mm beside the axis, at the same distance from the source, appears 40 mm to the right."""
    side, height = 129, 120.0
    wire = np.zeros((1, side, side), np.float32)
    row, column = place
    wire[0, 64 + row, 64 + column] = 1
    ((_, integrals),) = project(wire, 1.0, height, [angle])
    across = ((np.arange(DETECTOR) + 0.5) / DETECTOR - 0.5) * height
    assert (integrals[0] * across).sum() / integrals[0].sum() == pytest.approx(40, abs=0.3)


def test_the_table_does_not_attenuate(tmp_path):
    y, x = np.mgrid[:48, :48]
    hounsfield = np.full((48, 48), -1000, np.int16)
    hounsfield[(y - 22) ** 2 + (x - 25) ** 2 < 18**2] = 40
    hounsfield[46, 5:40] = 300  # a table below the body
    header = pydicom.dcmread(write_ct(tmp_path / "slice.dcm", hounsfield=hounsfield))
    attenuation = attenuation_of_body(header)
    assert attenuation[46].max() == 0 and attenuation[0, 0] == 0
    assert attenuation[22, 20] == pytest.approx(WATER * 1.04)


BALL = (27.0, 58.0, 14.0)  # row, column, slice of its centre
RADIUS = 7.0  # mm
SLICES, STEP, PLANE = 40, 2.5, 96  # 100 mm high; pixels of 1 mm


@pytest.fixture(scope="module")
def ball():
    """Mask of a ball, (slices, H, W), from the head down; slices are 2.5 mm apart and pixels 1 mm wide."""
    z, y, x = np.mgrid[:SLICES, :PLANE, :PLANE].astype(float)
    return (z - BALL[2]) ** 2 * STEP**2 + (y - BALL[0]) ** 2 + (x - BALL[1]) ** 2 < RADIUS**2


def seen_from(angle):
    """Column of the centre of the ball in a radiograph, and the magnification there, by the geometry of the fan.

    The source is at the depth +SOURCE behind the axis; u and v are the coordinates across and along the central ray.
    """
    row, column = BALL[0] - (PLANE - 1) / 2, BALL[1] - (PLANE - 1) / 2
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    u, v = column * cosine + row * sine, row * cosine - column * sine
    magnification = SOURCE / (SOURCE - v)
    return (u * magnification / (SLICES * STEP) + 0.5) * SIDE, magnification


def test_the_box_of_a_ball_is_computed_by_hand(ball):
    angles = np.linspace(-90, 80, 18)
    masks = {number: mask for number, mask in enumerate(ball) if mask.any()}
    for angle, box in zip(angles, project_boxes(masks, SLICES, 1.0, SLICES * STEP, angles), strict=True):
        column, magnification = seen_from(angle)
        scale = SIDE / (SLICES * STEP)
        assert box.x + box.width / 2 == pytest.approx(column, abs=0.5 * scale)
        assert box.width == pytest.approx(2 * RADIUS * magnification * scale, abs=scale)
        # Slices 12 to 16 are within 7 mm of the centre in slice 14, and each is 1024 / 40 pixels high.
        assert (box.y, box.y + box.height) == (int(12 * 25.6), int(17 * 25.6) + 1)


@pytest.mark.slow
def test_the_brightest_spot_of_a_cylinder_with_a_dense_ball_lies_in_the_box(ball, tmp_path):
    y, x = np.mgrid[:PLANE, :PLANE] - (PLANE - 1) / 2
    cylinder = np.where(np.hypot(x, y) < 44, 0, -1000)
    headers = []
    for number in range(SLICES):
        hounsfield = np.where(ball[number], 8000, cylinder).astype(np.int16)
        path = tmp_path / f"{number}.dcm"
        write_ct(path, z=-STEP * number, hounsfield=hounsfield, PixelSpacing=[1, 1], number=number, StudyInstanceUID="1.2")
        headers.append(pydicom.dcmread(path))
    lesion = {header.SOPInstanceUID: mask for header, mask in zip(headers, ball, strict=True) if mask.any()}
    write_radiographs(headers[::-1], 6, tmp_path / "rsna/images", [lesion])  # in any order
    boxes = read_csv(tmp_path / "rsna/stage_2_train_labels.csv")
    assert len({row["patientId"] for row in boxes}) == 6
    for row in boxes:
        _, image = dicom.read_pixels(tmp_path / f"rsna/images/{row['patientId']}.dcm")
        left, top, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
        assert row["Target"] == "1" and image.max() > 250
        rows, columns = np.nonzero(image > 250)
        assert top <= rows.min() and rows.max() < top + height
        assert left <= columns.min() and columns.max() < left + width


def test_a_lesion_that_no_ray_crosses_has_no_box():
    """The corner of a slice lies outside the fan."""
    corner = np.zeros((65, 65), bool)
    corner[:3, :3] = True
    assert list(project_boxes({0: corner}, 4, 1.0, 40.0, [0])) == [None]
