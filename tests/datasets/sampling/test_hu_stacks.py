"""The stacks of Hounsfield units that sampling writes beside the images of CT."""

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.lits import LitsOptions
from fplbench.datasets.loaders.rsna import RsnaOptions
from fplbench.datasets.sampling.display import to_eight_bit, to_int16
from fplbench.errors import InputError
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.files import names

SAMPLING = SamplingOptions(train=20, validation=5, test=6, size=16)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in names(folder) if name != "headers.csv"}


def test_they_hold_the_values_of_the_slices_that_the_index_names(lidc_root, tmp_path):
    sample_dataset("lidc", LidcOptions(root=lidc_root), SAMPLING, 1, tmp_path / "out", hu=True)
    for split, count in SAMPLING.counts().items():
        hu = np.load(tmp_path / "out" / f"{split}_hu.npy")
        assert hu.dtype == np.int16 and hu.shape == (count, 16, 16)
        for image, row in zip(hu, read_index(tmp_path / "out" / f"{split}.npy"), strict=True):
            assert (image == 100 * int(row["patient"][-4:]) - (11 - int(row["slice"]))).all()


@pytest.mark.slow
def test_everything_else_is_the_same_without_them(lidc_root, tmp_path):
    sample_dataset("lidc", LidcOptions(root=lidc_root), SAMPLING, 1, tmp_path / "with", hu=True)
    sample_dataset("lidc", LidcOptions(root=lidc_root), SAMPLING, 1, tmp_path / "without")
    with_them, without = contents(tmp_path / "with"), contents(tmp_path / "without")
    assert with_them.keys() - without.keys() == {f"{split}_hu.npy" for split in SAMPLING.counts()}
    assert all(with_them[name] == data for name, data in without.items())


@pytest.mark.parametrize(("size", "window"), [(48, (-1000, 400)), (96, (-160, 240))])
def test_in_the_window_they_are_the_image_within_a_grey_level(size, window, tmp_path):
    """Smooth images, which the window cuts off on a few pixels only; where it does, both are clipped at the same end."""
    y, x = np.mgrid[:96, :96]
    for number in range(9):
        image = 60 * (number + 1) * np.sin(x / 25) * np.cos(y / 31) + 20 * number - 40
        path = tmp_path / f"in/{number}.dcm"
        write_ct(path, patient=f"P{number // 3}", series=f"1.{number // 3}", z=number, hounsfield=image.astype(np.int16))
    sampling = SamplingOptions(train=3, validation=3, test=3, size=size)
    sample_dataset("lidc", LidcOptions(root=tmp_path / "in", window=window), sampling, 1, tmp_path / "out", hu=True)
    for split in sampling.counts():
        grey = open_stack(tmp_path / "out" / f"{split}.npy").astype(float)
        hu = np.load(tmp_path / "out" / f"{split}_hu.npy")
        windowed = np.rint(np.clip((hu - window[0]) / (window[1] - window[0]), 0, 1) * 255)
        assert np.ptp(hu) > 100 and np.abs(windowed - grey).max() <= 1


def test_they_are_resized_as_the_image_is_and_padded_with_air():
    values = np.random.default_rng(0).integers(-900, 300, (40, 64)).astype(np.float32)
    hu = to_int16(values, 32)
    assert (hu[:6] == -1024).all() and (hu[-6:] == -1024).all()
    means = values.reshape(20, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(hu[6:-6] - means).max() <= 0.5
    levels = to_eight_bit(values, (-1024, 1275.5), 32) / 255 * 2299.5 - 1024  # a window that cuts off nothing
    assert np.abs(hu - levels).max() <= 0.5 * 2299.5 / 255 + 0.5


def test_values_beyond_16_bits_and_nan_are_kept_within_them():
    hu = to_int16(np.array([[1e6, np.nan], [-1024, 3071]], np.float32), 2)
    assert hu.tolist() == [[32767, -1024], [-1024, 3071]]


@pytest.mark.slow
def test_volumes_have_them_too(tmp_path):
    import nibabel

    for number in range(3):
        voxels = np.full((32, 32, 6), 40 + number, np.int16)
        voxels += np.arange(6, dtype=np.int16)  # differs from slice to slice
        file = tmp_path / f"in/volume-{number}.nii"
        file.parent.mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([0.8, 0.8, 2, 1])), file)
    sampling = SamplingOptions(train=3, validation=2, test=2, size=16)
    sample_dataset("lits", LitsOptions(root=tmp_path / "in"), sampling, 1, tmp_path / "out", hu=True)
    for row, image in zip(read_index(tmp_path / "out/train.npy"), np.load(tmp_path / "out/train_hu.npy"), strict=True):
        assert (image == 40 + int(row["patient"][-3:]) + int(row["slice"])).all()


def test_radiographs_have_none(tmp_path):
    for number in range(4):
        write_radiograph(tmp_path / f"in/stage_2_train_images/{number}.dcm", np.full((32, 32), 90, np.uint8))
    with pytest.raises(InputError, match="rsna has no Hounsfield units, which only CT has; draw it without --hu"):
        sample_dataset("rsna", RsnaOptions(root=tmp_path / "in"), SAMPLING, 1, tmp_path / "out", hu=True)


@pytest.mark.slow
def test_the_command_writes_them_if_asked(lidc_root, tmp_path):
    from fplbench.cli import app

    arguments = ["sample", "lidc", tmp_path / "out", "--root", lidc_root, "--sampling", SAMPLING.model_dump_json(), "--hu"]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    assert (tmp_path / "out/test_hu.npy").exists()
