"""The tumours of LiTS, read from the masks beside the volumes."""

import os

import numpy as np
import pytest

from fplbench.datasets.cache import stamp_of
from fplbench.datasets.files import walk
from fplbench.datasets.loaders.lits import LitsOptions, arrange
from fplbench.datasets.registry import LOADERS, Unreadable, Wanted
from fplbench.datasets.scan import scan
from tests.helpers.nifti_files import write_volume

SHAPE = (12, 10, 6)  # right, anterior, superior
LAYOUTS = [("volume-3.nii", "segmentation-3.nii"), ("imagesTr/liver_3.nii.gz", "labelsTr/liver_3.nii.gz")]


@pytest.fixture
def labels():
    """Liver with two tumours in slices 1 to 3 and 3: they share slice 3 and do not touch."""
    labels = np.zeros(SHAPE)
    labels[1:11, 1:9, 1:5] = 1
    labels[2:6, 3, 1:4] = 2
    labels[8, 5:8, 3] = 2
    return labels


def write_pair(root, labels, names=LAYOUTS[0], axes="RAS", **mask):
    path = write_volume(root / names[0], np.full(SHAPE, 40), axes=axes)
    write_volume(root / names[1], labels, axes=axes, dtype=mask.pop("dtype", np.uint8), **mask)
    return path


def annotated(root, cache=None, **options):
    """Annotations of a folder, its slices, and what the header scan found."""
    options = LitsOptions(root=root, **options)
    found = scan(LOADERS["lits"], options, 1, cache)
    slices, _ = arrange(found.headers, options)
    return LOADERS["lits"].annotate(found.headers, slices, options), slices, found


def drawn(root, marks, slices):
    """The masks of all slices of the only volume, by number of the slice and lesion."""
    wanted = [Wanted(one, (SHAPE[1], SHAPE[0]), marks[one.image_id]) for one in slices]
    masks = LOADERS["lits"].lesion_masks(root / slices[0].source, wanted, LitsOptions(root=root))
    numbers = {one.image_id: one.number for one in slices}
    return {numbers[name]: {lesion.lesion_id[-1]: mask for lesion, mask in found} for name, found in masks}


@pytest.mark.slow
@pytest.mark.parametrize("axes", ["RAS", "LPI", "LPS", "SAR", "AIL"])
@pytest.mark.parametrize("names", LAYOUTS)
def test_tumours_are_found_and_drawn_as_the_slice_is_shown(tmp_path, labels, axes, names):
    """The front is at the top and the right side of the patient on the left, whatever the order of the axes."""
    write_pair(tmp_path, labels, names, axes)
    result, slices, _ = annotated(tmp_path)
    marks = {one.number: result.marks[one.image_id] for one in slices}
    assert {number: [mark.lesion.lesion_id[-1] for mark in found] for number, found in marks.items()} == {
        0: [], 1: ["1"], 2: ["1"], 3: ["1", "2"], 4: [], 5: [],
    }  # fmt: skip
    lesions = {mark.lesion for found in marks.values() for mark in found}
    assert {(one.lesion_id, one.kind, one.shape, one.readers) for one in lesions} == {
        ("volume-003_tumour-001", "tumour", "mask", None),
        ("volume-003_tumour-002", "tumour", "mask", None),
    }
    # One voxel of 0.8 mm by three of 0.7 mm; four of 0.8 mm by one of 0.7 mm; from corner to corner.
    assert sorted(one.size_mm for one in lesions) == pytest.approx([np.hypot(0.8, 2.1), np.hypot(3.2, 0.7)], rel=1e-3)
    masks = drawn(tmp_path, result.marks, slices)
    first, second = np.zeros(SHAPE[:2], bool), np.zeros(SHAPE[:2], bool)
    first[2:6, 3], second[8, 5:8] = True, True
    shown = {"1": first[::-1, ::-1].T, "2": second[::-1, ::-1].T}
    for number, found in masks.items():
        assert sorted(found) == [mark.lesion.lesion_id[-1] for mark in marks[number]]
        assert all(np.array_equal(mask, shown[name]) for name, mask in found.items())
    assert (result.read, result.faults, result.notes) == (1, [], [])


def test_the_geometry_of_the_mask_is_ignored(tmp_path, labels):
    import nibabel

    write_pair(tmp_path, labels, axes="LPI")
    mask = tmp_path / "segmentation-3.nii"
    stored = nibabel.load(mask).get_fdata().astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), mask)
    result, slices, _ = annotated(tmp_path)
    assert [len(result.marks[one.image_id]) for one in slices] == [0, 1, 1, 2, 0, 0]


@pytest.mark.parametrize(("dtype", "slope"), [(np.float32, None), (np.int16, (0.5, 0)), (np.float64, None)])
def test_masks_of_other_types_are_read(tmp_path, labels, dtype, slope):
    write_pair(tmp_path, labels * (2 if slope else 1), dtype=dtype, slope=slope)
    result, slices, _ = annotated(tmp_path)
    assert [len(result.marks[one.image_id]) for one in slices] == [0, 1, 1, 2, 0, 0]


def test_without_a_trusted_spacing_the_size_is_unknown(tmp_path, labels):
    write_volume(tmp_path / "volume-30.nii", np.full(SHAPE, 40), spacing=(1, 1, 1))
    write_volume(tmp_path / "segmentation-30.nii", labels, dtype=np.uint8)
    result, _, _ = annotated(tmp_path)
    assert {mark.lesion.size_mm for found in result.marks.values() for mark in found} == {None}


def test_a_volume_without_a_mask_is_not_annotated_and_counted(tmp_path, labels):
    write_pair(tmp_path, labels)
    write_volume(tmp_path / "volume-4.nii", np.full(SHAPE, 40))
    result, slices, _ = annotated(tmp_path)
    assert len(slices) == 12 and {name[:10] for name in result.marks} == {"volume-003"}
    assert result.notes == ["Not annotated, since there is no mask: 1 of 2 volumes."] and result.faults == []


@pytest.mark.parametrize("mask", ["deep/segmentation-7.nii.gz", "labelsTr/liver_7.nii"])
def test_a_mask_without_its_volume_is_named_and_counted(tmp_path, labels, mask):
    write_pair(tmp_path, labels)
    write_volume(tmp_path / mask, labels, dtype=np.uint8)
    result, *_ = annotated(tmp_path)
    assert result.notes == [f"Masks of volumes that are left out or not there: 1 mask, such as {mask}."]
    assert (result.read, result.faults) == (1, [])


def test_a_mask_without_a_tumour_was_examined(tmp_path, labels):
    write_pair(tmp_path, np.minimum(labels, 1))
    result, slices, _ = annotated(tmp_path)
    assert result.marks == {one.image_id: () for one in slices} and len(slices) == 6


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda mask: write_volume(mask, np.ones((12, 10, 5)), dtype=np.uint8), "its mask has the size 12x10x5, not 12x10x6"),
        (lambda mask: mask.write_bytes(mask.read_bytes()[:400]), "its mask is damaged"),
        (lambda mask: mask.write_bytes(b"text"), "its mask is damaged"),
        (lambda mask: (mask.rename(mask.parent.parent / "m"), mask.symlink_to("../m")), "leads out of the folder"),
    ],
)
def test_a_mask_that_cannot_be_used_leaves_the_images_usable(tmp_path, labels, spoil, message):
    root = tmp_path / "root"
    write_pair(root, labels)
    spoil(root / "segmentation-3.nii")
    result, slices, found = annotated(root)
    assert len(slices) == 6 and not found.unreadable
    assert result.marks == {} and result.read == 1
    (fault,) = result.faults
    assert fault.startswith("The tumours of volume-3.nii cannot be used: its mask") and message in fault


def test_a_mask_that_liver_only_needs_makes_the_volume_unreadable(tmp_path, labels):
    write_pair(tmp_path, labels[:, :, :5])
    _, slices, found = annotated(tmp_path, liver_only=True)
    assert slices == [] and list(found.unreadable.values()) == ["its mask has the size 12x10x5, not 12x10x6"]


def test_with_liver_only_the_tumours_are_numbered_in_the_whole_volume(tmp_path, labels):
    labels[:, :, 0] = 0
    write_pair(tmp_path, labels)
    result, slices, _ = annotated(tmp_path, liver_only=True)
    assert [one.number for one in slices] == [1, 2, 3, 4]
    assert [len(result.marks[one.image_id]) for one in slices] == [1, 1, 2, 0]
    assert sorted(drawn(tmp_path, result.marks, slices)[3]) == ["1", "2"]


def test_pseudonyms_replace_names_in_the_sentences(tmp_path, labels, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    write_pair(tmp_path / "in", labels[:, :, :5])
    result, _, _ = annotated(tmp_path / "in", pseudonymise=True)
    assert len(result.faults) == 1 and "volume-3" not in result.faults[0]


def test_a_changed_mask_is_read_again_and_an_unchanged_one_is_not(tmp_path, labels):
    root, cache = tmp_path / "in", tmp_path / "headers.csv"
    write_pair(root, labels)
    first, _, _ = annotated(root, cache)
    again, _, found = annotated(root, cache)
    assert found.reused == 1 and again == first  # the tumours survive the text of the cache
    mask = root / "segmentation-3.nii"
    write_volume(mask, np.where(labels == 2, 1, labels), dtype=np.uint8)
    os.utime(mask, ns=(1, 1))
    changed, _, found = annotated(root, cache)
    assert found.reused == 0 and not any(changed.marks.values())
    mask.unlink()
    gone, _, found = annotated(root, cache)
    assert found.reused == 0 and gone.marks == {}


def test_the_stamp_of_a_volume_has_that_of_its_mask(tmp_path, labels):
    path = write_pair(tmp_path, labels)
    (found,) = [one for one in walk(tmp_path) if one.path == path.name]
    status = (tmp_path / "segmentation-3.nii").stat()
    stamp = stamp_of(found, LOADERS["lits"], LitsOptions(root=tmp_path))
    assert stamp[2] == f"{status.st_size} {status.st_mtime_ns}"


def test_a_mask_that_changed_after_its_tumours_were_read_is_reported(tmp_path, labels):
    write_pair(tmp_path, labels)
    result, slices, _ = annotated(tmp_path)
    write_volume(tmp_path / "segmentation-3.nii", np.zeros(SHAPE), dtype=np.uint8)
    with pytest.raises(Unreadable, match="changed"):
        drawn(tmp_path, result.marks, slices)
    (tmp_path / "segmentation-3.nii").unlink()
    with pytest.raises(Unreadable, match="not there any more"):
        drawn(tmp_path, result.marks, slices)
