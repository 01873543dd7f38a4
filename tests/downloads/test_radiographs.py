"""Radiographs projected from a CT."""

import numpy as np
import pydicom
import pytest

from fplbench.downloads.radiographs import DETECTOR, SOURCE, WATER, attenuation_of_body, project
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
