"""The noisy images of pairs, drawn beside the clean ones."""

import logging

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions, read_images
from fplbench.datasets.registry import Unreadable
from fplbench.datasets.sampling.check import check_data
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct
from tests.helpers.loaders import change_loader

pytestmark = pytest.mark.slow  # each test starts processes that read files

WINDOW = (-1000.0, 400.0)


def read_pairs(path, slices, options):
    """Read the slice in a file; its noisy image has 150 HU more in every other column. Some file names are instructions."""
    for plane in read_images(path, slices, options):
        noisy = plane.values.copy()
        noisy[:, ::2] += 150
        match path.stem:
            case "unreadable":
                raise Unreadable("its noisy image is truncated")
            case "missing":
                noisy = None
            case "narrow":
                noisy = noisy[:, :-1]
        yield plane._replace(noisy=noisy)


@pytest.fixture
def pairs(monkeypatch, tmp_path):
    """The data set lidc as pairs: nine patients with four slices of 24x40 pixels; returns the slices by patient and number."""
    change_loader(monkeypatch, "lidc", paired=True, read_images=read_pairs)
    slices = np.random.default_rng(3).integers(-900, 200, (9, 4, 24, 40)).astype(np.int16)
    for patient in range(9):
        for number in range(4):
            path = tmp_path / f"in/{patient}-{number}.dcm"
            write_ct(path, patient=f"{patient}", series=f"1.{patient}", z=number, hounsfield=slices[patient, number])
    return slices


def sample(tmp_path, sampling, **options):
    return sample_dataset("lidc", LidcOptions(root=tmp_path / "in", window=WINDOW, **options), sampling, 1, tmp_path / "out")


def windowed(values):
    """Grey levels before rounding."""
    return np.clip((values + 1000.0) / 1400, 0, 1) * 255


def test_the_noisy_image_has_the_window_and_the_patch_of_the_clean_one(pairs, tmp_path):
    summary = sample(tmp_path, SamplingOptions(train=5, validation=2, test=2, size=16, fit="patch"))
    assert summary["paired"] is True
    for split in ("train", "validation", "test"):
        path = tmp_path / "out" / f"{split}.npy"
        clean, noisy = open_stack(path), open_stack(path.with_name(f"{split}_noisy.npy"))
        assert noisy.shape == clean.shape
        for one, other, row in zip(clean, noisy, read_index(path), strict=True):
            values = pairs[int(row["patient"]), int(row["slice"])].astype(float)
            place = np.s_[int(row["top"]) :, int(row["left"]) :]
            assert np.abs(one - windowed(values)[place][:16, :16]).max() <= 0.5 + 1e-3
            values[:, ::2] += 150
            assert np.abs(other - windowed(values)[place][:16, :16]).max() <= 0.5 + 1e-3


def test_the_noisy_image_is_resized_as_the_clean_one_is(pairs, tmp_path):
    """Half the size averages over 2x2 pixels, of which one column has 150 HU more: 75 HU in each pixel, 13.66 grey levels."""
    sample(tmp_path, SamplingOptions(train=5, validation=2, test=2, size=20))
    clean, noisy = (open_stack(tmp_path / f"out/train{end}.npy").astype(int) for end in ("", "_noisy"))
    assert not clean[:, :4].any() and not noisy[:, :4].any()  # 24 rows are padded to 40
    difference = (noisy - clean)[:, 4:-4]
    assert np.abs(difference - 75 / 1400 * 255).max() < 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unreadable", "its noisy image is truncated"),
        ("missing", "its noisy image is missing"),
        ("narrow", "its noisy image has 24x39 pixels and the clean one 24x40"),
    ],
)
def test_a_pair_whose_noisy_image_cannot_be_used_is_replaced_and_named(pairs, tmp_path, caplog, name, reason):
    """All but one of the slices are asked for, so the pair is tried."""
    (tmp_path / "in/4-2.dcm").rename(tmp_path / f"in/{name}.dcm")
    sampling = SamplingOptions(train=25, validation=5, test=5, size=16, split="random_slice")
    with caplog.at_level(logging.WARNING):
        summary = sample(tmp_path, sampling, max_unreadable=0.1)
    rows = [row for split in ("train", "validation", "test") for row in read_index(tmp_path / f"out/{split}.npy")]
    tried = f"Unreadable: {name}.dcm: {reason}." in caplog.text
    assert len(rows) == 35 and f"{name}.dcm" not in {row["source"] for row in rows}
    assert tried and summary["files_unreadable"] == 1


def test_other_data_sets_have_no_noisy_stack(lidc_root, tmp_path):
    sampling = SamplingOptions(train=5, validation=2, test=2, size=16)
    summary = sample_dataset("lidc", LidcOptions(root=lidc_root), sampling, 1, tmp_path / "out")
    assert summary["paired"] is False and not list((tmp_path / "out").glob("*_noisy.npy"))


def test_check_data_names_pairs_that_do_not_fit(pairs, tmp_path):
    for path in sorted((tmp_path / "in").glob("*.dcm"))[:-1]:
        path.unlink()
    (tmp_path / "in/8-3.dcm").rename(tmp_path / "in/narrow.dcm")
    sampling = SamplingOptions(train=1, validation=1, test=1, size=16)
    lines, _ = check_data("lidc", LidcOptions(root=tmp_path / "in"), sampling, 1, 1, tmp_path / "sheet.png")
    assert "  narrow.dcm: its noisy image has 24x39 pixels and the clean one 24x40" in lines
