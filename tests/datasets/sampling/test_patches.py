"""Patches: where they lie, and that images, HU and lesions are cut in the same way."""

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.sampling.patches import PLACES, choose_corner, cut, visible
from fplbench.lesions.stack import open_lesions
from fplbench.lesions.units import pixel_size
from fplbench.seeds import generator
from fplbench.stacks import open_stack, read_index
from tests.datasets.annotated import annotate_with, nodule
from tests.helpers.dicom_files import write_ct

WINDOW = (-1000.0, 400.0)
SAMPLING = SamplingOptions(train=5, validation=2, test=2, size=16, fit="patch")


def test_a_patch_is_cut_where_it_starts_and_filled_beyond_the_slice():
    values = np.arange(20).reshape(4, 5)
    assert cut(values, 2, (1, 3), -1).tolist() == [[8, 9], [13, 14]]
    assert cut(values, 3, (-1, 3), -1).tolist() == [[-1, -1, -1], [3, 4, -1], [8, 9, -1]]
    assert visible(values, 3, (-1, 3)).tolist() == [[3, 4], [8, 9]]


def test_the_first_place_with_enough_content_is_taken():
    """Only the lower right quarter has content: of the places drawn, the first of which half shows that quarter."""
    values = np.full((64, 64), -1000.0, np.float32)
    values[32:, 32:] = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        places = np.random.default_rng(seed).integers(0, [49, 49], (PLACES, 2))
        shares = [np.mean(values[top : top + 16, left : left + 16] > -930) for top, left in places]
        enough = [place for place, share in zip(places.tolist(), shares, strict=True) if share >= 0.5]
        expected = enough[0] if enough else places[np.argmax(shares)].tolist()
        assert choose_corner(values, WINDOW, 16, random) == tuple(expected)


def test_a_slice_smaller_than_the_patch_is_centred():
    values = np.zeros((10, 40), np.float32)
    top, left = choose_corner(values, WINDOW, 17, np.random.default_rng(0))
    assert top == -3 and 0 <= left <= 23
    assert choose_corner(np.zeros((9, 12), np.float32), WINDOW, 16, np.random.default_rng(0)) == (-3, -2)


def write_slices(root, shape):
    """Nine patients with four slices of random HU; returns the slices by patient and number."""
    slices = np.random.default_rng(2).integers(-1200, 900, (9, 4, *shape)).astype(np.int16)
    for patient in range(9):
        for number in range(4):
            path = root / f"{patient}-{number}.dcm"
            write_ct(path, patient=f"{patient}", series=f"1.{patient}", z=number, hounsfield=slices[patient, number])
    return slices


def parts(folder):
    """Image, HU, lesions and row of each image of a draw."""
    for split in SAMPLING.counts():
        path = folder / f"{split}.npy"
        yield from zip(
            open_stack(path), np.load(folder / f"{split}_hu.npy"), open_lesions(path)[0], read_index(path), strict=True
        )


def sample(root, folder, sampling=SAMPLING, seed=1, hu=True):
    return sample_dataset("lidc", LidcOptions(root=root, window=WINDOW), sampling, seed, folder, hu=hu)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(40, 56), (12, 30), (11, 13)])
def test_images_hu_and_lesions_are_the_same_crop_of_the_slice(tmp_path, monkeypatch, caplog, shape):
    slices = write_slices(tmp_path / "in", shape)
    annotate_with(monkeypatch, lambda one: (nodule(one.patient, (2, 3, 9, 12)),))
    summary = sample(tmp_path / "in", tmp_path / "out")
    lesion = np.zeros(shape, np.uint8)
    lesion[2:9, 3:12] = 1
    corners = set()
    for image, hu, lesions, row in parts(tmp_path / "out"):
        top, left = int(row["top"]), int(row["left"])
        corners.add((top, left))
        whole = np.maximum(slices[int(row["patient"]), int(row["slice"])], -1024)
        air, none = np.full((64, 80), -1024), np.zeros((64, 80), np.uint8)  # the slice, with a margin of 8 pixels
        air[8 : 8 + shape[0], 8 : 8 + shape[1]] = whole
        none[8 : 8 + shape[0], 8 : 8 + shape[1]] = lesion
        place = np.s_[top + 8 : top + 24, left + 8 : left + 24]
        assert np.array_equal(hu, air[place]) and np.array_equal(lesions, none[place])
        shown = np.clip((air[place] - WINDOW[0]) / 1400, 0, 1) * 255
        assert np.abs(image - shown).max() <= 0.5 + 1e-3
        part = whole[max(top, 0) : top + 16, max(left, 0) : left + 16]
        assert (float(row["value_minimum"]), float(row["value_maximum"])) == (part.min(), part.max())
    assert len(corners) == 1 if max(shape) < 16 else len(corners) > 3
    assert ("5 of 5 train patches are larger than their slices" in caplog.text) == (min(shape) < 16)
    assert summary["lesions_too_small"] == 0 and (summary["fit"], summary["size"]) == ("patch", 16)


@pytest.mark.slow
def test_the_index_gives_the_pixels_of_the_patch_their_own_spacing(tmp_path):
    write_slices(tmp_path / "in", (40, 56))
    sample(tmp_path / "in", tmp_path / "out")
    for row in read_index(tmp_path / "out/train.npy"):
        assert (row["rows"], row["columns"]) == ("16", "16")
        assert pixel_size("train.npy", row, 16) == pytest.approx(np.sqrt(0.7 * 0.6))
    sample(tmp_path / "in", tmp_path / "whole", SamplingOptions(train=5, validation=2, test=2, size=16))
    rows = read_index(tmp_path / "whole/train.npy")
    assert {(row["rows"], row["columns"]) for row in rows} == {("40", "56")} and "top" not in rows[0]


@pytest.mark.slow
def test_the_place_depends_on_the_seed_the_data_set_and_the_image_alone(tmp_path):
    """Every slice is random noise, of which 95 % are above 5 % of the range, so the first place is always taken."""
    write_slices(tmp_path / "in", (40, 56))
    sample(tmp_path / "in", tmp_path / "few", hu=False)
    many = SamplingOptions(train=20, validation=4, test=4, size=16, fit="patch", split="random_slice")
    sample(tmp_path / "in", tmp_path / "many", many, hu=False)
    sample(tmp_path / "in", tmp_path / "other", seed=2, hu=False)
    few, more, other = (
        {row["image_id"]: (row["top"], row["left"]) for row in rows_of(tmp_path / name)} for name in ("few", "many", "other")
    )
    shared = few.keys() & more.keys()
    assert len(shared) > 3 and all(few[name] == more[name] for name in shared)
    assert all(few[name] != other[name] for name in few.keys() & other.keys())
    for name, corner in few.items():
        first = generator(1, "patch", "lidc", name).integers(0, [25, 41], (PLACES, 2))[0]
        assert corner == tuple(map(str, first))


def rows_of(folder):
    return [row for split in SAMPLING.counts() for row in read_index(folder / f"{split}.npy")]
