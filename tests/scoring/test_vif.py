import math
import sys

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.vif import SMALLEST, vif


def score(clean, denoised):
    return vif(Pair(Reference(clean), denoised))


@pytest.fixture
def clean():
    pytest.importorskip("sewar")
    rows, columns = np.ogrid[:64, :64]
    return (125 + 50 * np.sin(rows / 3) * np.cos(columns / 5)).astype(np.uint8)


def test_the_fidelity_is_that_of_sewar(clean):
    from sewar.full_ref import vifp

    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 10, clean.shape), 0, 255).astype(np.uint8)
    assert score(clean, noisy) == float(vifp(clean, noisy))


def test_equal_images_score_1_less_contrast_scores_less_and_more_scores_more(clean):
    assert score(clean, clean) == pytest.approx(1, abs=1e-9)
    assert score(clean, 60 + clean // 2) < 0.95 < 1 < score(clean, np.clip(1.4 * clean - 50, 0, 255).astype(np.uint8))


@pytest.mark.filterwarnings("error")
def test_a_constant_or_small_clean_image_has_no_score(clean):
    assert math.isnan(score(np.full_like(clean, 77), clean))
    assert score(clean, np.full_like(clean, 77)) == pytest.approx(0, abs=1e-9)
    for size, scored in ((SMALLEST, True), (SMALLEST - 1, False)):
        assert math.isfinite(score(clean[:size, :size], clean[:size, :size])) == scored


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sewar", None)
    monkeypatch.delitem(sys.modules, "sewar.full_ref", raising=False)
    image = np.zeros((64, 64), np.uint8)
    with pytest.raises(InputError, match=r"'vif' needs the package sewar: pip install -e '\.\[vif\]'"):
        score(image, image)
