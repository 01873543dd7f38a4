import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.reporting.scores import NoiseScores, read_dataset
from fplbench.reporting.tables import build_table
from fplbench.reporting.verdicts import verdicts

PAPER_COLUMNS = [
    "fpl", "dpir", "bilateral", "filter_combination", "gaussian_filter", "mean_filter", "median_filter", "nlm",
    "wavelet", "wiener",
]  # fmt: skip
PAPER_ROWS = [
    "chemical_shift", "gaussian", "magnetic_field", "motion", "noncentral_chi", "poisson", "rician", "salt_pepper",
    "speckle", "structured", "susceptibility", "thermal", "wrap_around",
]  # fmt: skip


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
    table = build_table("lidc", {"poisson": noise_scores({"fpl": [30, 31], "noisy": [32, 33]})}, seed=0)
    cells = table.blocks["psnr"]["poisson"]
    assert cells["noisy"].best
    assert not cells["fpl"].best
    [verdict] = verdicts(table, "psnr")
    assert (verdict.rival, verdict.lead.value) == ("noisy", -2)


def test_an_interval_depends_on_the_seed_and_not_on_what_else_is_in_the_table():
    one = noise_scores(dict(zip(("fpl", "noisy"), np.random.default_rng(0).normal(30, 2, (2, 20)), strict=True)))
    other = noise_scores({"fpl": [20, 21, 25]})
    alone = build_table("lidc", {"poisson": one}, seed=1).blocks["psnr"]["poisson"]["fpl"]
    together = build_table("lidc", {"rician": other, "poisson": one}, seed=1).blocks["psnr"]["poisson"]["fpl"]
    assert alone == together


def test_the_caption_tells_one_patient_from_several():
    methods = {"fpl": [30, 31, 32]}
    several = build_table("lidc", {"poisson": noise_scores(methods)}, seed=0, note="Made up.")
    one = build_table("lidc", {"poisson": noise_scores(methods, "aaa")}, seed=0)
    assert "3 test images of 3 patients" in several.caption
    assert several.caption.endswith("Made up.")
    assert build_table("lidc", {"poisson": noise_scores(methods)}, seed=0, note="Made up").caption == several.caption
    assert "3 test images of one patient" in one.caption
    assert "nothing about other patients" in one.interval_note
    assert "too narrow" in several.interval_note


def test_the_caption_explains_what_tuned_means_where_a_column_is():
    labels = Labels({"nlm": "NL Mean. (tuned)"})
    scores = {"poisson": noise_scores({"fpl": [30, 31], "nlm": [29, 30]})}
    assert "best on training images" in build_table("lidc", scores, seed=0, labels=labels).caption
    assert "tuned" not in build_table("lidc", scores, seed=0).caption


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
    scores = NoiseScores(("a", "b"), ("1", "2"), {"feature_error": {"fpl": np.array([0.1, 0.2]), "nlm": np.ones(2)}})
    table = build_table("lidc", {"poisson": scores}, seed=0)
    assert table.blocks["feature_error"]["poisson"]["fpl"].best
    assert verdicts(table, "feature_error")[0].lead.value == pytest.approx(0.85)


def test_a_method_that_was_not_scored_on_a_noise_leaves_its_cell_empty(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30], ("lidc", "gaussian", "nlm"): [29], ("lidc", "poisson", "fpl"): [31]})
    table = build_table("lidc", read_dataset(path, "lidc"), seed=0)
    assert table.methods == ("fpl", "nlm")
    assert "nlm" not in table.blocks["psnr"]["poisson"]


def test_a_misspelt_reference_gets_the_nearest():
    scores = {"poisson": noise_scores({"nlm": [30, 31], "wavelet": [30, 31]})}
    with pytest.raises(InputError, match=r"'wavelets' has no scores on lidc: did you mean 'wavelet'"):
        build_table("lidc", scores, seed=0, reference="wavelets")
    assert verdicts(build_table("lidc", scores, seed=0, reference="nlm"), "psnr")[0].rival == "wavelet"
