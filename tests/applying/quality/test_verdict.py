"""What a quality page says first: which results are warnings."""

import pytest

from fplbench.applying.quality.summary import EdgeSummary, TissueSummary
from fplbench.applying.quality.tissues import CT
from fplbench.applying.quality.verdict import NOTHING, Measures, findings, verdict, warnings
from fplbench.applying.running.suitability import noise_is_outside, noise_sentence
from fplbench.applying.scan import Facts
from fplbench.networks.card import Card, NoiseLevel

EVEN = EdgeSummary(0.02, 0.01, 1.0, 0.003)


def facts(*notes, hounsfield=True):
    return Facts("a", "a", "CT", None, 5, 64, 64, hounsfield, notes)


def tissues(**shifts):
    return [
        TissueSummary(tissue, 5, (10, 4), 0, shifts.get(tissue.name, 0.5), (0, 0), 1, 3, (5, 0), 1.0)
        for tissue in CT
        if tissue.name in ("fat", "lung", "soft_tissue")
    ]


def write(value):
    return f"{value:.1f} HU"


def both(measures, about=None, hounsfield=True):
    """Warnings and findings, which share no sentence."""
    warned = warnings(facts(hounsfield=hounsfield), about or {}, measures, write)
    found = findings(measures, hounsfield, write)
    assert not set(warned) & set(found)
    return warned, found


def test_a_scan_without_warnings_says_that_nothing_was_found():
    measures = Measures(tissues(), None, EVEN)
    warned, found = both(measures)
    assert warned == [] and len(found) == 4
    page = verdict(facts(), {}, measures, write)
    assert NOTHING in page and "Warnings" not in page


@pytest.mark.parametrize(("shift", "warns"), [(2.04, False), (2.06, True), (-2.1, True)])
def test_a_shift_of_more_than_two_hounsfield_units_as_it_is_written_is_a_warning(shift, warns):
    warned, found = both(Measures(tissues(fat=shift), None, EVEN))
    assert any("that of fat by" in words for words in warned) == warns
    assert any("that of fat moved most" in words for words in found) == (not warns)


def test_all_tissues_that_shifted_are_named():
    (warned,), _ = both(Measures(tissues(fat=2.5, lung=-4), None, EVEN))
    assert "more than 2 HU: that of lung by -4.0 HU and that of fat by 2.5 HU." in warned


def test_without_hounsfield_units_no_shift_is_a_warning():
    assert both(Measures(tissues(fat=50), None, EVEN), hounsfield=False)[0] == []


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        (EdgeSummary(0.2, 0.05, 1.3, 0.003), "stronger at edges"),
        (EdgeSummary(0.2, 0.15, 1.3, 0.003), None),
        (EdgeSummary(0, 0, 1.0, 0.031), "3.1 % of the places"),
        (EdgeSummary(0, 0, 1.0, 0.03), None),
    ],
)
def test_structure_in_the_change_is_a_warning(edges, words):
    warned, found = both(Measures(tissues(), None, edges))
    assert len(warned) + len(found) == 4
    assert [words in one for one in warned] == ([True] if words else [])


@pytest.mark.parametrize(("noise", "warns"), [(5, True), (10, False), (15, True), (None, False)])
def test_noise_outside_that_of_the_training_images_is_a_warning(noise, warns):
    level = NoiseLevel(minimum=9, median=11, maximum=14)
    card = Card(method="fpl", label="FPL", modalities=("CT",), hounsfield=True, noise_title="Gaussian", noise_level=level)
    sentence = noise_sentence(noise, card)
    about = {"noise": sentence, "noise_outside": noise_is_outside(noise, card)}
    assert both(Measures(tissues(), None, EVEN), about)[0] == ([sentence] if warns else [])


def test_warnings_of_the_run_and_notes_are_said_once():
    about = {"warnings": ["A slice is missing.", "No card."]}
    warned = warnings(facts("A slice is missing."), about, Measures([], None, None), write)
    assert warned == ["A slice is missing.", "No card."]


def test_what_could_not_be_checked_is_said():
    assert any("could not be checked" in words for words in both(Measures(tissues(), None, None))[1])
    assert "Nothing could be checked" in verdict(facts(), {}, Measures([], None, None), write)
