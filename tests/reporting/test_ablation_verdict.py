import pytest

from fplbench.config import load_config
from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.ablation_verdict import verdict
from fplbench.reporting.comparison import compare
from fplbench.reporting.labels import Labels
from tests.helpers.ablation import by_method

CONTROL = "residual_same_seconds"
ROLES = Roles(("fpl", "lesion_weight"), ("mask_weight",), {CONTROL: "", "fpl": "guided", "lesion_weight": "", "mask_weight": ""})
SPREAD = (-0.02, -0.01, 0, 0.01, 0.02)
"""Differences of seeds: their mean is 0, and Student's interval is +-2.776 * 0.01581 / sqrt(5) = +-0.0196."""


def seeds(mean):
    return [mean + each for each in SPREAD]


def means(lesion, recovery_error, psnr, noises=("x", "y")):
    """Cells of lidc with inserted lesions, by variant; the control does not scatter."""
    values = {
        "inserted_lesion_psnr": {CONTROL: [22] * 5} | {name: seeds(value) for name, value in lesion.items()},
        "inserted_recovery_error": {CONTROL: [0.4] * 5} | {name: seeds(value) for name, value in recovery_error.items()},
        "inserted_contrast_recovery": {CONTROL: [0.6] * 5} | {name: seeds(1 - value) for name, value in recovery_error.items()},
        "psnr": {CONTROL: [30] * 5} | {name: seeds(value) for name, value in psnr.items()},
    }
    return {("lidc", noise): {metric: by_method(own) for metric, own in values.items()} for noise in noises}


def said(cells):
    return "\n".join(verdict(compare(cells, CONTROL), ROLES, CONTROL, Labels()))


GOOD = {"lesion_weight": 23.25}, {"lesion_weight": 0.3}, {"lesion_weight": 29.9}


def test_a_form_that_passes_on_two_noises_passes():
    text = said(means(*GOOD))
    assert text.startswith("**`lesion_weight` passes** on inserted lesions of LIDC (x and y).")
    assert "lesion PSNR +1.25 [+1.23, +1.27]* dB" in text  # +- 0.0196
    assert f"contrast recovery 0.700 (`{CONTROL}` 0.600), |1 − recovery| better by +0.100 [+0.080, +0.120]*" in text
    assert "PSNR -0.10 [-0.12, -0.08]* dB" in text  # a loss of 0.1 dB is allowed
    assert "mask_weight" not in text  # not trained


def test_a_form_that_passes_on_one_noise_does_not_pass():
    worse = means({"lesion_weight": 22.015}, {"lesion_weight": 0.3}, {"lesion_weight": 29.9}, ["y"])
    text = said(means(*GOOD, ["x"]) | worse)
    assert text.startswith("**No form of F passes.**")
    assert "On one noise alone, which is not enough: `lesion_weight` (LIDC, x, inserted lesions)." in text
    # 0.015 is less than 0.0196.
    assert "Why not: the interval of lesion PSNR does not lie above zero." in text


@pytest.mark.parametrize(
    ("lesion", "error", "psnr", "why"),
    [
        (23, 0.39, 30, "the interval of |1 − recovery| does not lie above zero"),  # 0.01 is less than 0.0196
        (23, 0.3, 29.85, "it loses more than 0.1 dB of PSNR"),
        (21, 0.3, 30, "the interval of lesion PSNR does not lie above zero"),
    ],
)
def test_what_keeps_a_form_from_passing_is_said(lesion, error, psnr, why):
    text = said(means({"fpl": lesion}, {"fpl": error}, {"fpl": psnr}))
    assert text.startswith("**No form of F passes.**")
    assert f"Why not: {why}." in text
    assert "On no noise at all: `fpl`." in text


def test_a_mask_as_weight_is_a_control_that_forms_are_compared_with():
    lesion = {"lesion_weight": 23.25, "mask_weight": 23.5}
    error = {"lesion_weight": 0.3, "mask_weight": 0.3}
    text = said(means(lesion, error, {"lesion_weight": 30, "mask_weight": 30}))
    assert "**`mask_weight` passes**" not in text
    assert "by lesion PSNR: of 2, 0 better, 0 not told apart, 2 worse." in text
    # Both scatter alike, so that their paired differences do not.
    assert "- `lesion_weight`, LIDC, x, inserted lesions: lesion PSNR worse (-0.25 [-0.25, -0.25]); |1 − recovery|" in text


def test_few_seeds_give_no_verdict_but_numbers():
    cells = {
        ("lidc", "x"): {"psnr": by_method({CONTROL: [30], "fpl": [30]}), "lesion_psnr": by_method({CONTROL: [20], "fpl": [21]})}
    }
    text = said(cells)
    assert text.startswith("**No verdict**: intervals take at least 5 seeds, and there are 1.")
    assert "- `fpl`, LIDC, x, annotated lesions: lesion PSNR +1.00 dB, no contrast that can be scored, PSNR +0.00 dB." in text
    assert "Why not" not in text


def test_without_scores_of_lesions_there_is_no_verdict():
    assert said({("lidc", "x"): {"psnr": by_method({CONTROL: [30], "fpl": [30]})}}).startswith(
        "**No form of F was scored on lesions**"
    )


def test_controls_are_not_forms():
    options = {"explanation": {"network": "random"}, "feature_use": "weight"}
    variants = {
        "random_weight": options,
        "sobel": {"balance": 1, "explanation": {"feature": "sobel"}},
        "mask": {"explanation": {"feature": "mask"}, "feature_use": "weight"},
        "lesion_weight": {"explanation": {"network": "lesion"}, "feature_use": "weight"},
    }
    config = load_config(
        {"datasets": {"lidc": {"root": "x"}}, "noises": {"gaussian": {}}, "ablation": {"variants": variants, "controls": []}}
    )
    roles = Roles.of(config.ablation_variants())
    assert roles.forms == ("as_published", "fpl", "lesion_weight")
    assert roles.annotations == ("mask",)
    assert (roles.explanations["sobel"], roles.explanations["lesion_weight"]) == ("sobel", "")
