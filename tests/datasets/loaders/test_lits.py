"""CT volumes in NIfTI."""

import gzip
import logging

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lits import LitsOptions, arrange, left_out, read_header, read_images
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.errors import InputError
from tests.helpers.nifti_files import write_volume

SHAPE = (6, 5, 4)  # right, anterior, superior


@pytest.fixture
def volume():
    """The value of a voxel encodes its place: 100 * right + 10 * anterior + superior."""
    right, anterior, superior = np.indices(SHAPE)
    return 100 * right + 10 * anterior + superior


def slices_of(path, root, **options):
    options = LitsOptions(root=root, **options)
    header = {path.relative_to(root).as_posix(): read_header(path, options)}
    return arrange(header, options)[0]


def images_of(path, root, **options):
    slices = slices_of(path, root, **options)
    images = {plane.slice: plane.values for plane in read_images(path, slices, LitsOptions(root=root))}
    return [images[one] for one in slices]


def shown(volume, superior):
    """A slice as a radiologist sees it: the front at the top, the right side of the patient on the left."""
    return volume[::-1, ::-1, superior].T


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "RPI", "SAR", "PSL", "AIL"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_stored_order_of_axes_does_not_matter(tmp_path, volume, axes, suffix):
    path = write_volume(tmp_path / f"volume-0{suffix}", volume, axes=axes)
    images = images_of(path, tmp_path)
    assert len(images) == SHAPE[2]
    for number, image in enumerate(images):
        assert np.array_equal(image, shown(volume, number))


@pytest.mark.parametrize("shear", [0.2, -0.3])
def test_an_oblique_affine_is_read_along_the_nearest_axes(tmp_path, volume, shear):
    path = write_volume(tmp_path / "volume-0.nii", volume, axes="LPS", shear=shear)
    assert np.array_equal(images_of(path, tmp_path)[3], shown(volume, 3))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_rotated_affine_is_read_along_the_nearest_axes(tmp_path, volume, axis):
    """By 30 degrees about each axis of the patient; from 45 degrees on, another axis would be the nearest."""
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turn = np.insert(np.insert([[cosine, -sine], [sine, cosine]], axis, 0, axis=0), axis, 0, axis=1)
    turn[axis, axis] = 1
    path = write_volume(tmp_path / "volume-0.nii", volume, axes="LPS", spacing=(0.8, 0.7, 0.9), turn=turn)
    one = slices_of(path, tmp_path)[3]
    assert np.array_equal(images_of(path, tmp_path)[3], shown(volume, 3))
    assert one.spacing == pytest.approx((0.7, 0.8)) and one.position == pytest.approx(2.7)


@pytest.mark.parametrize(
    ("dtype", "slope"),
    [(np.int16, None), (np.uint16, (1, -1024)), (np.int16, (2, -50)), (np.float32, None), (np.float64, None)],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_data_type_and_slope_gives_the_same_hounsfield_units(tmp_path, volume, dtype, slope, suffix):
    path = write_volume(tmp_path / f"volume-0{suffix}", volume, dtype=dtype, slope=slope)
    expected = volume if slope is None else volume * slope[0] + slope[1]
    assert np.array_equal(images_of(path, tmp_path)[1], shown(expected, 1))


def test_values_below_air_and_nan_become_air(tmp_path):
    volume = np.full(SHAPE, -3024.0)
    volume[0] = np.nan
    path = write_volume(tmp_path / "volume-0.nii", volume, dtype=np.float32)
    assert (images_of(path, tmp_path)[0] == -1024).all()


def test_volumes_are_ordered_by_number(tmp_path, volume):
    paths = [write_volume(tmp_path / f"Training_Batch1/volume-{number}.nii", volume) for number in (10, 2, 1)]
    headers = {path.relative_to(tmp_path).as_posix(): read_header(path, LitsOptions()) for path in paths}
    slices, _ = arrange(headers, LitsOptions())
    assert [one.patient for one in slices][:: SHAPE[2]] == ["volume-001", "volume-002", "volume-010"]
    assert len({one.image_id for one in slices}) == 12


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Training_Batch2/volume-130.nii", ""),
        ("Task03_Liver/imagesTr/liver_7.nii.gz", ""),
        ("segmentation-3.nii", "a mask"),
        ("labelsTr/liver_7.nii.gz", "a mask"),
        ("imagesTs/liver_9.nii.gz", "a test volume of the decathlon"),
        ("imagesTr/._liver_7.nii.gz", "NIfTI not named volume-N or liver_N"),
        ("dataset.json", "not a volume"),
    ],
)
def test_both_layouts_are_known_and_masks_and_test_images_are_not(tmp_path, path, kind):
    assert left_out(path, tmp_path) == kind


def test_two_volumes_with_one_number_count_once(tmp_path, volume):
    paths = [write_volume(tmp_path / f"{name}", volume) for name in ("volume-7.nii", "imagesTr/liver_7.nii.gz")]
    headers = {path.relative_to(tmp_path).as_posix(): read_header(path, LitsOptions()) for path in paths}
    slices, repeats = arrange(headers, LitsOptions())
    assert len(slices) == SHAPE[2] and list(repeats) == ["volume-7.nii"]


def test_spacing_follows_the_patient_axes(tmp_path, volume):
    path = write_volume(tmp_path / "volume-0.nii", volume, axes="SAR", spacing=(0.8, 0.7, 2.5))
    one = slices_of(path, tmp_path)[2]
    assert one.spacing == (0.7, 0.8) and one.position == pytest.approx(5.0)


def test_a_false_spacing_of_one_is_not_passed_on(tmp_path, volume):
    one = slices_of(write_volume(tmp_path / "volume-30.nii", volume, spacing=(1, 1, 1)), tmp_path)[2]
    assert one.spacing is None and one.position is None


@pytest.mark.parametrize("axes", ["RAS", "LPI", "SAR"])
@pytest.mark.parametrize(
    "names", [("volume-3.nii", "segmentation-3.nii"), ("imagesTr/liver_3.nii.gz", "labelsTr/liver_3.nii.gz")]
)
def test_liver_only_takes_the_labelled_slices_by_index_whatever_the_masks_geometry(tmp_path, volume, axes, names):
    import nibabel

    path = write_volume(tmp_path / names[0], volume, axes=axes)
    label = np.zeros(SHAPE)
    label[2, 3, [1, 3]] = 2
    mask = write_volume(tmp_path / names[1], label, axes=axes, dtype=np.uint8)
    stored = nibabel.load(mask).get_fdata().astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), mask)
    assert [one.number for one in slices_of(path, tmp_path, liver_only=True)] == [1, 3]
    assert np.array_equal(images_of(path, tmp_path, liver_only=True)[1], shown(volume, 3))


def test_liver_only_leaves_out_a_volume_without_a_mask(tmp_path, volume):
    path = write_volume(tmp_path / "volume-3.nii", volume)
    with pytest.raises(NotAnImage, match="no liver mask, which liver_only needs"):
        read_header(path, LitsOptions(root=tmp_path, liver_only=True))


def write_masked(root, number):
    write_volume(root / f"volume-{number}.nii", np.full((16, 16, 4), 40))
    write_volume(root / f"segmentation-{number}.nii", np.ones((16, 16, 4)), dtype=np.uint8)


def test_a_liver_only_draw_uses_the_volumes_with_a_mask_and_reports_the_others(tmp_path, caplog):
    root = tmp_path / "in"
    for number in range(3):
        write_masked(root, number)
    for number in (7, 8):
        write_volume(root / f"volume-{number}.nii", np.full((16, 16, 4), 40))
    sampling = SamplingOptions(train=2, validation=2, test=2, size=16)
    with caplog.at_level(logging.INFO):
        summary = sample_dataset("lits", LitsOptions(root=root, liver_only=True), sampling, 1, tmp_path / "out")
    assert (summary["patients_found"], summary["files_left_out"], summary["files_unreadable"]) == (3, 5, 0)
    assert "Left out: volume-7.nii: no liver mask, which liver_only needs (segmentation-N next to volume-N" in caplog.text
    assert "Left out: 2 files: no liver mask" in caplog.text


def test_a_liver_only_draw_stops_if_no_volume_has_a_mask(tmp_path):
    for number in range(3):
        write_volume(tmp_path / f"in/volume-{number}.nii", np.full((16, 16, 4), 40))
    message = r"no usable image of LiTS \(3 files: no liver mask, which liver_only needs"
    with pytest.raises(InputError, match=message):
        sample_dataset("lits", LitsOptions(root=tmp_path / "in", liver_only=True), SamplingOptions(), 1, tmp_path / "out")


def test_a_mask_of_another_size_is_refused(tmp_path, volume):
    path = write_volume(tmp_path / "volume-3.nii", volume)
    write_volume(tmp_path / "segmentation-3.nii", volume[:-1])
    with pytest.raises(Unreadable, match="size"):
        read_header(path, LitsOptions(root=tmp_path, liver_only=True))


def test_a_series_of_volumes_is_left_out(tmp_path):
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 2), np.int16), np.eye(4)), tmp_path / "volume-0.nii")
    with pytest.raises(NotAnImage, match="4 dimensions"):
        read_header(tmp_path / "volume-0.nii", LitsOptions())


def test_a_short_file_and_a_singular_affine_are_refused(tmp_path, volume):
    path = write_volume(tmp_path / "volume-0.nii", np.zeros((32, 32, 8)))
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(Unreadable, match="truncated"):
        read_header(path, LitsOptions())
    import nibabel

    flat = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), None)
    flat.header["sform_code"], flat.header["srow_x"][0] = 1, 1.0
    nibabel.save(flat, tmp_path / "volume-1.nii")
    with pytest.raises(Unreadable, match="singular"):
        read_header(tmp_path / "volume-1.nii", LitsOptions())


def test_a_compressed_file_that_ends_early_is_an_error(tmp_path):
    volume = np.random.default_rng(0).integers(-1000, 1000, (32, 32, 16))
    path = write_volume(tmp_path / "volume-0.nii.gz", volume)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()))[:9000])
    slices = slices_of(path, tmp_path)
    with pytest.raises((EOFError, OSError, ValueError)):
        list(read_images(path, slices, LitsOptions()))


def test_a_mask_that_leads_out_of_the_root_is_not_read(tmp_path, volume):
    path = write_volume(tmp_path / "root/volume-3.nii", volume)
    outside = write_volume(tmp_path / "outside.nii", np.ones(SHAPE), dtype=np.uint8)
    (tmp_path / "root/segmentation-3.nii").symlink_to(outside)
    with pytest.raises(Unreadable, match="leads out"):
        read_header(path, LitsOptions(root=tmp_path / "root", liver_only=True))
