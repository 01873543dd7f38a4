"""Enhanced multi-frame DICOM: many slices in a file, each with its own position and rescale."""

import numpy as np
import pydicom
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.ct import CtOptions
from fplbench.datasets.loaders.mr import MrOptions
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.scan import scan
from fplbench.stacks import open_stack, read_index
from tests.helpers.compression import LOSSLESS, compress
from tests.helpers.dicom_files import write_ct
from tests.helpers.multiframe_files import write_multiframe

CORONAL, SAGITTAL = (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1)


def options_of(name, root):
    return {"ct": CtOptions, "mr": MrOptions}[name](root=root)


def slices_of(path, name="ct"):
    """The slices of one file, through its header alone."""
    header = LOADERS[name].read_header(path, options_of(name, path.parent))
    slices, omitted = LOADERS[name].arrange({path.name: header}, options_of(name, path.parent))
    assert not omitted
    return slices


def images_of(path, slices, name="ct"):
    images = {plane.slice: plane.values for plane in LOADERS[name].read_images(path, slices, options_of(name, path.parent))}
    return [images[one] for one in slices]


def numbered(count, shape=(16, 16), dtype=np.int16):
    """Frames whose values are a thousand more than their numbers."""
    return np.broadcast_to(1000 + np.arange(count, dtype=dtype)[:, None, None], (count, *shape)).copy()


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_frames_are_ordered_from_the_feet_up_and_each_slice_has_the_pixels_of_its_frame(tmp_path, order):
    path = write_multiframe(tmp_path / "a.dcm", numbered(5), [(0, 0, -100 + 2.5 * place) for place in order])
    slices = slices_of(path)
    assert [one.position for one in slices] == [-100, -97.5, -95, -92.5, -90]
    assert [one.number for one in slices] == [0, 1, 2, 3, 4] and len({one.image_id for one in slices}) == 5
    assert {(one.patient, one.series, one.source, one.spacing) for one in slices} == {("P1", "1.2.3", "a.dcm", (0.7, 0.6))}
    expected = [1000 + order.index(place) - 1024 for place in range(5)]
    assert [float(image.mean()) for image in images_of(path, slices)] == expected
    assert [float(image.mean()) for image in images_of(path, slices[3:1:-1])] == [expected[3], expected[2]]


def test_each_frame_has_its_own_rescale(tmp_path):
    rescale = [(1, -1024), (2, -1024), (0.5, 100)]
    path = write_multiframe(tmp_path / "a.dcm", numbered(3), [(0, 0, z) for z in range(3)], rescale=rescale)
    expected = [(1000 + number) * slope + intercept for number, (slope, intercept) in enumerate(rescale)]
    assert [float(image.mean()) for image in images_of(path, slices_of(path))] == expected


def test_a_tilted_stack_is_ordered_along_its_normal(tmp_path):
    cosine, sine = np.cos(0.3), np.sin(0.3)
    places = [(3.0 * number * np.array([0, -sine, cosine])).tolist() for number in (1, 0, 2)]
    orientations = [(1, 0, 0, 0, cosine, sine)] * 3
    path = write_multiframe(tmp_path / "a.dcm", numbered(3), places, orientations=orientations)
    slices = slices_of(path)
    assert [one.position for one in slices] == pytest.approx([0, 3, 6], abs=1e-3)
    assert [float(image.mean()) + 24 for image in images_of(path, slices)] == [1, 0, 2]


def test_frames_of_ct_that_are_not_axial_slices_are_left_out_of_the_file(tmp_path):
    kinds = [("ORIGINAL", "PRIMARY", "VOLUME", "NONE")] * 4
    kinds[1] = ("ORIGINAL", "PRIMARY", "LOCALIZER", "NONE")
    kinds[2] = ("DERIVED", "PRIMARY", "VOLUME", "MAX_IP")
    axes = [(1, 0, 0, 0, 1, 0)] * 3 + [CORONAL]
    path = write_multiframe(
        tmp_path / "a.dcm", numbered(5)[:4], [(0, 0, z) for z in range(4)], orientations=axes, frame_types=kinds
    )
    (one,) = slices_of(path)
    assert one.position == 0 and float(images_of(path, [one])[0].mean()) == -24


@pytest.mark.parametrize(
    ("kind", "orientation", "reason"),
    [
        (("ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"), (1, 0, 0, 0, 1, 0), "a localiser"),
        (("DERIVED", "PRIMARY", "VOLUME", "MPR"), (1, 0, 0, 0, 1, 0), "a reformatted or projected"),
        (("ORIGINAL", "PRIMARY", "VOLUME", "NONE"), SAGITTAL, "not an axial plane"),
    ],
)
def test_a_file_without_any_axial_slice_is_left_out_with_the_reason_of_its_first_frame(tmp_path, kind, orientation, reason):
    path = write_multiframe(
        tmp_path / "a.dcm", numbered(2), [(0, 0, 0), (0, 0, 1)], orientations=[orientation] * 2, frame_types=[kind] * 2
    )
    with pytest.raises(NotAnImage, match=reason):
        slices_of(path)


def test_spectral_maps_that_are_not_in_hounsfield_units_are_left_out(tmp_path):
    path = write_multiframe(tmp_path / "a.dcm", numbered(2), [(0, 0, 0), (0, 0, 1)])
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PixelValueTransformationSequence[0].RescaleType = "Z_EFF"
    dataset.save_as(path)
    with pytest.raises(NotAnImage, match="not HU"):
        slices_of(path)


def test_echoes_times_b_values_and_stacks_of_mr_are_separate_series(tmp_path):
    """Two echoes at each of three positions, alternating; the second echo is twice as bright."""
    places = [(0, 0, 5 * (number // 2)) for number in range(6)]
    groups = [{"MREchoSequence": {"EffectiveEchoTime": (20, 80)[number % 2]}} for number in range(6)]
    stored = np.stack([np.full((16, 16), (1 + number % 2) * (1 + number // 2), np.uint16) for number in range(6)])
    path = write_multiframe(tmp_path / "a.dcm", stored, places, modality="MR", groups=groups, rescale=(1, 0))
    slices = slices_of(path, "mr")
    assert [(one.series, one.position, one.number) for one in slices] == [
        ("1.2.3", 0, 0), ("1.2.3", 5, 1), ("1.2.3", 10, 2),
        ("1.2.3 stack 2", 0, 3), ("1.2.3 stack 2", 5, 4), ("1.2.3 stack 2", 10, 5),
    ]  # fmt: skip
    assert [float(image.mean()) for image in images_of(path, slices, "mr")] == [1, 2, 3, 2, 4, 6]


def test_mr_slices_may_have_any_orientation_and_those_of_one_orientation_belong_together(tmp_path):
    axes = [SAGITTAL, CORONAL, SAGITTAL, CORONAL]
    places = [(-4, 0, 0), (0, 30, 0), (4, 0, 0), (0, 20, 0)]
    path = write_multiframe(tmp_path / "a.dcm", numbered(4), places, modality="MR", orientations=axes, rescale=(1, 0))
    slices = slices_of(path, "mr")
    assert [(one.series, one.position) for one in slices] == [
        ("1.2.3", -4), ("1.2.3", 4), ("1.2.3 stack 2", 20), ("1.2.3 stack 2", 30),
    ]  # fmt: skip
    assert [float(image.mean()) - 1000 for image in images_of(path, slices, "mr")] == [0, 2, 3, 1]


def test_of_frames_at_the_same_position_the_first_is_taken(tmp_path):
    path = write_multiframe(tmp_path / "a.dcm", numbered(4), [(0, 0, z) for z in (0, 1, 0, 1)])
    slices = slices_of(path)
    assert [one.position for one in slices] == [0, 1]
    assert [float(image.mean()) + 24 for image in images_of(path, slices)] == [0, 1]


def test_two_files_of_one_series_have_series_of_their_own_and_names_that_differ(tmp_path):
    for name, start in (("a.dcm", 0), ("b.dcm", 10)):
        write_multiframe(tmp_path / name, numbered(3), [(0, 0, start + z) for z in range(3)])
    slices, _ = LOADERS["ct"].arrange(scan(LOADERS["ct"], CtOptions(root=tmp_path), 1).headers, CtOptions())
    assert len({one.series for one in slices}) == 2 and len({one.image_id for one in slices}) == 6
    assert {one.patient for one in slices} == {"P1"}


def test_a_multi_frame_file_gives_the_same_slices_as_one_file_for_each(tmp_path):
    stored = np.random.default_rng(0).integers(0, 3000, (6, 24, 24)).astype(np.int16)
    for number, image in enumerate(stored):
        write_ct(tmp_path / f"single/{number}.dcm", stored=image, z=2.0 * number, number=number)
    write_multiframe(tmp_path / "many/a.dcm", stored, [(-10, -10, 2.0 * number) for number in range(6)])
    found = []
    for folder in ("single", "many"):
        options = CtOptions(root=tmp_path / folder)
        slices, _ = LOADERS["ct"].arrange(scan(LOADERS["ct"], options, 1).headers, options)
        images = [next(LOADERS["ct"].read_images(options.root / one.source, [one], options)).values for one in slices]
        found.append(([(one.number, one.position, one.spacing, one.series) for one in slices], np.stack(images)))
    assert found[0][0] == found[1][0] and np.array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("name", LOSSLESS)
def test_compressed_frames_have_the_same_values(tmp_path, name):
    stored = np.random.default_rng(0).integers(0, 3000, (5, 64, 64)).astype(np.int16)
    plain = write_multiframe(tmp_path / "plain.dcm", stored, [(0, 0, -z) for z in range(5)])
    path = compress(plain, tmp_path / "a.dcm", LOSSLESS[name])
    slices = slices_of(path)
    assert np.array_equal(images_of(path, slices[::2]), stored[::-2].astype(np.float32) - 1024)


def test_a_sampled_stack_of_a_multi_frame_file_comes_from_its_cache_too(tmp_path):
    for number in range(3):
        stored = (1100 + 40 * number + np.arange(20)[:, None, None] + np.zeros((20, 16, 16))).astype(np.int16)
        places = [(0, 0, 2.5 * z) for z in range(20)]
        write_multiframe(tmp_path / f"in/{number}.dcm", stored, places, PatientID=f"P{number}", SeriesInstanceUID=f"1.{number}")
    sampling = SamplingOptions(train=4, validation=2, test=2, size=16)
    options = CtOptions(root=tmp_path / "in", window=(0, 255))
    stacks = []
    for _ in range(2):
        summary = sample_dataset("ct", options, sampling, 1, tmp_path / "out")
        stacks.append(np.array(open_stack(tmp_path / "out/train.npy")))
    assert (summary["patients_found"], summary["images_found"], summary["files_unreadable"]) == (3, 60, 0)
    assert np.array_equal(*stacks)
    for image, row in zip(stacks[0], read_index(tmp_path / "out/train.npy"), strict=True):
        expected = 1100 + 40 * int(row["source"][0]) + int(row["slice"]) - 1024
        assert image.min() == image.max() == expected


def damaged(path, change):
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda file: file.__delattr__("PerFrameFunctionalGroupsSequence"), NotAnImage, "whose positions are not given"),
        (lambda file: file.PerFrameFunctionalGroupsSequence.pop(), Unreadable, "describe 3 of 4 frames"),
        (
            lambda file: [group.__delattr__("PlanePositionSequence") for group in file.PerFrameFunctionalGroupsSequence],
            NotAnImage,
            "whose positions are not given",
        ),
        (lambda file: setattr(file, "NumberOfFrames", 4000), Unreadable, "truncated"),
        (lambda file: setattr(file, "SamplesPerPixel", 3), NotAnImage, "colour"),
    ],
)
def test_faulty_functional_groups_are_named(tmp_path, change, error, reason):
    path = write_multiframe(tmp_path / "a.dcm", numbered(4), [(0, 0, z) for z in range(4)])
    with pytest.raises(error, match=reason):
        slices_of(damaged(path, change))


def test_a_short_file_is_truncated(tmp_path):
    path = write_multiframe(tmp_path / "a.dcm", numbered(40), [(0, 0, z) for z in range(40)])
    path.write_bytes(path.read_bytes()[: 40 * 16 * 16])
    with pytest.raises(Unreadable, match="truncated"):
        slices_of(path)
