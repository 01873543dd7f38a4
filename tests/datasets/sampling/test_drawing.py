"""Drawing a stack: replacements, the order of its images, and what is said if too few can be used."""

import logging

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.errors import InputError
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct

SAMPLING = SamplingOptions(train=6, validation=2, test=2, size=16, split="random_slice")
FULL, EMPTY = np.full((16, 16), 40, np.int16), np.full((16, 16), -1024, np.int16)


def write_slices(root, empty):
    """Twelve slices of one scan, some of them without content."""
    for number in range(12):
        write_ct(root / f"{number:02d}.dcm", z=number, number=number, hounsfield=EMPTY if number in empty else FULL)
    return LidcOptions(root=root)


def sample(options, folder):
    return sample_dataset("lidc", options, SAMPLING, 1, folder)


def used(folder):
    return [row["source"] for split in SAMPLING.counts() for row in read_index(folder / f"{split}.npy")]


def test_an_empty_slice_is_replaced_and_all_others_stay(tmp_path):
    """The same draw twice; the second time, one of the slices that it uses has no content."""
    sampling = SamplingOptions(train=4, validation=1, test=1, size=16, split="random_slice")
    sample_dataset("lidc", write_slices(tmp_path / "full", set()), sampling, 1, tmp_path / "first")
    before = used(tmp_path / "first")
    options = write_slices(tmp_path / "in", {int(before[0].removesuffix(".dcm"))})
    summary = sample_dataset("lidc", options, sampling, 1, tmp_path / "second")
    after = used(tmp_path / "second")
    assert summary["images_near_empty"] == 1 and len({*after}) == 6
    assert {*before} - {*after} == {before[0]} and open_stack(tmp_path / "second/train.npy").min() > 0


def test_the_images_of_a_stack_are_in_the_order_of_the_scan(tmp_path):
    sample(write_slices(tmp_path / "in", set()), tmp_path / "out")
    for split in SAMPLING.counts():
        sources = [row["source"] for row in read_index(tmp_path / f"out/{split}.npy")]
        assert sources == sorted(sources)


def test_if_too_few_can_be_used_the_numbers_are_named_and_nothing_is_written(tmp_path):
    options = write_slices(tmp_path / "in", {1, 2, 3})
    with pytest.raises(
        InputError, match=r"lidc: sampling\.\w+ asks for \d images\. .* near-empty .* datasets\.lidc\.min_content"
    ):
        sample(options, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.npy"))


def test_patches_that_are_larger_than_their_slices_are_padded_with_a_note(tmp_path, caplog):
    sampling = SAMPLING.model_copy(update={"size": 20, "fit": "patch"})
    with caplog.at_level(logging.WARNING):
        sample_dataset("lidc", write_slices(tmp_path / "in", set()), sampling, 1, tmp_path / "out")
    assert "6 of 6 train patches are larger than their slices and padded with black." in caplog.text
    images = open_stack(tmp_path / "out/train.npy")
    assert not images[:, [0, 1, -2, -1]].any() and images[:, 2:-2, 2:-2].min() > 0
