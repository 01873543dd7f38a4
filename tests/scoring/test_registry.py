import math

import numpy as np
import pytest

from fplbench.scoring.lesions import LESION_METRICS
from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import ALWAYS, DEFAULT, SCORES, image_metrics, in_order, metric

WINDOW = (-1000.0, 400.0)


@pytest.fixture(scope="module")
def images():
    """A disc with texture in air, and the same with little and with much noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[-32:32, -32:32]
    disc = rows**2 + columns**2 < 26**2
    clean = np.where(disc, 150 + 40 * np.sin(rows / 3) * np.cos(columns / 4), 0)
    noise = rng.normal(size=clean.shape)
    return [np.clip(clean + level * noise, 0, 255).astype(np.uint8) for level in (0, 5, 30)]


def test_the_columns_are_in_the_order_of_the_registry():
    assert image_metrics() == (*DEFAULT, "vif")
    assert DEFAULT[:3] == ALWAYS == ("psnr", "psnr_uint8", "ssim")
    assert in_order(["zebra", "feature_error", "vif", "ssim", "aardvark", "psnr", "ssim"]) == (
        *("psnr", "ssim", "vif", "feature_error"),
        *("aardvark", "zebra"),
    )


@pytest.mark.parametrize("name", [*DEFAULT, "vif"])
def test_a_metric_tells_less_from_more_noise_in_the_direction_that_it_declares(name, images):
    if name == "vif":
        pytest.importorskip("sewar")
    reference = Reference(images[0], WINDOW)
    equal, little, much = (SCORES[name].function(Pair(reference, image)) for image in images)
    if name == "psnr_uint8":  # wraps around: only that equal images are best holds
        assert equal == math.inf
        return
    sign = {"higher": 1, "lower": -1}[SCORES[name].direction]
    assert sign * equal > sign * little > sign * much


@pytest.mark.parametrize("name", [*DEFAULT, "vif"])
def test_a_metric_has_the_same_score_whatever_was_scored_before(name, images):
    if name == "vif":
        pytest.importorskip("sewar")
    shared, function = Reference(images[0], WINDOW), SCORES[name].function
    for image in images:
        copy = image.copy()
        copy.flags.writeable = False
        assert function(Pair(shared, copy)) == function(Pair(Reference(images[0], WINDOW), image))


def test_the_scores_of_lesions_are_described_with_twins_for_inserted_ones():
    names = {name if name not in ("rmse", "psnr", "ssim") else f"lesion_{name}" for name in LESION_METRICS}
    assert {name for name, entry in SCORES.items() if entry.function is None} == {
        *names, *(f"inserted_{name}" for name in names), "feature_error",
    }  # fmt: skip
    # A ratio whose right value is 1, and a difference whose right value is 0, have no better end.
    assert SCORES["contrast_recovery"].direction is SCORES["bias"].direction is None
    assert SCORES["inserted_recovery_error"].direction == "lower"


def test_what_is_computed_of_the_clean_image_is_computed_once(images):
    calls = []

    def mean(reference):
        calls.append(reference)
        return reference.clean.mean()

    reference = Reference(images[0])
    assert [Pair(reference, image).reference.once(mean) for image in images] == [images[0].mean()] * 3
    assert calls == [reference]


def test_a_metric_needs_a_docstring_and_a_name_of_its_own():
    with pytest.raises(ValueError, match="'undocumented' needs a docstring"):
        metric("undocumented", label="U", digits=2, direction="higher")(lambda pair: 0.0)

    def again(pair):
        """The PSNR again."""
        return 0.0

    with pytest.raises(ValueError, match="'psnr' is registered twice"):
        metric("psnr", label="PSNR", digits=2, direction="higher")(again)
    assert SCORES["psnr"].summary == "Peak signal-to-noise ratio; see `psnr`."
    assert SCORES["cnr"].summary == ""
