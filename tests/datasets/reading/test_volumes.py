"""NIfTI volumes: units, place in the patient, impossible values, and persons that are not known."""

import nibabel
import numpy as np
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.formats.nifti import mask_slices, open_volume, volume_slices
from fplbench.datasets.loaders.ct import CtOptions
from fplbench.datasets.persons import persons_known
from fplbench.datasets.registry import Unreadable
from fplbench.datasets.sampling.check import check_data
from tests.helpers.nifti_files import write_volume

CT = LOADERS["ct"]
SHAPE = (6, 5, 4)


def write(path, *, units="mm", codes=(0, 2), spacing=(0.8, 0.7, 2.5), values=None):
    """Write a volume whose affine is in a unit, with codes for qform and sform."""
    factor = {"meter": 0.001, "micron": 1000, "mm": 1, None: 1}[units]
    image = nibabel.Nifti1Image(
        np.zeros(SHAPE, np.float32) if values is None else values, np.diag([*spacing, 1 / factor]) * factor
    )
    image.header.set_xyzt_units(units or 0)
    image.set_qform(image.affine, codes[0])
    image.set_sform(image.affine, codes[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def slices_of(path):
    options = CtOptions(root=path.parent)
    return CT.arrange({path.name: CT.read_header(path, options)}, options)[0]


@pytest.mark.parametrize("units", ["mm", None, "meter", "micron"])
def test_lengths_are_in_mm_whatever_the_unit_of_the_header(tmp_path, units):
    slices = slices_of(write(tmp_path / "a.nii", units=units))
    assert slices[0].spacing == pytest.approx((0.7, 0.8))
    assert [one.position for one in slices] == pytest.approx([0, 2.5, 5, 7.5])


def test_one_volume_in_four_dimensions_keeps_its_unit(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((*SHAPE, 1), np.float32), np.diag([8e-4, 7e-4, 2.5e-3, 1]))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii")
    assert slices_of(tmp_path / "a.nii")[0].spacing == pytest.approx((0.7, 0.8))


def test_a_volume_whose_place_is_not_given_is_noted_and_a_spacing_of_1_is_not_trusted(tmp_path, caplog):
    (one, *_) = slices_of(write(tmp_path / "a.nii", codes=(0, 0), spacing=(1, 1, 1)))
    assert one.spacing is None and "1 of 1 files: The header does not say how the volume lies" in caplog.text
    caplog.clear()
    (one, *_) = slices_of(write(tmp_path / "b.nii", codes=(0, 0)))
    assert one.spacing == pytest.approx((0.7, 0.8)) and caplog.text
    caplog.clear()
    (one, *_) = slices_of(write(tmp_path / "c.nii", codes=(1, 0), spacing=(1, 1, 1)))
    assert one.spacing == (1, 1) and not caplog.text


def test_infinite_values_end_at_the_ends_of_the_ct_scale(tmp_path):
    values = np.zeros(SHAPE, np.float32)
    values[0], values[1], values[2], values[3] = np.inf, -np.inf, np.nan, 1e6
    path = write(tmp_path / "a.nii", values=values)
    for plane in CT.read_images(path, slices_of(path), CtOptions(root=tmp_path)):
        assert set(np.unique(plane.values)) == {-1024, 0, 30710}
        assert [plane.values[0, 5 - right] for right in range(4)] == [30710, -1024, -1024, 30710]


@pytest.mark.parametrize("axes", ["RAS", "LPI", "SAR", "IRP"])
def test_a_mask_has_the_numbers_and_the_orientation_of_its_volume(tmp_path, axes):
    labels = np.random.default_rng(0).integers(0, 3, SHAPE)
    volume = open_volume(write_volume(tmp_path / "volume.nii", labels, axes=axes))
    masks = dict(mask_slices(write_volume(tmp_path / "mask.nii", labels, axes=axes), volume))
    shown = dict(volume_slices(volume, range(4)))
    assert masks.keys() == shown.keys() == {0, 1, 2, 3}
    assert all(np.array_equal(masks[number], shown[number]) for number in shown)


def test_a_compressed_volume_whose_checksum_does_not_match_is_unreadable(tmp_path):
    path = write_volume(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 100, (16, 16, 6)))
    assert len(dict(volume_slices(open_volume(path), [1, 3]))) == 2
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # of the checksum
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="its checksum does not match"):
        dict(volume_slices(open_volume(path), [1, 3]))


def write_phases(root, name):
    """Three contrast phases of each of three patients."""
    for patient in range(3):
        for phase in ("arterial", "venous", "late"):
            values = np.random.default_rng(patient).integers(0, 100, (16, 16, 6)).astype(np.int16)
            write_volume(root / name.format(patient=patient, phase=phase), values)
    return CtOptions(root=root)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "known"), [("{patient}_{phase}.nii", False), ("sub-{patient}/{phase}_ct.nii", True)])
def test_of_volumes_that_name_no_patient_persons_are_not_known(tmp_path, name, known):
    options = write_phases(tmp_path / "in", name)
    sampling = SamplingOptions(train=4, validation=2, test=2, size=16)
    lines, possible = check_data("own", options, sampling, 1, 1, tmp_path / "sheet.png", loader="ct")
    assert possible and ("Patients: 3" in lines) == known and ("Images (persons unknown): 54" in lines) != known
    assert ("Patients without an identifier are counted by volume: 9." in lines) != known
    summary = sample_dataset("own", options, sampling, 1, tmp_path / "out", loader="ct")
    assert summary["persons_known"] == known and summary["patients_found"] == (3 if known else None)
    assert summary["test_images_of_training_patients"] == (0 if known else None)
    assert summary["patients_identified"] == (3 if known else 0)
    assert summary["patients_counted_by"] == ({} if known else {"volume": 9})


def test_volumes_of_lits_are_patients():
    assert persons_known(LOADERS["lits"].arrange({"volume-1.nii": lits_header()}, None)[0])


def lits_header():
    return {"volume": 1, "chosen": "0-3", "row_spacing": 1.0, "column_spacing": 1.0, "slice_spacing": 1.0}
