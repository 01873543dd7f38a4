"""What is written to the results: pixels, identifiers or their pseudonyms, and geometry."""

import logging
import re

import numpy as np
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.identity import Identity
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.lits import LitsOptions
from fplbench.datasets.sampling.check import check_data
from fplbench.datasets.scan import report, scan
from fplbench.stacks import read_index
from tests.helpers.dicom_files import write_ct
from tests.helpers.nifti_files import write_volume

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
def root(tmp_path):
    for number in range(9):
        name = f"Patient-{number // 3}"
        write_ct(tmp_path / f"in/{name}/{number}.dcm", patient=name, series=f"1.2.{number // 3}", z=number, **SECRETS)
    (tmp_path / "in/Patient-0/broken.dcm").write_bytes(b"nonsense")
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def key(tmp_path, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "keys" / "pseudonym.key"))
    return tmp_path / "keys" / "pseudonym.key"


def written(folder):
    return b"\n".join(path.read_bytes() for path in folder.iterdir()).decode("latin-1")


@pytest.mark.parametrize("pseudonymise", [False, True])
def test_no_other_header_fields_are_written_or_logged(root, tmp_path, caplog, pseudonymise):
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


@pytest.mark.parametrize("command", ["sample", "check"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),  # the error of nibabel quotes the path
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: (path.unlink(), path.symlink_to("gone-Doe.nii")),
        lambda path: path.with_name("segmentation-7.nii").unlink(),
        lambda path: path.with_name("segmentation-7.nii").write_bytes(b"Doe"),
    ],
)
@pytest.mark.slow
def test_reasons_contain_no_file_names_with_pseudonyms(tmp_path, caplog, damage, command):
    root = tmp_path / "in" / "Doe-family"
    for number in range(3, 12):
        write_volume(root / f"volume-{number}.nii", np.full((16, 16, 4), 40.0))
        write_volume(root / f"segmentation-{number}.nii", np.ones((16, 16, 4)), dtype=np.uint8)
    damage(root / "volume-7.nii")
    options = LitsOptions(root=tmp_path / "in", pseudonymise=True, max_unreadable=0.5, liver_only=True)
    with caplog.at_level(logging.DEBUG):
        if command == "sample":
            sample_dataset("lits", options, SAMPLING, 1, tmp_path / "out", 1)
            text = written(tmp_path / "out") + caplog.text
            assert text.count("Unreadable: ") + text.count("Left out: 1 file: ") == 1
        else:
            text = "\n".join(check_data("lits", options, SAMPLING, 1, 1, tmp_path / "sheet.png")[0])
    assert "Doe" not in text and "volume-7" not in text and "segmentation-7" not in text


def test_messages_of_libraries_do_not_quote_the_file(tmp_path, caplog):
    """An element before the name of the patient gets a length that includes the name, which pydicom would print."""
    for number in range(30):
        write_ct(tmp_path / f"in/{number}.dcm", patient=f"P{number}", z=number, series=f"1.{number}", **SECRETS)
    path = tmp_path / "in/5.dcm"
    content = bytearray(path.read_bytes())
    place = content.index(b"\x28\x00\x10\x00US")
    content[place + 8 : place + 8] = b"Doe^Jane "
    content[place + 6] = 11
    path.write_bytes(content)
    with caplog.at_level(logging.DEBUG):
        options = LidcOptions(root=tmp_path / "in")
        found = scan(LOADERS["lidc"], options, 1)
        report(found, options)
    assert "5.dcm: it is damaged (" in caplog.text and "Doe" not in caplog.text


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
