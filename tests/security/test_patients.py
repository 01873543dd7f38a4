"""What headers say of a patient never reaches the results, logs, or pages of a run, nor the quality page of `apply`.

`tests/datasets/test_identity.py` has seven such elements, pseudonyms, and the logs of sampling; this has every element of the
standard's profile for de-identification that a CT slice can have, and both commands.
"""

import json
import logging

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from tests.helpers.dicom_files import write_ct

MARK = "MARK"
TEXTS = (
    "PatientName", "OtherPatientIDs", "PatientAddress", "PatientTelephoneNumbers", "PatientComments", "PatientMotherBirthName",
    "OtherPatientNames", "PatientBirthName", "MilitaryRank", "BranchOfService", "Occupation", "AdditionalPatientHistory",
    "ResponsiblePerson", "ReferringPhysicianName", "ReferringPhysicianAddress", "PerformingPhysicianName", "OperatorsName",
    "NameOfPhysiciansReadingStudy", "RequestingPhysician", "PhysiciansOfRecord", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "StationName", "AccessionNumber", "StudyID", "StudyDescription", "RequestedProcedureID",
    "PerformedProcedureStepDescription", "RequestedProcedureDescription", "ImageComments", "StudyComments", "AdmissionID",
    "CurrentPatientLocation", "DeviceSerialNumber", "ProtocolName", "RegionOfResidence", "CountryOfResidence", "MedicalAlerts",
    "Allergies", "DerivationDescription", "AcquisitionComments",
)  # fmt: skip
MARKED = {name: f"{MARK}{number}" for number, name in enumerate(TEXTS)} | {
    "PatientBirthDate": "19510203", "StudyDate": "20010911", "SeriesDate": "20010912", "AcquisitionDate": "20010913",
    "ContentDate": "20010914", "PatientBirthTime": "041307", "StudyTime": "051308", "PatientAge": "077Y",
    "PatientWeight": "83.1937",
}  # fmt: skip
VALUES = ("19510203", "20010911", "20010912", "20010913", "20010914", "041307", "051308", "077Y", "83.1937")
PATIENT = "Allowed-7"


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patients")
    random = np.random.default_rng(0)
    for number in range(6):
        write_ct(
            folder / f"in/{number}.dcm", patient=f"{PATIENT}-{number // 2}", series=f"1.2.{number // 2}", z=2.5 * number,
            number=number + 1, hounsfield=random.integers(-150, 230, (32, 32)).astype(np.int16), **MARKED,
        )  # fmt: skip
    (folder / "in/broken.dcm").write_bytes((folder / "in/0.dcm").read_bytes()[:-900])
    return folder


def leaks(text):
    """The marked values in a text."""
    return sorted({value for value in (MARK, *VALUES) if value in text})


def read(folder, *suffixes):
    """The text of all files below a folder that end in these suffixes, or of all."""
    files = [path for path in folder.rglob("*") if path.is_file() and (not suffixes or path.suffix in suffixes)]
    return b"\n".join(path.read_bytes() for path in files).decode("latin-1")


@pytest.mark.slow
def test_a_benchmark_has_ids_of_patients_alone(slices, caplog):
    arguments = ["--root", str(slices / "in"), "--options", '{"max_unreadable": 0.9}']
    sampling = ["--sampling", '{"train": 2, "validation": 2, "test": 2, "size": 16}']
    with caplog.at_level(logging.DEBUG):
        checked = CliRunner().invoke(app, ["check-data", "lidc", *arguments])
        drawn = CliRunner().invoke(app, ["sample", "lidc", str(slices / "data"), *arguments, *sampling], catch_exceptions=False)
    assert drawn.exit_code == 0, drawn.output
    assert leaks(read(slices / "in")) == sorted([MARK, *VALUES])
    written = read(slices / "data")
    assert PATIENT in written and leaks(written) == []
    assert leaks(checked.output + drawn.output + caplog.text) == []


@pytest.mark.slow
def test_the_quality_page_and_the_summary_have_no_text_of_a_patient(slices, caplog):
    out = slices / "out"
    command = ["apply", "median_filter", str(slices / "in"), str(out), "--window", "-160", "240", "--skip-unreadable"]
    with caplog.at_level(logging.DEBUG):
        result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert json.loads(next(out.rglob("apply.json")).read_text())
    assert any(out.rglob("*.html"))
    assert leaks(read(out, ".html", ".json", ".csv", ".txt", ".md")) == [] and leaks(result.output + caplog.text) == []
