import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.statistics import MINIMUM_UNITS
from fplbench.reporting.tables import build_table
from fplbench.reporting.verdicts import rivals, verdicts

PAPER_COLUMNS = [
    "fpl", "dpir", "bilateral", "filter_combination", "gaussian_filter", "mean_filter", "median_filter", "nlm",
    "wavelet", "wiener",
]  # fmt: skip
PAPER_ROWS = [
    "chemical_shift", "gaussian", "magnetic_field", "motion", "noncentral_chi", "poisson", "rician", "salt_pepper",
    "speckle", "structured", "susceptibility", "thermal", "wrap_around",
]  # fmt: skip


def many(*values):
    """The values on end, for as many patients as an interval takes at least."""
    return [values[i % len(values)] for i in range(MINIMUM_UNITS)]


def noise_scores(psnr, patients=None):
    images = tuple(f"i{i}" for i in range(len(next(iter(psnr.values())))))
    return NoiseScores(images, tuple(patients or images), {"psnr": {k: np.array(v, float) for k, v in psnr.items()}})


def test_rows_and_columns_stand_in_the_order_of_the_paper_with_noisy_first():
    methods = {name: [30.0] for name in reversed([*PAPER_COLUMNS, "noisy"])}
    table = build_table("lidc", {noise: noise_scores(methods) for noise in reversed(PAPER_ROWS)}, seed=0)
    assert table.methods == ("noisy", *PAPER_COLUMNS)
    assert list(table.blocks["psnr"]) == PAPER_ROWS


def test_labels_are_those_of_the_paper():
    labels = Labels()
    assert [labels.noise(name) for name in PAPER_ROWS] == [
        "Chem. Shift", "Gauss.", "Mag. Field", "Motion Art.", "Non-cent. Chi", "Poisson Noise", "Rician",
        "Salt & Pepper", "Speckle Noise", "Struct. Noise", "Susc. Art.", "Thermal", "Wrap Around",
    ]  # fmt: skip
    assert [labels.method(name) for name in PAPER_COLUMNS[1:-1]] == [
        "DPIR", "Bilat.", "Filt. Comb.", "Gaus. Filt.", "Mean Filt.", "Medi. Filt.", "NL Mean.", "Wave. Den.",
    ]  # fmt: skip


def test_own_methods_stand_among_the_others_by_label():
    labels = Labels({"mine": "Curvelets"})
    assert labels.methods(["wiener", "mine", "fpl", "bilateral"]) == ["fpl", "bilateral", "mine", "wiener"]
    assert labels.method("mine") == "Curvelets"
    assert Labels().method("mine") == Labels().noise("mine") == Labels().dataset("mine") == "mine"


def test_the_unprocessed_image_can_be_the_best():
    table = build_table("lidc", {"poisson": noise_scores({"fpl": many(30, 31), "noisy": many(32, 33)})}, seed=0)
    cells = table.blocks["psnr"]["poisson"]
    assert cells["noisy"].best
    assert not cells["fpl"].best
    [verdict] = verdicts(table, "psnr")
    assert (verdict.rival, verdict.lead.value) == ("noisy", -2)


def test_an_interval_depends_on_the_seed_and_not_on_what_else_is_in_the_table():
    one = noise_scores(dict(zip(("fpl", "noisy"), np.random.default_rng(0).normal(30, 2, (2, 20)), strict=True)))
    other = noise_scores({"fpl": [20, 21, 25]})
    alone = build_table("lidc", {"poisson": one}, seed=1).blocks["psnr"]["poisson"]["fpl"]
    together = build_table("lidc", {"rician": other, "poisson": one}, seed=1, partial=True).blocks["psnr"]["poisson"]["fpl"]
    assert alone == together
    assert alone.low is not None


def test_verdicts_compare_with_the_best_other_and_correct_for_the_number_of_rows():
    rng = np.random.default_rng(0)
    base = rng.normal(30, 1, 12)
    clear = {"fpl": base + 3, "wiener": base, "nlm": base + 1}
    open_ = {"fpl": base, "wiener": base + rng.normal(0, 1, 12), "nlm": base - 5}
    table = build_table("lidc", {"poisson": noise_scores(clear), "rician": noise_scores(open_)}, seed=0)
    first, second = verdicts(table, "psnr")
    assert (first.rival, first.outcome) == ("nlm", "better")
    assert first.lead.value == pytest.approx(2)
    assert first.p == 2 * 2 / 2**12
    assert (second.rival, second.outcome) == ("wiener", "undecided")


def test_a_lower_feature_error_is_better():
    scores = NoiseScores(
        tuple("abcdefghijkl"),
        tuple("abcdefghijkl"),
        {"feature_error": {"fpl": np.array(many(0.1, 0.2)), "nlm": np.ones(MINIMUM_UNITS)}},
    )
    table = build_table("lidc", {"poisson": scores}, seed=0)
    assert table.blocks["feature_error"]["poisson"]["fpl"].best
    assert verdicts(table, "feature_error")[0].lead.value == pytest.approx(0.85)


def test_a_method_that_was_not_scored_on_a_noise_leaves_its_cell_empty(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30], ("lidc", "gaussian", "nlm"): [29], ("lidc", "poisson", "fpl"): [31]})
    table = build_table("lidc", read_dataset(path, "lidc"), seed=0, partial=True)
    assert table.methods == ("fpl", "nlm")
    assert "nlm" not in table.blocks["psnr"]["poisson"]


def test_a_misspelt_reference_gets_the_nearest():
    scores = {"poisson": noise_scores({"nlm": many(30, 31), "wavelet": many(30, 31)})}
    with pytest.raises(InputError, match=r"'wavelets' has no scores on lidc: did you mean 'wavelet'"):
        build_table("lidc", scores, seed=0, reference="wavelets")
    assert verdicts(build_table("lidc", scores, seed=0, reference="nlm"), "psnr")[0].rival == "wavelet"


def test_one_patient_has_means_and_no_verdicts():
    scores = {"poisson": noise_scores({"fpl": many(30, 31), "noisy": many(28, 29)}, "a" * MINIMUM_UNITS)}
    table = build_table("lidc", scores, seed=0)
    cell = table.blocks["psnr"]["poisson"]["noisy"]
    assert (cell.mean, cell.low, cell.lead) == (28.5, None, None)
    assert verdicts(table, "psnr") == []
    assert [(rival.method, rival.gap) for rival in rivals(table, "psnr")] == [("noisy", 2)]


@pytest.fixture
def lesions():
    """Scores of 14 lesions of one patient: the contrast of one is not scored, as its mask is too small."""

    def block(metric, **values):
        size = len(next(iter(values.values())))
        names = tuple(f"x{i}" for i in range(size))
        return NoiseScores(names, names, {metric: {name: np.array(numbers) for name, numbers in values.items()}})

    recovery = np.linspace(0.5, 1.1, 13)
    blocks = {
        "lesion_psnr": block("lesion_psnr", fpl=np.linspace(30, 33, 14), noisy=np.linspace(20, 22, 14)),
        "contrast_recovery": block("contrast_recovery", fpl=recovery, noisy=np.ones(13)),
        "recovery_error": block("recovery_error", fpl=abs(1 - recovery), noisy=np.zeros(13)),
    }
    return {"poisson": LesionScores("lesion", 14, 7, 1, 1, too_small=1, blocks=blocks)}


@pytest.fixture
def one_patient():
    return {"poisson": noise_scores({"fpl": [30, 31], "noisy": [28, 29]}, "aa")}


def test_lesions_have_blocks_in_the_order_of_the_pages(lesions, one_patient):
    table = build_table("lidc", one_patient, seed=0, lesions=lesions, inserted=lesions)
    assert list(table.blocks) == [
        "psnr", "lesion_psnr", "contrast_recovery", "recovery_error", "inserted_lesion_psnr", "inserted_contrast_recovery",
        "inserted_recovery_error",
    ]  # fmt: skip
    few = build_table("lidc", one_patient, seed=0, inserted=lesions, shown=("inserted_contrast_recovery", "psnr"))
    assert few.shown_blocks == ["inserted_contrast_recovery", "psnr"]
    assert len(few.blocks) == 4


def test_no_contrast_recovery_is_the_best_and_the_least_error_of_it_is(lesions, one_patient):
    table = build_table("lidc", one_patient, seed=0, inserted=lesions)
    recovery = table.blocks["inserted_contrast_recovery"]["poisson"]
    assert not any(cell.best or cell.lead for cell in recovery.values())
    assert recovery["fpl"].low < 0.8 < recovery["fpl"].high
    error = table.blocks["inserted_recovery_error"]["poisson"]
    assert (error["fpl"].best, error["noisy"].best) == (False, True)
    assert verdicts(table, "inserted_contrast_recovery") == rivals(table, "inserted_contrast_recovery") == []
    [verdict] = verdicts(table, "inserted_recovery_error")
    assert (verdict.rival, verdict.outcome) == ("noisy", "worse")


def test_intervals_over_lesions_of_one_patient_stand_beside_means_of_its_images(lesions, one_patient):
    table = build_table("lidc", one_patient, seed=0, inserted=lesions)
    assert table.blocks["psnr"]["poisson"]["fpl"].low is None
    assert table.blocks["inserted_lesion_psnr"]["poisson"]["fpl"].low is not None
    assert (table.units["psnr"].name, table.units["psnr"].count) == ("patients", 1)
    assert (table.units["inserted_lesion_psnr"].name, table.units["inserted_lesion_psnr"].count) == ("lesions", 14)


def test_a_method_without_scores_of_lesions_leaves_its_cells_empty(lesions):
    scores = {"poisson": noise_scores({"fpl": [30, 31], "nlm": [28, 29]})}
    table = build_table("lidc", scores, seed=0, lesions=lesions, partial=True)
    assert "nlm" not in table.blocks["lesion_psnr"]["poisson"]
    assert table.methods == ("fpl", "nlm")


def test_an_unknown_metric_gets_the_nearest(one_patient):
    with pytest.raises(InputError, match=r"'contrast_recover' is not a metric: did you mean 'contrast_recovery'"):
        build_table("lidc", one_patient, seed=0, shown=["contrast_recover"])
