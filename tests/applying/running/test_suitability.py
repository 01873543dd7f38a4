"""What is said of a model and a scan that do not belong together."""

from dataclasses import replace

import numpy as np
import pytest

from fplbench.applying.options import ApplyOptions
from fplbench.applying.running.suitability import check_window, fit, noise_sentence, other_modality, settled
from fplbench.applying.scan import Facts, Plane
from fplbench.errors import InputError
from fplbench.networks.card import Card, NoiseLevel

CARD = Card(
    method="fpl", label="FPL", modalities=("CT",), hounsfield=True, window=(-1000, 400), pixel_mm=(0.7, 0.7), noise="gaussian",
    noise_title="Gaussian", noise_level=NoiseLevel(minimum=8, median=10, maximum=12),
)  # fmt: skip
FACTS = Facts("a", "a.dcm", "CT", (0.7, 0.7), 40, 96, 96, hounsfield=True)


class MadeUp:
    """A scan with noise of a standard deviation in HU around a level."""

    files = ()

    def __init__(self, facts=FACTS, noise=55.0, level=-300.0, valid=None):
        self.facts, self.noise, self.level, self.valid, self.read = facts, noise, level, valid, []

    def planes(self, numbers):
        for number in numbers:
            self.read.append(number)
            values = np.random.default_rng(number).normal(self.level, self.noise, (self.facts.rows, self.facts.columns))
            yield Plane(number, values.astype(np.float32), self.valid)


def test_a_scan_like_the_training_images_is_not_warned_about():
    """Noise of 55 HU in a window of 1400 HU is 10 grey levels."""
    scan = MadeUp()
    found = fit(scan, CARD, ApplyOptions())
    assert found.window == (-1000, 400) and found.warnings == ()
    assert found.noise == pytest.approx(55 / 1400 * 255, rel=0.05)
    assert len(scan.read) == 16 and set(np.diff(scan.read)) <= {2, 3}  # 40 slices


def test_noise_of_a_ct_is_said_in_hu():
    """A grey level is 1400 / 255 = 5.49 HU in the training images' window, and 700 / 255 = 2.745 HU in half of it."""
    trained = "the 43.9 to 65.9 HU (8 to 12 grey levels) estimated in the training images, which had Gaussian."
    higher = "The standard deviation of CT noise, which is not white, is higher than this estimate."
    own = "Its noise is estimated at 54.9 HU (10 grey levels)"
    assert noise_sentence(10.0, CARD, CARD.window) == f"{own}, within {trained} {higher}"
    # In another window, given with --force, the network sees other HU as the same grey levels, which alone can be compared.
    assert noise_sentence(10.0, CARD, (-600, 100)) == (
        "Its noise is estimated at 27.5 HU (10 grey levels), within the 8 to 12 grey levels estimated in the training images, "
        f"which had Gaussian. {higher}"
    )
    assert noise_sentence(100.0, None, CARD.window).startswith("Its noise is estimated at 549 HU (100 grey levels); ")
    assert noise_sentence(200.0, None, CARD.window).startswith("Its noise is estimated at 1098 HU (200 grey levels); ")


def test_noise_without_a_window_in_hu_is_said_in_grey_levels():
    card = CARD.model_copy(update={"hounsfield": False})
    assert noise_sentence(10.0, card) == (
        "Its noise is estimated at 10 grey levels, within the 8 to 12 grey levels estimated in the training images, which had "
        "Gaussian."
    )


def test_a_trained_network_without_a_card_is_warned_about_and_a_method_that_is_not_trained_is_not():
    options = ApplyOptions(window=(-1000, 400))
    sentence = (
        "The model has no card that says what it was trained on, so modality, window and size of the pixels are not checked."
    )
    assert fit(MadeUp(), None, options, trained=True).warnings == (sentence,)
    assert fit(MadeUp(), None, options, trained=False).warnings == fit(MadeUp(), CARD, options, trained=True).warnings == ()


@pytest.mark.parametrize(("factor", "warned"), [(0.66, True), (0.68, False), (1.0, False), (1.49, False), (1.51, True)])
def test_pixels_of_another_size_are_warned_about(factor, warned):
    for spacing in [(0.7 * factor, 0.7), (0.7, 0.7 * factor)]:
        warnings = fit(MadeUp(replace(FACTS, spacing=spacing)), CARD, ApplyOptions()).warnings
        assert any("outside 0.67 to 1.5 times" in warning for warning in warnings) == warned


def test_noise_outside_that_of_the_training_images_is_warned_about():
    for noise in (20, 110):
        sentence = noise_sentence(fit(MadeUp(noise=noise), CARD, ApplyOptions()).noise, CARD, CARD.window)
        assert ", outside the 43.9 to 65.9 HU (8 to 12 grey levels) estimated in the training images" in sentence
        assert "which had Gaussian: the model may remove too much or too little. The standard deviation" in sentence
    assert fit(MadeUp(level=-3000), CARD, ApplyOptions()).noise is None
    assert noise_sentence(None, CARD, CARD.window).startswith(
        "Its noise could not be estimated, to compare it with the 43.9 to 65.9 HU"
    )
    assert noise_sentence(3.0, None) == "Its noise is estimated at 3 grey levels; the model does not say what noise it is for."


def test_a_file_without_modality_is_taken_for_what_the_card_or_the_option_says():
    facts = replace(FACTS, modality=None, hounsfield=False)
    taken = settled(facts, CARD, ApplyOptions())
    assert taken.modality is None and taken.hounsfield
    (warning,) = fit(MadeUp(taken), CARD, ApplyOptions()).warnings
    assert warning == "The file does not say its modality: it is taken for CT, which the model is for; --modality names it."
    assert settled(facts, None, ApplyOptions(modality="CT")).hounsfield
    told = settled(facts, CARD, ApplyOptions(modality="MR"))
    assert (told.modality, told.hounsfield) == ("MR", False)
    assert settled(FACTS, CARD, ApplyOptions(modality="MR")) == FACTS


def test_another_modality_is_named():
    assert other_modality(replace(FACTS, modality="MR"), CARD) == "modality MR, but the model is for CT"
    for facts, card in [
        (FACTS, CARD),
        (replace(FACTS, modality=None), CARD),
        (FACTS, None),
        (FACTS, Card(method="a", label="A")),
    ]:
        assert other_modality(facts, card) == ""


def test_values_of_another_unit_are_named():
    """A window in HU means nothing for values that are not, and the reverse. A window of percentiles goes with any values."""
    no_modality = CARD.model_copy(update={"modalities": ()})
    arbitrary = no_modality.model_copy(update={"hounsfield": False})
    other = replace(FACTS, modality="MR", hounsfield=False)
    assert other_modality(other, no_modality) == "unit of its scanner, but the model is for HU"
    assert other_modality(FACTS, arbitrary) == "unit HU, but the model is for other values"
    assert other_modality(FACTS, no_modality) == other_modality(other, arbitrary) == ""
    assert other_modality(FACTS, arbitrary.model_copy(update={"window": None, "percentiles": (1, 99)})) == ""
    warnings = fit(MadeUp(other), no_modality, ApplyOptions(force=True)).warnings
    assert "It has the unit of its scanner, but the model is for HU." in warnings


def test_another_window_needs_force():
    with pytest.raises(InputError, match=r"--window is -160 to 240, but the model was trained with -1000 to 400"):
        check_window(CARD, ApplyOptions(window=(-160, 240)))
    check_window(CARD, ApplyOptions(window=(-1000, 400)))
    check_window(CARD, ApplyOptions(window=(-160, 240), force=True))
    found = fit(MadeUp(), CARD, ApplyOptions(window=(-600, 100), force=True))
    assert found.window == (-600, 100) and "is not that of the training images" in " ".join(found.warnings)


def test_a_ct_needs_a_window_and_others_get_one_by_percentiles():
    with pytest.raises(InputError, match=r"a.dcm is a CT, and the model has no window of its own: say with --window LOW HIGH"):
        fit(MadeUp(), None, ApplyOptions())
    assert fit(MadeUp(), None, ApplyOptions(window=(-500, 0))).window == (-500, 0)
    facts = replace(FACTS, modality="MR", hounsfield=False)
    low, high = fit(MadeUp(facts), None, ApplyOptions()).window
    assert (low, high) == pytest.approx((-300 - 2.576 * 55, -300 + 2.576 * 55), rel=0.02)  # normal quantiles
    card = Card(method="fpl", label="FPL", percentiles=(25, 75))
    low, high = fit(MadeUp(facts), card, ApplyOptions()).window
    assert (low, high) == pytest.approx((-300 - 0.674 * 55, -300 + 0.674 * 55), rel=0.02)


def test_padding_counts_for_nothing():
    valid = np.zeros((96, 96), bool)
    valid[:48] = True

    class Padded(MadeUp):
        def planes(self, numbers):
            for plane in super().planes(numbers):
                plane.values[48:] = -5000
                yield plane

    facts = replace(FACTS, modality="MR", hounsfield=False)
    padded = fit(Padded(facts, valid=valid), None, ApplyOptions())
    assert padded.window[0] > -600 and padded.noise is not None


class Given(MadeUp):
    """A scan of one slice."""

    def __init__(self, values, facts=FACTS, valid=None):
        super().__init__(replace(facts, slices=1, rows=values.shape[0], columns=values.shape[1]), valid=valid)
        self.values = values.astype(np.float32)

    def planes(self, numbers):
        for number in numbers:
            yield Plane(number, self.values, self.valid)


def disc(side=256, noise=55.0):
    """Noise around -300 in a disc, and -990 outside the field of view, which is about half of the image."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside = np.hypot(x, y) < 0.4 * side
    return np.where(inside, np.random.default_rng(3).normal(-300, noise, (side, side)), -990)


def test_a_fill_outside_the_field_of_view_has_no_noise():
    """It lies within the window, and no noise is estimated in it, nor where noise is cut off at the lowest value."""
    assert fit(Given(disc()), CARD, ApplyOptions()).noise == pytest.approx(55 / 1400 * 255, rel=0.06)
    x = np.arange(256)
    cut = np.where((disc() == -990) & (x > 128), np.random.default_rng(4).normal(-990, 55, (256, 256)).clip(-990), disc())
    assert fit(Given(cut), CARD, ApplyOptions()).noise == pytest.approx(55 / 1400 * 255, rel=0.06)


def test_an_estimate_of_zero_is_none():
    """A ramp in steps of whole grey levels has no fine detail at all."""
    y, x = np.mgrid[:64, :64]
    found = fit(Given(-1000 + 1400 / 255 * (1 + y + 2 * x)), CARD, ApplyOptions())
    assert found.noise is None and found.warnings == ()


@pytest.mark.parametrize("modality", [None, "CT", "MR"])
@pytest.mark.parametrize("values", [disc() > -300, disc() * 0, np.where(disc() > -300, np.nan, 7), disc() * np.nan])
def test_a_mask_is_left_out_whatever_its_modality_unless_forced(modality, values):
    scan = Given(values, replace(FACTS, modality=modality, hounsfield=modality == "CT"))
    assert "an empty image" in fit(scan, CARD, ApplyOptions(modality="CT")).left_out
    assert fit(scan, CARD, ApplyOptions(force=True)).left_out == ""


def test_a_mask_has_at_most_eight_values():
    values = np.arange(64 * 64).reshape(64, 64)
    reason = "a mask or an empty image, with 8 different values only in the slices looked at; --force takes it for an image"
    assert fit(Given(values % 8), CARD, ApplyOptions()).left_out == reason
    assert fit(Given(values % 9), CARD, ApplyOptions()).left_out == ""


def test_values_that_are_not_finite_are_warned_about():
    values = disc()
    values[:32], values[32:64, :32] = np.nan, np.inf
    valid = np.ones(values.shape, bool)
    (warning,) = fit(Given(values), CARD, ApplyOptions()).warnings
    assert warning == "14.1 % of its values are not finite and stay as they are."  # 9 of 64
    valid[:64] = False
    assert fit(Given(values, valid=valid), CARD, ApplyOptions()).warnings == ()
    values[:64], values[100, 100] = 0, np.nan
    assert fit(Given(values), CARD, ApplyOptions()).warnings[0].startswith("Less than 0.1 % of its values are not finite")


def test_values_that_are_hardly_hounsfield_units_are_warned_about():
    values = np.linspace(0, 0.5, 4096).reshape(64, 64)
    (warning,) = fit(Given(values), CARD, ApplyOptions()).warnings
    assert warning == "All its values are between 0 and 0.5, which are hardly HU."
    facts = replace(FACTS, modality="MR", hounsfield=False)
    assert fit(Given(values, facts), None, ApplyOptions()).warnings == ()


def test_a_scan_outside_the_window_is_warned_about():
    (warning,) = fit(Given(np.linspace(1000, 3000, 4096).reshape(64, 64)), CARD, ApplyOptions()).warnings
    assert warning == (
        "None of its values lies within the window, -1000 to 400 HU, so nothing changes; they are between 1000 and 3000."
    )
