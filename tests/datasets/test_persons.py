"""Whose the images are: the mapping of RSNA, and what counts as a patient without an identifier."""

import json

import pytest

from fplbench.datasets.loaders.rsna import RsnaOptions, arrange
from fplbench.datasets.persons import (
    PUBLISHED,
    counted_lines,
    mapping_file,
    patients_counted_by,
    patients_identified,
    persons_known,
    read_persons,
)
from fplbench.datasets.registry import Slice
from fplbench.errors import InputError

HEADERS = {"a.dcm": {"image": "a", "row_spacing": None, "column_spacing": None}}
PERSON_1 = {"subset_img_id": "a", "img_id": "00000001_000.png", "StudyInstanceUID": "1.2", "orig_labels": ["Mass"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,patient\na,1\n", "needs a header line with image_id and person"),
        ("", "needs a header line with image_id and person"),
        ("image_id,person\n", "lists no image"),
        ("image_id,person\na,1\nb\n", "line 3: the image or the person is missing"),
        ("image_id,person\na,\n", "line 2: the image or the person is missing"),
        ("image_id,person\na,1\na,2\n", "line 3: the image was already listed with another person"),
        ("image_id,person\nz.dcm,1\n", "lists none of the 1 images"),
        ("image_id,person\na,\0" + "x" * 200_000, "is not a .csv file"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, text, message):
    mapping = tmp_path / "map.csv"
    mapping.write_text(text)
    with pytest.raises(InputError, match=rf"datasets\.rsna\.persons: .*map\.csv.* {message}"):
        arrange(HEADERS, RsnaOptions(root=tmp_path, persons=mapping))


def write_published(path, entries):
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def test_the_published_mapping_names_the_person_in_front_of_the_number_of_the_image(tmp_path):
    """The names of images at NIH are the person, an underscore, and the number of the follow-up."""
    others = [
        {"subset_img_id": "b", "img_id": "00000001_004.png"},
        {"subset_img_id": "c", "img_id": "00030805_000.png"},
        {"img_id": "00030805_001.png"},  # not in the challenge
    ]
    path = write_published(tmp_path / PUBLISHED, [PERSON_1, *others])
    assert read_persons(path, "persons") == {"a": "00000001", "b": "00000001", "c": "00030805"}


def test_the_published_mapping_in_the_root_is_used_unless_there_is_a_table(tmp_path):
    options = RsnaOptions(root=tmp_path)
    assert not persons_known(arrange(HEADERS, options)[0])
    write_published(tmp_path / PUBLISHED, [PERSON_1])
    slices, _ = arrange(HEADERS, options)
    assert persons_known(slices) and slices[0].patient == "00000001"
    (tmp_path / "persons.csv").write_text("image_id,person\na,Somebody\n")
    assert arrange(HEADERS, options)[0][0].patient == "Somebody"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{", "is not a .json file"),
        ("[" * 100_000, "is not a .json file"),
        ("{}", "needs a list of objects with the keys subset_img_id and img_id"),
        ([["a", "b"]], "needs a list of objects"),
        ([], "lists no image"),
        ([{"patientId": "a", "person": "1"}], "lists no image"),
        ([PERSON_1, {"subset_img_id": "b"}], "entry 2: the image or the person is missing"),
        ([{"subset_img_id": "a", "img_id": "picture.png"}], "entry 1: the image or the person is missing"),
        ([PERSON_1, {"subset_img_id": "a", "img_id": "00000002_000.png"}], "entry 2: .* listed with another person"),
    ],
)
def test_a_damaged_published_mapping_is_refused(tmp_path, entries, message):
    path = write_published(tmp_path / "map.json", entries)
    with pytest.raises(InputError, match=rf"datasets\.rsna\.persons: .*map\.json.* {message}"):
        read_persons(path, "datasets.rsna.persons")


@pytest.mark.parametrize("name", ["persons.csv", PUBLISHED])
def test_a_mapping_that_leads_out_of_the_root_is_not_read(tmp_path, name):
    (tmp_path / "outside").write_text("image_id,person\na,1\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / name).symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match=r"leads out of the folder: set datasets\.rsna\.persons"):
        arrange({}, RsnaOptions(root=tmp_path / "root"))


def test_messages_name_the_key_of_the_data_set(tmp_path):
    """Of RSNA by another name, as in `datasets: {chest: {loader: rsna}}`."""
    (tmp_path / "persons.csv").write_text("image,patient\na,1\n")
    with pytest.raises(InputError, match=r"^datasets\.chest\.persons: "):
        arrange(HEADERS, RsnaOptions(root=tmp_path), "chest")


def test_the_published_mapping_of_rsna_is_that_of_rsna_only(tmp_path):
    write_published(tmp_path / PUBLISHED, [PERSON_1])
    assert mapping_file(None, tmp_path, "datasets.chest.persons") is None


def slices_by(*kinds):
    return [Slice(f"{n}", f"p{n}", "s", f"{n}.dcm", 0, identified_by=kind) for n, kind in enumerate(kinds)]


@pytest.mark.parametrize("kind", ["PatientID", "BIDS", "mapping", "StudyInstanceUID"])
def test_a_patient_or_a_study_is_a_person(kind):
    assert persons_known(slices_by("PatientID", kind))


@pytest.mark.parametrize("kind", ["SeriesInstanceUID", "folder", "NIfTI file", "file"])
def test_one_series_folder_volume_or_file_without_a_patient_is_enough_for_persons_to_be_unknown(kind):
    assert not persons_known(slices_by("PatientID", "PatientID", kind))


def test_patients_without_an_identifier_are_counted_by_kind():
    slices = slices_by("PatientID", "StudyInstanceUID", "StudyInstanceUID", "file", "folder", "NIfTI file")
    found = patients_counted_by([*slices, slices[1]])
    assert found == {"study": 2, "folder": 1, "volume": 1, "file": 1}
    assert patients_identified([*slices, slices[0]]) == 1
    assert counted_lines(found)[0] == "Patients without an identifier are counted by study: 2."
