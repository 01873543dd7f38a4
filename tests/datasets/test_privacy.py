"""What reaches the results: pixels, identifiers as shipped or their pseudonyms, and geometry."""

import logging
import re

import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.identity import Identity
from fplbench.datasets.lidc import LidcOptions
from fplbench.stacks import read_index

SECRETS = {
    "PatientName": "Doe^Jane",
    "PatientBirthDate": "19510203",
    "InstitutionName": "Mercy Hospital",
    "ReferringPhysicianName": "House^Gregory",
    "StudyDescription": "jaundice",
    "AccessionNumber": "ACC998877",
    "StudyDate": "20010911",
}
SAMPLING = SamplingOptions(train=3, validation=1, test=1, size=16)


@pytest.fixture
def root(tmp_path, ct_file):
    for number in range(9):
        name = f"Patient-{number // 3}"
        ct_file(tmp_path / f"in/{name}/{number}.dcm", patient=name, series=f"1.2.{number // 3}", z=number, **SECRETS)
    (tmp_path / "in/Patient-0/broken.dcm").write_bytes(b"nonsense")
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def key(tmp_path, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "keys" / "pseudonym.key"))
    return tmp_path / "keys" / "pseudonym.key"


def written(folder):
    return b"\n".join(path.read_bytes() for path in folder.iterdir()).decode("latin-1")


@pytest.mark.parametrize("pseudonymise", [False, True])
def test_nothing_else_of_the_headers_is_written_or_logged(root, tmp_path, caplog, pseudonymise):
    with caplog.at_level(logging.DEBUG):
        options = LidcOptions(root=root, pseudonymise=pseudonymise, max_unreadable=0.5)
        sample_dataset("lidc", options, SAMPLING, 1, tmp_path / "out", 1)
    for secret in SECRETS.values():
        assert secret not in written(tmp_path / "out") and secret not in caplog.text


def test_pseudonyms_stand_for_patients_images_and_files_everywhere(root, tmp_path, caplog):
    options = LidcOptions(root=root, max_unreadable=0.5)
    sample_dataset("lidc", options, SAMPLING, 1, tmp_path / "out", 1)
    assert "Patient-" in written(tmp_path / "out")
    caplog.clear()
    options = LidcOptions(root=root, pseudonymise=True, max_unreadable=0.5)
    with caplog.at_level(logging.DEBUG):
        sample_dataset("lidc", options, SAMPLING, 1, tmp_path / "out", 1)
    assert "Patient-" not in written(tmp_path / "out") + caplog.text and "Unreadable" in caplog.text
    for row in read_index(tmp_path / "out" / "train.npy"):
        assert all(re.fullmatch("[0-9a-f]{16}", row[name]) for name in ("image_id", "patient", "source"))


def test_the_same_images_are_drawn_with_and_without_pseudonyms(root, tmp_path):
    for pseudonymise in (False, True):
        options = LidcOptions(root=root, pseudonymise=pseudonymise, max_unreadable=0.5)
        sample_dataset("lidc", options, SAMPLING, 1, tmp_path / str(pseudonymise), 1)
    plain, hashed = (read_index(tmp_path / str(flag) / "train.npy") for flag in (False, True))
    identity = Identity(True)
    assert [identity.of(row["image_id"]) for row in plain] == [row["image_id"] for row in hashed]


def test_pseudonyms_depend_on_a_key_that_only_the_user_can_read(key):
    first = Identity(True).of("LIDC-IDRI-0001")
    assert Identity(True).of("LIDC-IDRI-0001") == first != Identity(True).of("LIDC-IDRI-0002")
    assert key.stat().st_mode & 0o077 == 0 and len(key.read_bytes()) == 32
    key.unlink()
    assert Identity(True).of("LIDC-IDRI-0001") != first
