"""Sampling, from native files to stacks."""

import errno
import json
import logging

import numpy as np
import pytest

from fplbench.cli import main
from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.rsna import RsnaOptions
from fplbench.errors import InputError
from fplbench.registry import parse_options
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct, write_radiograph

SAMPLING = SamplingOptions(train=20, validation=5, test=6, size=16)


def sample(root, folder, sampling=SAMPLING, seed=1, threads=1, **options):
    return sample_dataset("lidc", LidcOptions(root=root, **options), sampling, seed, folder, threads)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "headers.csv"}


def test_stacks_hold_the_windowed_slices_that_the_index_names(lidc_root, tmp_path):
    sample(lidc_root, tmp_path / "out")
    for split, count in SAMPLING.counts().items():
        stack, index = open_stack(tmp_path / "out" / f"{split}.npy"), read_index(tmp_path / "out" / f"{split}.npy")
        assert stack.shape == (count, 16, 16) and len(index) == count
        for image, row in zip(stack, index, strict=True):
            hounsfield = 100 * int(row["patient"][-4:]) - (11 - int(row["slice"]))
            expected = np.rint((np.clip(hounsfield, -1000, 400) + 1000) / 1400 * 255)
            assert (image == expected).all()
            assert float(row["value_minimum"]) == float(row["value_maximum"]) == hounsfield
            assert float(row["position_mm"]) == -2.5 * (11 - int(row["slice"]))
            assert (row["rows"], row["columns"], row["row_spacing_mm"]) == ("24", "24", "0.7")
            assert (float(row["window_low"]), float(row["window_high"])) == (-1000, 400)


def test_image_identifiers_are_unique_in_the_data_set(lidc_root, tmp_path):
    sample(lidc_root, tmp_path / "out")
    names = [row["image_id"] for split in SAMPLING.counts() for row in read_index(tmp_path / "out" / f"{split}.npy")]
    assert len(set(names)) == 31


@pytest.mark.slow
def test_threads_and_copies_of_the_data_give_the_same_bytes(lidc_root, tmp_path):
    import shutil

    sample(lidc_root, tmp_path / "one")
    copy = tmp_path / "copy"
    for path in sorted(lidc_root.rglob("*.dcm"), reverse=True):  # made in another order
        target = copy / path.relative_to(lidc_root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    sample(copy, tmp_path / "two", threads=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_cached_scan_gives_the_same_bytes(lidc_root, tmp_path):
    sample(lidc_root, tmp_path / "out")
    first = contents(tmp_path / "out")
    sample(lidc_root, tmp_path / "out")
    assert contents(tmp_path / "out") == first


def test_remains_of_an_interrupted_run_are_deleted(lidc_root, tmp_path):
    left = tmp_path / "out" / ".sampling.killed"
    left.mkdir(parents=True)
    (left / "train.npy").write_bytes(b"half")
    sample(lidc_root, tmp_path / "out")
    assert not left.exists()


def test_the_summary_gives_the_leakage(lidc_root, tmp_path):
    by_patient = sample(lidc_root, tmp_path / "a")
    assert by_patient["test_images_of_training_patients"] == 0 and sum(by_patient["patients"].values()) == 6
    sampling = SamplingOptions(train=40, validation=5, test=6, size=16, split="random_slice")
    at_random = sample(lidc_root, tmp_path / "b", sampling)
    train, test = (read_index(tmp_path / "b" / f"{split}.npy") for split in ("train", "test"))
    known = {row["patient"] for row in train}
    share = np.mean([row["patient"] in known for row in test])
    assert at_random["test_images_of_training_patients"] == share > 0.5
    assert json.loads((tmp_path / "b" / "sampling.json").read_text()) == at_random


def test_the_summary_gives_the_noise_of_the_clean_test_images(tmp_path, caplog):
    """Six patients with noise of 56 HU, which are 10 of the 255 grey levels of the window."""
    random = np.random.default_rng(0)
    for number in range(18):
        image = random.normal(-300, 10 / 255 * 1400, (64, 64)).astype(np.int16)
        path = tmp_path / f"in/{number}.dcm"
        write_ct(path, patient=f"P{number // 3}", series=f"1.{number // 3}", z=number, hounsfield=image)
    with caplog.at_level(logging.INFO):
        summary = sample(tmp_path / "in", tmp_path / "out", SamplingOptions(train=6, validation=3, test=3, size=64))
    assert summary["reference_noise"] == pytest.approx(10, rel=0.06)
    assert f"Noise of the clean test images: {summary['reference_noise']:.1f} grey levels" in caplog.text


def test_noise_that_cannot_be_measured_is_null(lidc_root, tmp_path):
    assert sample(lidc_root, tmp_path / "out")["reference_noise"] is None  # 16x16 pixels are too few


def test_without_a_mapping_the_leakage_of_radiographs_is_unknown(tmp_path, caplog):
    for number in range(12):
        photometric = "MONOCHROME1" if number % 2 else "MONOCHROME2"
        path = tmp_path / f"in/challenge/stage_2_train_images/{number}.dcm"
        write_radiograph(path, np.full((32, 32), 90, np.uint8), photometric=photometric)
    sampling = SamplingOptions(train=3, validation=2, test=2, size=16)
    options = RsnaOptions(root=tmp_path / "in")
    with caplog.at_level(logging.INFO):
        unknown = sample_dataset("rsna", options, sampling, 1, tmp_path / "out")
    assert unknown["persons_known"] is False and unknown["test_images_of_training_patients"] is None
    assert unknown["patients_found"] is None and unknown["patients"]["test"] is None
    assert unknown["lesion_patients"] == dict.fromkeys(sampling.counts()) and unknown["lesions"]["test"] == 0
    assert "images (persons unknown)" in caplog.text and "the leakage is unknown" in caplog.text
    for split in sampling.counts():
        for row in read_index(tmp_path / "out" / f"{split}.npy"):
            assert int(row["inverted"]) == int(row["image_id"]) % 2
    (tmp_path / "in/persons.csv").write_text("image_id,person\n" + "".join(f"{n},{n // 3}\n" for n in range(12)))
    known = sample_dataset("rsna", options, sampling, 1, tmp_path / "out")
    assert (known["persons_known"], known["patients_found"], known["test_images_of_training_patients"]) == (True, 4, 0)


def test_stacks_of_an_earlier_run_survive_a_failure(lidc_root, tmp_path):
    sample(lidc_root, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(InputError, match="finds 72"):
        sample(lidc_root, tmp_path / "out", SamplingOptions())
    assert contents(tmp_path / "out") == before


def test_radiographs_without_a_window_use_the_range_of_their_bits(tmp_path):
    for number in range(6):
        grey = np.full((32, 32), 40 * number + 30, np.uint8)
        write_radiograph(tmp_path / f"in/stage_2_train_images/{number}.dcm", grey, quality=100)
    sampling = SamplingOptions(train=4, validation=1, test=1, size=16)
    sample_dataset("rsna", RsnaOptions(root=tmp_path / "in"), sampling, 1, tmp_path / "out")
    for split in sampling.counts():
        for image, row in zip(
            open_stack(tmp_path / "out" / f"{split}.npy"), read_index(tmp_path / "out" / f"{split}.npy"), strict=True
        ):
            assert (image == 40 * int(row["image_id"]) + 30).all()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("windows", [0, 1], "datasets.lidc.windows is not a known key: did you mean 'window'"),
        ("window", [400, -1000], r"datasets\.lidc.*window \[400\.0, -1000\.0\] is empty"),
        ("window", [1], "datasets.lidc.window"),
        ("max_unreadable", 5, "datasets.lidc.max_unreadable is 5"),
    ],
)
def test_a_wrong_option_is_named(key, value, message):
    with pytest.raises(InputError, match=message):
        parse_options(LidcOptions, {key: value}, "datasets.lidc")


def test_a_folder_that_cannot_be_written_is_named_before_the_scan(lidc_root, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"Cannot write to .*file: it is a file"):
        sample(lidc_root, tmp_path / "file")


def test_an_error_of_the_operating_system_is_reported_as_a_sentence(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "out/train.npy")

    monkeypatch.setattr("fplbench.cli.app", full)
    with pytest.raises(SystemExit, match=r"^fplbench: out/train\.npy cannot be read or written: No space left on device\. Check"):
        main()
