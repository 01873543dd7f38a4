import json

import pytest

from fplbench.errors import InputError
from fplbench.reporting.facts import Facts, read_facts


def test_the_facts_are_those_of_the_split(tmp_path):
    path = tmp_path / "sampling.json"
    sampling = {
        "persons_known": False,
        "patients": {"train": 5, "test": 3},
        "images": {"train": 50, "test": 30},
        "images_annotated": {"train": 9, "test": 0},
        "lesions": {"train": 7, "test": 2},
        "lesion_images": {"train": 8, "test": 4},
        "lesion_patients": {"train": 6, "test": 1},
        "reference_noise": 2.8,
    }
    path.write_text(json.dumps(sampling))
    assert read_facts(path) == Facts(False, 3, 30, 0, 2, 4, 1, 2.8)
    assert read_facts(path, "train") == Facts(False, 5, 50, 9, 7, 8, 6, 2.8)


def test_what_was_not_written_is_not_known_and_not_zero(tmp_path):
    path = tmp_path / "sampling.json"
    path.write_text(json.dumps({"patients": {"test": 3}}))
    assert read_facts(path) == Facts(patients=3)
    assert read_facts(tmp_path / "none.json") == read_facts(None) == Facts()
    assert (Facts().persons_known, Facts().lesions) == (True, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"lesions": 3}', '{"lesions": {"test": "many"}}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "sampling.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"sampling.json (is not a JSON file|does not describe a sampling)"):
        read_facts(path)
