import json

import pytest

from fplbench.datasets.persons import COUNTED_BY
from fplbench.errors import InputError
from fplbench.reporting.facts import UNITS, Facts, read_facts

UNKNOWN = "; which of them show the same person is not known"


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


def without_persons(identified, **counted):
    return {"persons_known": False, "patients_identified": identified, "patients_counted_by": counted}


def test_each_word_that_the_sampling_counts_by_has_a_plural():
    assert set(UNITS) == set(COUNTED_BY.values())


@pytest.mark.parametrize(
    ("sampling", "number", "units", "whose"),
    [
        ({}, 3, "patients", " of 3 patients"),
        ({"patients_identified": 5}, 1, "patients", " of 1 patient"),
        ({"patients_counted_by": {"study": 9}, "patients_identified": 0}, 3, "patients", " of 3 patients, each a study"),
        (
            {"patients_counted_by": {"study": 2}, "patients_identified": 7}, 3, "patients",
            " of 3 patients, of whom those without an identifier are counted by study",
        ),
        ({"persons_known": False}, 3, "images", UNKNOWN),
        (without_persons(0, file=9), 3, "images", UNKNOWN),
        (without_persons(0, volume=9), 3, "volumes", f" of 3 volumes{UNKNOWN}"),
        (without_persons(0, series=9), 1, "series", f" of 1 series{UNKNOWN}"),
        (without_persons(2, volume=9), 3, "patients or volumes", f" of 3 patients or volumes{UNKNOWN}"),
    ],
)  # fmt: skip
def test_what_counts_as_a_patient_is_named(tmp_path, sampling, number, units, whose):
    path = tmp_path / "sampling.json"
    path.write_text(json.dumps(sampling))
    facts = read_facts(path)
    assert (facts.units, facts.whose(number)) == (units, whose)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({}, ""),
        ({"window": [-160, 240], "hounsfield": True, "modalities": ["CT"]}, "CT, loader own, window -160 to 240 HU"),
        ({"percentiles": [0.5, 99.5], "modalities": ["MR"]}, "MR, loader own, window from percentile 0.5 to 99.5 of each series"),
        ({"window": None, "modalities": ["CR", "DX"]}, "CR/DX, loader own, no window"),
    ],
)
def test_modality_loader_and_window_are_a_phrase(tmp_path, sampling, expected):
    path = tmp_path / "sampling.json"
    path.write_text(json.dumps(sampling | ({"loader": "own"} if sampling else {})))
    assert read_facts(path).acquisition() == expected


@pytest.mark.parametrize("text", ["{", "[]", '{"lesions": 3}', '{"lesions": {"test": "many"}}', '{"window": [1]}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "sampling.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"sampling.json (is not a JSON file|does not describe a sampling)"):
        read_facts(path)
