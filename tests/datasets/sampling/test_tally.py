"""Images that cannot be used, and files that cannot be read, when stacks are drawn."""

import logging
import re
from collections import Counter

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.reader import Failure
from fplbench.datasets.sampling import series_windows
from fplbench.datasets.sampling.pixels import read_slices
from fplbench.errors import InputError
from fplbench.stacks import read_index
from tests.helpers.dicom_files import write_ct

pytestmark = pytest.mark.slow  # each test starts processes that read files

SAMPLING = SamplingOptions(train=20, validation=5, test=6, size=16)


def sample(root, folder, sampling=SAMPLING, **options):
    return sample_dataset("lidc", LidcOptions(root=root, **options), sampling, 1, folder)


def test_near_empty_slices_are_replaced(tmp_path):
    """Of each patient's ten slices half are air; the ten images asked for are the ones with content."""
    for patient in range(4):
        for number in range(10):
            image = np.full((20, 20), -1000, np.int16)
            image[0, : 19 + 2 * (number % 2)] = 0  # 19 of 400 pixels are less than 5 %, 21 are more
            image[1, :1] = 0 if number % 2 else -1000
            write_ct(
                tmp_path / f"in/{patient}-{number}.dcm",
                patient=f"P{patient}",
                series=f"1.{patient}",
                z=number,
                hounsfield=image,
            )
    sampling = SamplingOptions(train=10, validation=5, test=5, size=20)
    summary = sample(tmp_path / "in", tmp_path / "out", sampling)
    for split in sampling.counts():
        assert {int(row["slice"]) % 2 for row in read_index(tmp_path / "out" / f"{split}.npy")} == {1}
    assert summary["images_near_empty"] > 0


def test_replacements_are_of_the_same_patient(tmp_path):
    """Each of eight patients has twelve slices and gives four or so; the upper half of patients 0 to 3 is air."""
    for patient in range(8):
        for number in range(12):
            image = np.full((20, 20), -1000 if patient < 4 and number >= 6 else 0, np.int16)
            write_ct(
                tmp_path / f"in/{patient}-{number}.dcm",
                patient=f"P{patient}",
                series=f"1.{patient}",
                z=number,
                hounsfield=image,
            )
    summary = sample(tmp_path / "in", tmp_path / "out", SamplingOptions(train=24, validation=4, test=4, size=16))
    assert summary["images_near_empty"] > 0
    for split in ("train", "validation", "test"):
        counts = Counter(row["patient"] for row in read_index(tmp_path / "out" / f"{split}.npy"))
        assert set(counts.values()) == {4}


def test_too_many_near_empty_slices_are_reported_and_nothing_is_written(tmp_path):
    for number in range(40):
        image = np.full((20, 20), -1000 if number > 20 else 0, np.int16)
        write_ct(tmp_path / f"in/{number}.dcm", patient=f"P{number}", series=f"1.{number}", hounsfield=image)
    sampling = SamplingOptions(train=20, validation=5, test=5, size=20)
    with pytest.raises(InputError, match=r"sampling\.\w+ asks for \d+ images\. Of the \d+ available for this split") as error:
        sample(tmp_path / "in", tmp_path / "out", sampling)
    numbers = re.search(r"Of the (\d+) .* (\d+) can be used, (\d+) are near-empty and (\d+) were not read", str(error.value))
    total, *rest = map(int, numbers.groups())
    assert total == sum(rest)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["headers.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_file_whose_pixels_fail_is_named_counted_and_replaced(lidc_root, tmp_path, caplog):
    """Eleven of each patient's twelve slices are asked for, and one of them has a compression that its pixels lack."""
    broken = sorted(lidc_root.rglob("1-005.dcm"))
    for path in broken:
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    sampling = SamplingOptions(train=44, validation=11, test=11, size=16)
    with caplog.at_level(logging.WARNING):
        summary = sample(lidc_root, tmp_path / "out", sampling, max_unreadable=0.2)
    tried = [path for path in broken if f"Unreadable: {path.relative_to(lidc_root)}: " in caplog.text]
    assert summary["files_unreadable"] == len(tried) >= 1
    rows = [row for split in sampling.counts() for row in read_index(tmp_path / "out" / f"{split}.npy")]
    assert len(rows) == 66 and not any(row["source"].endswith("1-005.dcm") for row in rows)


def test_a_draw_stops_as_soon_as_too_many_files_fail(lidc_root, tmp_path, caplog):
    """Every file has a compression that its pixels lack; of the 31 drawn the fourth is more than a tenth."""
    for path in lidc_root.rglob("*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    with pytest.raises(InputError, match=r"4 of 31 files cannot be read \(12\.9%"):
        sample(lidc_root, tmp_path / "out", max_unreadable=0.1)
    assert caplog.text.count("Unreadable: ") == 4


@pytest.mark.slow
def test_a_file_that_takes_too_long_makes_the_draw_irreproducible(lidc_root, tmp_path, monkeypatch, caplog):
    def slow(*arguments):
        for number, answer in read_slices(*arguments):
            yield number, Failure("reading it took more than 10 s of CPU time", cause="time") if number == 0 else answer

    assert sample(lidc_root, tmp_path / "a")["reproducible"]
    monkeypatch.setattr(series_windows, "read_slices", slow)
    sampling = SamplingOptions(train=1, validation=1, test=1, size=16)
    with pytest.raises(InputError):  # the first image of each round fails, so none is ever found
        sample(lidc_root, tmp_path / "b", sampling, max_unreadable=1)
    monkeypatch.setattr(series_windows, "read_slices", lambda *a: slow(*a) if len(a[3]) > 1 else read_slices(*a))
    summary = sample(lidc_root, tmp_path / "c", max_unreadable=1)
    assert (summary["reproducible"], summary["files_given_up"]) == (False, 3)
    assert "This draw may not be reproducible: 3 files took too long" in caplog.text


def test_more_unreadable_files_than_the_share_stop(lidc_root, tmp_path):
    for path in sorted(lidc_root.rglob("*.dcm"))[:5]:
        path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="5 of 72 files cannot be read"):
        sample(lidc_root, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.npy"))
