"""NIfTI volumes in and out: upright slices, the header of the original, and files that are refused."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from fplbench.applying.nifti.scan import NiftiScan, find_nifti_scans, stem
from fplbench.applying.nifti.volume import read_volume_header, unpack
from fplbench.applying.scan import Facts, ReadingOptions, Stamp
from fplbench.datasets.formats.nifti import volume_slices
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.errors import InputError
from tests.helpers.nifti_files import write_volume

VOLUME = np.random.default_rng(0).integers(-1024, 2000, (7, 9, 5))
STAMP = Stamp("noisy", "0" * 64, "Denoised.")


def scan_of(path, suffix=".nii", **options):
    """The scan of a file, without the process that reads headers otherwise."""
    header = read_volume_header(str(path))
    slices, rows, columns = header.upright_shape
    facts = Facts(stem(path.name), path.name, None, header.spacing, slices, rows, columns, False, header.notes)
    return NiftiScan(path, facts, header, ReadingOptions(scratch=path.parent / "scratch", **options), suffix)


def rewrite(scan, folder, kind="denoised", change=lambda values: values):
    """Write a scan as it is, or changed, last slice first; returns the file and what the writer says that it holds."""
    writer = scan.writer(kind, folder, STAMP)
    written = {plane.number: writer.write(plane.number, change(plane.values)) for plane in scan.planes(range(scan.facts.slices))}
    (path,) = writer.finish()
    return path, np.stack([written[number] for number in sorted(written)])


def upright(path):
    """Axial slices from the feet up, with the front at the top and the right side on the left, by nibabel."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return image.get_fdata()[::-1, ::-1].transpose(2, 1, 0)


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SPL", "AIR", "PSR", "IRP", "LAI"])
@pytest.mark.parametrize("slope", [None, (2.0, -10.0), (0.5, 3.0)])
def test_slices_are_upright_and_written_back_to_their_places_bit_for_bit(tmp_path, axes, slope):
    path = write_volume(tmp_path / "a.nii", VOLUME, axes=axes, slope=slope)
    scan = scan_of(path)
    planes = list(scan.planes(range(5)))
    assert [plane.number for plane in planes] == list(range(5))
    np.testing.assert_array_equal(np.stack([plane.values for plane in planes]), upright(path))
    assert (scan.facts.spacing, scan.facts.slices) == ((0.7, 0.8), 5)
    copy, written = rewrite(scan, tmp_path / "out")
    assert copy.read_bytes() == path.read_bytes()
    np.testing.assert_array_equal(written, upright(path))


@pytest.mark.slow
@pytest.mark.parametrize("axes", ["LPS", "SPL"])
def test_compressed_volumes_are_the_same_and_equal_ones_equal_files(tmp_path, axes):
    path = write_volume(tmp_path / "a.nii.gz", VOLUME, axes=axes)
    scan = scan_of(path, ".nii.gz")
    np.testing.assert_array_equal(np.stack([plane.values for plane in scan.planes(range(5))]), upright(path))
    copies = [rewrite(scan, tmp_path / name)[0] for name in ("one", "two")]
    assert gzip.decompress(copies[0].read_bytes()) == gzip.decompress(path.read_bytes())
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SPL", "AIR", "PSR", "IRP", "LAI"])
@pytest.mark.parametrize(("plane", "across"), [("sagittal", 0), ("coronal", 1)])
def test_a_volume_is_cut_across_its_largest_spacing_and_written_back_bit_for_bit(tmp_path, axes, plane, across):
    spacing = np.array([0.7, 0.8, 0.9])
    spacing[across] = 3
    path = write_volume(tmp_path / "a.nii", VOLUME, axes=axes, spacing=tuple(spacing), slope=(0.5, 3.0))
    scan = scan_of(path)
    # From right to left or front to back; the head is at the top, and the front or the right on the left.
    canonical = nibabel.as_closest_canonical(nibabel.load(path)).get_fdata()
    expected = np.moveaxis(canonical, across, 0)[::-1, ::-1, ::-1].transpose(0, 2, 1)
    rows, columns = 0.9, spacing[1 - across]
    assert scan.facts.spacing == (rows, columns) and (scan.facts.slices, scan.facts.rows) == (VOLUME.shape[across], 5)
    assert f"{plane} slices" in scan.facts.notes[0] and "3 mm" in scan.facts.notes[0]
    planes = list(scan.planes(range(scan.facts.slices)))
    np.testing.assert_array_equal(np.stack([one.values for one in planes]), expected)
    shown = dict(volume_slices(nibabel.load(path), range(scan.facts.slices), across))
    np.testing.assert_array_equal(np.stack([shown[number] for number in sorted(shown)]), expected)
    assert rewrite(scan, tmp_path / "out")[0].read_bytes() == path.read_bytes()
    # Other values go to the places of their voxels too.
    copy, _ = rewrite(scan, tmp_path / "residual", "residual", lambda values: (values == values.max()) * values)
    peaks = np.where(expected == expected.max((1, 2), keepdims=True), expected, 0)
    back = nibabel.as_closest_canonical(nibabel.load(copy)).get_fdata()
    np.testing.assert_array_equal(np.moveaxis(back, across, 0)[::-1, ::-1, ::-1].transpose(0, 2, 1), peaks)


@pytest.mark.parametrize("spacing", [(0.7, 0.8, 2.5), (3, 1, 3), (1, 1, 0.5), (1, 1, 1), (1.005, 1, 1)])
def test_a_volume_without_one_largest_spacing_is_cut_axially(tmp_path, spacing):
    scan = scan_of(write_volume(tmp_path / "a.nii", VOLUME, axes="PSR", spacing=spacing))
    assert (scan.facts.slices, scan.facts.notes) == (5, ())


def test_a_compressed_volume_with_one_wrong_byte_is_refused(tmp_path):
    content = write_volume(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(-1024, 2000, (64, 64, 20))).read_bytes()
    path, target = tmp_path / "b.nii.gz", tmp_path / "voxels"
    header = read_volume_header(str(tmp_path / "a.nii.gz"))
    reasons = set()
    # Among these are bytes after which the stream decompresses to more, to less, or to as much as before; and both sums.
    middle, end = len(content) // 2, len(content)
    for place in [*range(middle - 30, middle + 30), end - 8, end - 4]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(Unreadable) as error:
            unpack((str(path), str(target), header))
        reasons.add(str(error.value))
        assert not target.exists()
    assert "it is damaged: its checksum does not match" in reasons
    assert all(reason.startswith(("it is damaged: ", "it is truncated: ")) for reason in reasons)
    assert unpack((str(tmp_path / "a.nii.gz"), str(target), header)) == "" and target.stat().st_size == header.nbytes


@pytest.mark.parametrize("axes", ["RAS", "IRP"])
def test_some_slices_can_be_read_alone(tmp_path, axes):
    path = write_volume(tmp_path / "a.nii", VOLUME, axes=axes)
    planes = list(scan_of(path).planes([4, 0, 3]))
    assert [plane.number for plane in planes] == [0, 3, 4]
    np.testing.assert_array_equal(np.stack([plane.values for plane in planes]), upright(path)[[0, 3, 4]])


def test_values_are_rounded_to_what_the_type_and_the_slope_can_hold(tmp_path):
    path = write_volume(tmp_path / "a.nii", np.zeros((1, 3, 1)), dtype=np.uint8, slope=(2.0, -10.0))
    written, values = rewrite(scan_of(path), tmp_path / "out", change=lambda plane: np.float32([[-100], [0.9], [700]]))
    # Stored from 0 to 255, so from -10 to 500 in steps of 2.
    np.testing.assert_array_equal(values[0], [[-10], [0], [500]])
    np.testing.assert_array_equal(upright(written)[0], [[-10], [0], [500]])


def test_int16_and_float32_are_choices_and_affine_units_and_intent_stay(tmp_path):
    image = nibabel.Nifti1Image(np.array([[[0.25], [-7.7]]], np.float64), np.diag([2.0, 3, 4, 1]))
    image.header.set_intent("estimate", name="kept")
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path := tmp_path / "a.nii")
    for dtype, expected in [("int16", [0.25, -7.7]), ("float32", np.float32([0.25, -7.7])), ("input", [0.25, -7.7])]:
        copy = nibabel.load(rewrite(scan_of(path, dtype=dtype), tmp_path / dtype)[0])
        assert copy.get_data_dtype() == (np.float64 if dtype == "input" else np.dtype(dtype))
        np.testing.assert_allclose(np.asarray(copy.dataobj).ravel(), expected, atol=7.95 / 59_000 if dtype == "int16" else 0)
        np.testing.assert_array_equal(copy.affine, image.affine)
        assert copy.header.get_intent()[2] == "kept" and copy.header.get_xyzt_units() == ("mm", "sec")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.0, 0.1234, 1.0], 1 / 59_000),  # as of a normalised image
        ([-1e6, 3.0, 2e6], 3e6 / 59_000),
        ([-1024.3, 40.4, 3000.2], 1),  # HU are rounded to whole ones
        ([7.5, 7.5, 7.5], 1e-6),
        ([np.nan, 0.25, 0.5], 0.25 / 59_000),
    ],
)
def test_int16_holds_any_range_of_numbers(tmp_path, values, step):
    nibabel.save(nibabel.Nifti1Image(np.array(values).reshape(1, 3, 1), np.eye(4)), path := tmp_path / "a.nii")
    copy = nibabel.load(rewrite(scan_of(path, dtype="int16"), tmp_path / "out")[0])
    finite = np.isfinite(values)
    assert copy.get_data_dtype() == np.int16
    assert np.abs(copy.get_fdata().ravel() - values)[finite].max() <= 0.51 * step


def test_numbers_beyond_int16_are_shifted_if_that_is_enough(tmp_path):
    path = write_volume(tmp_path / "a.nii", VOLUME + 40_000, dtype=np.uint16)
    copy = nibabel.load(rewrite(scan_of(path, dtype="int16"), tmp_path / "out")[0])
    assert copy.get_data_dtype() == np.int16
    np.testing.assert_array_equal(copy.get_fdata(), nibabel.load(path).get_fdata())


def test_integers_keep_their_slope_as_int16(tmp_path):
    path = write_volume(tmp_path / "a.nii", VOLUME, dtype=np.int32, slope=(0.5, -3.0))
    copy = nibabel.load(rewrite(scan_of(path, dtype="int16"), tmp_path / "out")[0])
    assert (copy.dataobj.slope, copy.dataobj.inter, copy.get_data_dtype()) == (0.5, -3.0, np.int16)
    np.testing.assert_array_equal(copy.get_fdata(), nibabel.load(path).get_fdata())


def test_residual_and_features_are_float32_in_the_place_of_the_original(tmp_path):
    path = write_volume(tmp_path / "a.nii", np.abs(VOLUME) % 200, dtype=np.uint8, axes="PSR", slope=(2.0, 5.0))
    copy, _ = rewrite(scan_of(path), tmp_path / "out", "residual", lambda values: -values / 3)
    image = nibabel.load(copy)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(image.affine, nibabel.load(path).affine)
    np.testing.assert_allclose(upright(copy), -upright(path) / 3, rtol=1e-6)


def test_nan_and_numbers_beyond_the_precision_of_float32_stay(tmp_path):
    values = np.array([[[np.nan], [2.0**53 - 1], [0.1], [5.0]]])
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path := tmp_path / "a.nii")
    scan = scan_of(path)
    (plane,) = scan.planes([0])
    writer = scan.writer("denoised", tmp_path / "out", STAMP)
    changed = plane.values.copy()
    changed[changed == 5] = 6
    written = writer.write(0, changed)
    assert np.isnan(written).sum() == 1
    values[values == 5] = 6
    np.testing.assert_array_equal(nibabel.load(writer.finish()[0]).get_fdata(), values)


@pytest.mark.parametrize("dtype", ["input", "int16", "float32"])
@pytest.mark.parametrize(("own", "largest"), [(np.float32, 3e38), (np.float64, 1e300)])
@pytest.mark.filterwarnings("error")
def test_a_residual_is_0_or_nan_where_the_original_is_not_finite(tmp_path, dtype, own, largest):
    values = np.array([1, 2, largest, np.nan, np.inf, -np.inf, 0], own)
    # The last is a NaN that NumPy warns of.
    values.view(f"u{values.itemsize}")[-1] = 0x7FA00000 if own is np.float32 else 0x7FF4000000000000
    nibabel.save(nibabel.Nifti1Image(values.reshape(1, 7, 1), np.eye(4)), path := tmp_path / "a.nii")
    scan = scan_of(path, dtype=dtype)
    (plane,) = scan.planes([0])
    written = scan.writer("denoised", tmp_path / "out", STAMP).write(0, plane.values)
    with np.errstate(all="ignore"):
        removed = written - plane.values
    writer = scan.writer("residual", tmp_path / "residual", STAMP)
    writer.write(0, removed)
    residual = nibabel.load(writer.finish()[0]).get_fdata().ravel()
    assert np.all((residual == 0) | np.isnan(residual) | np.isfinite(values))
    assert np.isfinite(residual[:2]).all() and not np.isinf(residual).any()


@pytest.mark.parametrize(("dtype", "highest"), [(np.int64, 2**63 - 1024), (np.uint64, 2**64 - 2048), (np.int32, 2**31 - 1)])
@pytest.mark.filterwarnings("error")
def test_values_beyond_an_integer_type_become_its_limits(tmp_path, dtype, highest):
    nibabel.save(nibabel.Nifti1Image(np.zeros((1, 2, 1), dtype), np.eye(4), dtype=dtype), path := tmp_path / "a.nii")
    copy, _ = rewrite(scan_of(path), tmp_path / "out", change=lambda values: np.float32([[np.inf], [-np.inf]]))
    # Where float64 does not hold the highest number, the next one below.
    assert np.asarray(nibabel.load(copy).dataobj).ravel().tolist() == [np.iinfo(dtype).min, highest]


def test_extensions_big_endian_and_nifti_2_are_kept(tmp_path):
    image = nibabel.Nifti1Image(VOLUME.astype(">i2"), np.eye(4), nibabel.Nifti1Header(endianness=">"))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"of the scanner"))
    nibabel.save(image, first := tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti2Image(VOLUME.astype(np.int16), np.eye(4)), second := tmp_path / "b.nii")
    for path in (first, second):
        assert rewrite(scan_of(path), tmp_path / "out")[0].read_bytes() == path.read_bytes()
        residual = nibabel.load(rewrite(scan_of(path), tmp_path / "residual", "residual")[0])
        assert type(residual) is type(nibabel.load(path))
        np.testing.assert_array_equal(residual.get_fdata(), VOLUME)
    assert b"of the scanner" in (tmp_path / "residual/a.nii").read_bytes()


def test_a_volume_in_four_dimensions_and_a_single_slice_are_fine(tmp_path):
    for shape in [(7, 9, 5, 1), (7, 9, 5, 1, 1), (7, 9)]:
        values = np.resize(VOLUME, shape).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path := tmp_path / "a.nii")
        scan = scan_of(path)
        assert scan.header.shape == (*shape[:3], 1)[:3]
        copy, _ = rewrite(scan, tmp_path / str(len(shape)))
        assert copy.read_bytes() == path.read_bytes()


def test_a_header_without_orientation_is_noted(tmp_path):
    image = nibabel.Nifti1Image(VOLUME.astype(np.int16), None)
    nibabel.save(image, path := tmp_path / "a.nii")
    scan = scan_of(path)
    assert scan.facts.spacing is None and "does not say how the volume lies" in scan.facts.notes[0]


def test_lengths_in_other_units_are_converted(tmp_path):
    image = nibabel.Nifti1Image(VOLUME.astype(np.int16), np.diag([700.0, 800, 900, 1]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, path := tmp_path / "a.nii")
    assert scan_of(path).facts.spacing == (0.8, 0.7)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)), "2 volumes in one file"),
        (nibabel.Nifti1Image(np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")]), np.eye(4)), "a colour volume"),
        (nibabel.Nifti1Image(np.zeros((4, 4, 4), np.complex64), np.eye(4)), "complex numbers"),
    ],
)
def test_what_is_not_one_grey_volume_is_left_out(tmp_path, image, reason):
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(NotAnImage, match=reason):
        read_volume_header(str(tmp_path / "a.nii"))


def test_labels_are_left_out(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4))
    image.header.set_intent("label")
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(NotAnImage, match="labels"):
        read_volume_header(str(tmp_path / "a.nii"))


@pytest.mark.parametrize("shape", [(16384, 16384, 8), (32767, 32767, 1), (512, 512, 900), (-5, 4, 4), (0, 4, 4)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_header_that_lies_about_the_size_is_refused(tmp_path, shape, suffix):
    content = bytearray(write_volume(tmp_path / "good.nii", VOLUME).read_bytes())
    content[42:48] = struct.pack("<3h", *shape)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(bytes(content)) if suffix == ".nii.gz" else bytes(content))
    with pytest.raises((Unreadable, nibabel.spatialimages.HeaderDataError)):
        read_volume_header(str(path))


@pytest.mark.slow
def test_files_are_sorted_into_scans_skipped_and_unreadable(tmp_path):
    write_volume(tmp_path / "deep/er/good.nii.gz", VOLUME)
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)), tmp_path / "several.nii")
    (tmp_path / "text.nii").write_text("no volume")
    large = np.random.default_rng(0).integers(-1024, 2000, (64, 64, 20))
    content = write_volume(tmp_path / "cut.nii.gz", large).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(content[:-40])
    names = ["several.nii", "text.nii", "cut.nii.gz", "deep/er/good.nii.gz"]
    found = find_nifti_scans(tmp_path, names, ReadingOptions(scratch=tmp_path / "scratch"))
    assert [scan.facts.name for scan in found.scans] == ["cut", "deep/er/good"]
    assert found.skipped == {"several.nii": "2 volumes in one file"} and list(found.problems) == ["text.nii"]
    with pytest.raises(InputError, match=r"cut.nii.gz cannot be read: it is truncated: it ends within its voxels"):
        list(found.scans[0].planes([0]))
