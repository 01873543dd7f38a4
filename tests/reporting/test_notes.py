from dataclasses import replace

import numpy as np
import pytest

from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.notes import caption, interval_notes, remarks, why_undecided
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.statistics import MANY_UNITS, MINIMUM_UNITS
from fplbench.reporting.tables import build_table

NOISES = [f"noise{i}" for i in range(13)]
SHOWN = ("psnr", "ssim", "lesion_psnr", "contrast_recovery", "inserted_lesion_psnr", "inserted_contrast_recovery")


def scores(patients, psnr=30.0, noise="poisson"):
    """Constant scores of FPL and the noisy images, one for each patient named."""
    values = {method: np.full(len(patients), psnr) for method in ("fpl", "noisy")}
    images = tuple(f"i{i}" for i in range(len(patients)))
    return {noise: NoiseScores(images, tuple(patients), {"psnr": values, "ssim": values})}


def people(count):
    return [f"p{i}" for i in range(count)]


def lesion_scores(units, unit="lesion", **counts):
    names = tuple(f"x{i}" for i in range(units))
    blocks = {
        metric: NoiseScores(names, names, {metric: {"fpl": np.linspace(0.5, 1, units)}})
        for metric in ("lesion_psnr", "contrast_recovery")
    }
    facts = {"lesions": units, "images": 4, "patients": 1, "unscored": 0} | counts
    return {"poisson": LesionScores(unit=unit, blocks=blocks, **facts)}


def text(table):
    return " ".join([caption(table, SHOWN), *remarks(table, SHOWN), *interval_notes(table, SHOWN)])


def test_the_caption_counts_images_and_patients():
    assert "3 test images of 3 patients" in text(build_table("lidc", scores("abc"), 0))
    assert "3 test images of 1 patient" in text(build_table("lidc", scores("aaa"), 0))
    table = build_table("lidc", scores("abc"), 0, note="Made up")
    assert caption(table, SHOWN).startswith("LIDC PSNR and SSIM comparison: mean over")
    assert caption(table, SHOWN).endswith("Made up.")


def test_images_are_not_called_patients_where_persons_are_unknown():
    inserted = lesion_scores(14, "patient", patients=14)
    table = build_table("rsna", scores(people(40)), 0, facts=Facts(persons_known=False), inserted=inserted, partial=True)
    assert "mean over 40 test images; which of them show the same person is not known." in text(table)
    assert "paired bootstrap over 40 images; they are too narrow if several images show the same person." in text(table)
    assert "patient" not in text(table).replace("inserted lesions of one patient", "")


def test_volumes_are_named_where_they_count_as_patients():
    facts = Facts(persons_known=False, identified=False, counted_by=("volume",), lesions=2, lesion_images=4, lesion_patients=1)
    found = text(build_table("own", scores(people(40)), 0, facts=facts))
    assert "mean over 40 test images of 40 volumes; which of them show the same person is not known." in found
    assert "paired bootstrap over 40 volumes; they are too narrow if several volumes show the same person." in found
    assert "Annotated: 2 lesions in 4 images of 1 volume." in found
    one = build_table("own", scores("aaa"), 0, facts=Facts(persons_known=False, identified=False, counted_by=("series",)))
    assert "A paired permutation test over one series always has p = 1" in text(one) and "patient" not in found + text(one)


def test_patients_that_are_studies_are_said_to_be():
    found = text(build_table("own", scores(people(40)), 0, facts=Facts(identified=False, counted_by=("study",))))
    assert "mean over 40 test images of 40 patients, each a study." in found
    assert "paired bootstrap over 40 patients; they are too narrow if a person has several studies." in found


def test_tuned_is_explained_where_a_column_is():
    labels = Labels({"fpl": "Mine†"})
    assert "best on training images" in text(build_table("lidc", scores("ab"), 0, labels))
    assert "†" not in text(build_table("lidc", scores("ab"), 0))


def test_one_patient_has_no_intervals_and_the_note_says_why():
    table = build_table("lidc", scores("aaa"), 0)
    assert interval_notes(table, SHOWN) == [
        "No intervals and no verdicts: all images are of one patient and say nothing about others; a permutation test over one "
        "patient has p = 1."
    ]
    assert why_undecided(table, SHOWN) == interval_notes(table, SHOWN)


@pytest.mark.parametrize(
    ("count", "drawn", "narrow"),
    [(MINIMUM_UNITS - 1, False, False), (MINIMUM_UNITS, True, True), (MANY_UNITS - 1, True, True), (MANY_UNITS, True, False)],
)
def test_few_patients_have_no_intervals_or_slightly_narrow_ones(count, drawn, narrow):
    found = text(build_table("lidc", scores(people(count)), 0))
    assert (f"Intervals: 95 %, paired bootstrap over {count} patients." in found) == drawn
    assert (f"with fewer than {MINIMUM_UNITS} patients (here {count}), an interval would be too narrow" in found) != drawn
    assert ("intervals are slightly too narrow" in found) == narrow


def test_few_patients_are_told_the_smallest_p_where_no_row_can_be_decided():
    """All signs of 5 patients: 2 / 2^5 = 0.0625, and 13 / 16 for 13 rows; of 11 patients, 2 / 2^11 for each row is enough."""
    rows = {noise: found for name in NOISES for noise, found in scores(people(5), noise=name).items()}
    reason = (
        "The smallest p that a paired permutation test over 5 patients can have is 0.0625, 0.812 adjusted for 13 rows (Holm), so "
        "that no row can be decided."
    )
    table = build_table("lidc", rows, 0)
    assert reason in interval_notes(table, SHOWN)[0] and reason in why_undecided(table, SHOWN)[0]
    single = build_table("lidc", scores(people(5)), 0)
    assert "over 5 patients can have is 0.0625, so that no row" in why_undecided(single, SHOWN)[0]
    enough = {noise: found for name in NOISES for noise, found in scores(people(11), noise=name).items()}
    assert "smallest p" not in why_undecided(build_table("lidc", enough, 0), SHOWN)[0]


@pytest.mark.slow
def test_many_rows_put_verdicts_out_of_reach():
    """12 patients: 2 / 2^12 for one row, 0.05 or more for 103 rows and more."""
    noise = scores(people(12)).values()
    rows = {f"noise{i}": replace(found, values={"psnr": found.values["psnr"]}) for i in range(103) for found in noise}
    text = interval_notes(build_table("lidc", rows, 0), ["psnr"])[0]
    assert "over 12 patients can have is 0.000488, 0.0503 adjusted for 103 rows (Holm), so that no row can be decided" in text
    del rows["noise0"]
    assert "smallest" not in interval_notes(build_table("lidc", rows, 0), ["psnr"])[0]


def test_the_caption_explains_ties_where_there_are_any():
    (noise,) = scores(people(14)).values()
    noise.values["psnr"] = {"fpl": np.full(14, 30.0), "noisy": 30 - np.eye(14)[0]}  # one patient differs: p is 1
    table = build_table("lidc", {"poisson": noise}, 0)
    told = "°: not told from the best of its row by a paired permutation test over patients (p at least 0.05, adjusted for"
    assert told in caption(table, ["psnr"], second=True, tied="°")
    assert "the second best underlined" in caption(table, ["psnr"], second=True)
    assert "°" not in caption(table, ["psnr"]) + caption(table, ["ssim"], tied="°")


def test_the_draw_counts_its_lesions_or_says_that_there_are_none():
    facts = Facts(annotated=5, lesions=3, lesion_images=4, lesion_patients=2)
    assert "Annotated: 3 lesions in 4 images of 2 patients." in text(build_table("lidc", scores("ab"), 0, facts=facts))
    none = Facts(annotated=5, lesions=0)
    assert "Annotated: no lesion in the test images." in text(build_table("lidc", scores("ab"), 0, facts=none))
    unknown = Facts(annotated=0, lesions=0)
    assert "Annotated: nothing is known about lesions in the test images." in text(
        build_table("lits", scores("ab"), 0, facts=unknown)
    )
    assert "lesion" not in text(build_table("lits", scores("ab"), 0))


def test_a_table_without_scores_of_lesions_does_not_count_lesions():
    table = build_table("lidc", scores("aa"), 0, lesions=lesion_scores(2), partial=True)
    assert "Annotated: 2 lesions" in " ".join(remarks(table, SHOWN))
    assert "lesion" not in " ".join(remarks(table, ["psnr", "ssim"]))


def test_lesions_whose_contrast_is_not_scored_are_counted_with_the_reason():
    found = text(build_table("lidc", scores("aa"), 0, lesions=lesion_scores(2, unscored=5, too_small=2), partial=True))
    assert "counting each image of a lesion: 2 too small (fewer than 4 pixels), 3 too faint (contrast below 2 standard" in found
    assert "not scored" not in text(build_table("lidc", scores("aa"), 0, lesions=lesion_scores(2), partial=True))


def test_boxes_are_called_boxes():
    assert "Annotated: 2 lesions (boxes) in 4 images of 1 patient." in text(
        build_table("rsna", scores("aa"), 0, lesions=lesion_scores(2, boxes=True), partial=True)
    )


def test_inserted_lesions_are_said_to_be_inserted_and_their_intervals_to_be_over_lesions():
    found = text(build_table("lidc", scores("aa"), 0, lesions=lesion_scores(1), inserted=lesion_scores(40), partial=True))
    assert "Inserted, not real: 40 lesions, put into copies of test images (4 images of 1 patient) before" in found
    assert "No intervals and no verdicts for lesion scores: with fewer than 12 lesions (here 1), an interval" in found
    assert "A paired permutation test over one lesion always has p = 1, so that no row can be decided." in found
    assert (
        "Intervals for scores of inserted lesions: 95 %, paired bootstrap over 40 lesions of one patient, which say nothing "
        "about other patients." in found
    )
    assert "1 is right, so no method is marked as the best" in found


def test_the_noise_of_the_clean_images_is_named_and_noises_below_twice_of_it():
    # 255 * 10^(-PSNR / 20) grey levels: 25.5 at 20 dB, 8.06 at 30 dB.
    both = {**scores("ab", 20.0, "gaussian"), **scores("ab", 30.0, "poisson")}
    found = text(build_table("lidc", both, 0, facts=Facts(reference_noise=4.1)))
    assert "The clean images have noise of their own, about 4.1 grey levels in even regions." in found
    assert "Where less than twice as much is added (Poisson Noise), removing" in found
    quiet = text(build_table("lidc", both, 0, facts=Facts(reference_noise=4.0)))
    assert "about 4.0 grey levels in even regions." in quiet
    assert "less than twice" not in quiet


def test_the_added_noise_is_measured_in_the_body_where_that_is_scored():
    """Over the whole image, clipped air included, 8.06 grey levels; in the body, at 26 dB, 12.8."""
    (noise,) = scores("ab", 30.0, "poisson").values()
    noise.values["body_psnr"] = {method: values - 4 for method, values in noise.values["psnr"].items()}
    assert "less than twice" in text(build_table("lidc", {"poisson": noise}, 0, facts=Facts(reference_noise=6.5)))
    assert "less than twice" not in text(build_table("lidc", {"poisson": noise}, 0, facts=Facts(reference_noise=6.3)))
