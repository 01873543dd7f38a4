"""The mapping from the images of RSNA to persons."""

import json

import pytest

from fplbench.datasets.persons import PUBLISHED, mapping_file, read_persons
from fplbench.datasets.rsna import RsnaOptions, arrange, persons_known
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
    assert read_persons(path) == {"a": "00000001", "b": "00000001", "c": "00030805"}


def test_the_published_mapping_in_the_root_is_used_unless_there_is_a_table(tmp_path):
    options = RsnaOptions(root=tmp_path)
    assert mapping_file(None, tmp_path) is None and not persons_known(options)
    write_published(tmp_path / PUBLISHED, [PERSON_1])
    assert persons_known(options) and arrange(HEADERS, options)[0][0].patient == "00000001"
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
        read_persons(path)


@pytest.mark.parametrize("name", ["persons.csv", PUBLISHED])
def test_a_mapping_that_leads_out_of_the_root_is_not_read(tmp_path, name):
    (tmp_path / "outside").write_text("image_id,person\na,1\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / name).symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match=r"leads out of the folder: set datasets\.rsna\.persons"):
        arrange({}, RsnaOptions(root=tmp_path / "root"))
