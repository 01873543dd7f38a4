"""Whether a model is made for a scan: modality, window, size of the pixels and noise."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from fplbench.applying.options import ApplyOptions
from fplbench.applying.running.values import mask_reason, usable, value_warnings, without_fill
from fplbench.applying.scan import Facts, Plane, Scan
from fplbench.applying.units import to_eight_bit, to_grey
from fplbench.datasets.percentiles import percentile_window
from fplbench.datasets.reference_noise import reference_noise
from fplbench.errors import InputError
from fplbench.networks.card import Card
from fplbench.networks.card_text import noise_text, window_text

SAMPLE = 16  # slices that noise and percentiles are taken from
SAMPLE_PIXELS = 2**26  # pixels of them at most, so that large images do not fill the memory
PERCENTILES = (0.5, 99.5)
SMALLEST, LARGEST = 0.67, 1.5  # pixel size that is not warned about, as a multiple of that of the training images
CORRELATED = "The standard deviation of CT noise, which is not white, is higher than this estimate."


@dataclass(frozen=True)
class Fit:
    """How a model is applied to a scan.

    Attributes:
        window: values that the model sees as black and white.
        noise: estimated noise of the scan within the window, grey levels; None where it cannot be estimated.
        warnings: sentences on what the model is not made for.
        left_out: why the scan is not denoised; empty if it is.
    """

    window: tuple[float, float]
    noise: float | None
    warnings: tuple[str, ...] = ()
    left_out: str = ""


def other_modality(facts: Facts, card: Card | None) -> str:
    """Why a scan is not one for the model, as a phrase; empty if it is, or if that is not known.

    It has another modality, or its values are not in the unit of the model's window: whether they are HU.
    """
    if card is None:
        return ""
    if card.modalities and facts.modality is not None and facts.modality not in card.modalities:
        return f"modality {facts.modality}, but the model is for {' or '.join(card.modalities)}"
    if card.window is None or facts.hounsfield == card.hounsfield:
        return ""
    return "unit HU, but the model is for other values" if facts.hounsfield else "unit of its scanner, but the model is for HU"


def check_window(card: Card | None, options: ApplyOptions) -> None:
    """InputError if a window other than that of the card is asked for without force."""
    if options.window is None or card is None or card.window is None or options.force:
        return
    if not np.allclose(options.window, card.window):
        raise InputError(
            f"--window is {window_text(options.window)}, but the model was trained with {window_text(card.window)}: leave out "
            "--window, or add --force."
        )


def settled(facts: Facts, card: Card | None, options: ApplyOptions) -> Facts:
    """The facts of a scan, with what the options or else the card say of a file that does not name its modality."""
    if facts.modality is not None:
        return facts
    if options.modality is not None:
        return replace(facts, modality=options.modality, hounsfield=options.modality == "CT")
    return replace(facts, hounsfield=bool(card and card.hounsfield))


def fit(scan: Scan, card: Card | None, options: ApplyOptions, trained: bool = False) -> Fit:
    """Look at some slices of a scan: its window, its noise, and what to warn of.

    Args:
        scan: the scan.
        card: that of the model; None if it has none.
        options: how scans are denoised.
        trained: whether the model is a trained network, which should have a card.

    Raises:
        InputError: a slice cannot be read, or the window of a CT is not known.
    """
    facts = scan.facts
    planes = list(scan.planes(_sample(facts)))
    if not options.force and (reason := mask_reason(planes)):
        return Fit((0.0, 1.0), None, left_out=reason)
    window = options.window or (card.window if card else None) or _percentiles(facts, planes, card)
    known = _noise(planes, window, options.threads)
    warnings = [*_card_warning(card, trained), *_modality_warning(facts, card), *_spacing_warning(facts, card)]
    if reason := other_modality(facts, card):
        warnings.append(f"It has the {reason}.")
    if card and card.window and not np.allclose(window, card.window):
        warnings.append(
            f"The window {window_text(window)} is not that of the training images, {window_text(card.window)}; --force was given."
        )
    return Fit(window, known, (*warnings, *value_warnings(facts, planes, window)))


def noise_sentence(noise: float | None, card: Card | None, window: tuple[float, float] | None = None) -> str:
    """What is said of the noise of every scan: its estimate, and whether the model was trained on such noise.

    Args:
        noise: its estimate, grey levels of 255 within the window.
        card: that of the model.
        window: the window that the scan is denoised in, if its values are HU, which people think in; None if they are not.
    """
    own = "Its noise could not be estimated" if noise is None else f"Its noise is estimated at {noise_text((noise,), window)}"
    said = _compared(own, noise, card, window)
    return f"{said} {CORRELATED}" if window is not None and noise is not None else said


def noise_is_outside(noise: float | None, card: Card | None) -> bool:
    """Whether the noise of a scan, as `noise_sentence` takes it, is known to be outside that of the training images."""
    level = card.noise_level if card else None
    return noise is not None and level is not None and not level.minimum <= noise <= level.maximum


def _compared(own: str, noise: float | None, card: Card | None, window: tuple[float, float] | None) -> str:
    """What is said of the noise of a scan, as it begins in `own`, beside that of the training images."""
    if card is None:
        return f"{own}; the model does not say what noise it is for."
    name, level = card.noise_title or card.noise or "noise of an unknown kind", card.noise_level
    if level is None:
        return f"{own}; the training images had {name}."
    # In another window, HU cannot be compared, but the grey levels that the network sees can.
    common = window is not None and card.hounsfield and card.window is not None and np.allclose(window, card.window)
    between = noise_text((level.minimum, level.maximum), window if common else None)
    trained = f"the {between} estimated in the training images, which had {name}"
    if noise is None:
        return f"{own}, to compare it with {trained}."
    if noise_is_outside(noise, card):
        return f"{own}, outside {trained}: the model may remove too much or too little."
    return f"{own}, within {trained}."


def _sample(facts: Facts) -> list[int]:
    """Numbers of slices, evenly spread."""
    count = min(SAMPLE, facts.slices, max(1, SAMPLE_PIXELS // (facts.rows * facts.columns)))
    return sorted({int(place) for place in (np.arange(count) + 0.5) * facts.slices / count})


def _noise(planes: Sequence[Plane], window: tuple[float, float], threads: int) -> float | None:
    """The median noise of slices within the window, grey levels, as `reference_noise` estimates it.

    None if it cannot be estimated. An estimate of 0 counts as none: grey levels are too coarse for the noise.
    """

    def estimate(plane: Plane) -> float:
        return reference_noise([to_eight_bit(to_grey(without_fill(plane, window), window))])

    with ThreadPoolExecutor(threads) as pool:
        found = [noise for noise in pool.map(estimate, planes) if math.isfinite(noise)]
    return (round(float(np.median(found)), 3) if found else 0) or None


def _percentiles(facts: Facts, planes: Sequence[Plane], card: Card | None) -> tuple[float, float]:
    """The window of a scan by the percentiles of its values."""
    if facts.hounsfield and (card is None or card.percentiles is None):
        raise InputError(
            f"{facts.label} is a CT, and the model has no window of its own: say with --window LOW HIGH which HU are black and "
            "white to it, such as --window -1000 400 for lungs."
        )
    values = np.concatenate([plane.values[usable(plane)] for plane in planes])
    window = percentile_window(values, (card and card.percentiles) or PERCENTILES)
    if window is None:
        raise InputError(f"{facts.label} has no window, as its slices hold no value: check the file.")
    return window


def _card_warning(card: Card | None, trained: bool) -> list[str]:
    if card is not None or not trained:
        return []
    return ["The model has no card that says what it was trained on, so modality, window and size of the pixels are not checked."]


def _modality_warning(facts: Facts, card: Card | None) -> list[str]:
    if facts.modality is not None:
        return []
    taken = f"it is taken for {' or '.join(card.modalities)}, which the model is for" if card and card.modalities else ""
    return [f"The file does not say its modality: {taken or 'whether its values are HU is not known'}; --modality names it."]


def _spacing_warning(facts: Facts, card: Card | None) -> list[str]:
    if card is None or card.pixel_mm is None:
        return []
    if facts.spacing is None:
        return ["The size of its pixels is not known, so it cannot be compared with that of the training images."]
    ratios = [own / trained for own, trained in zip(facts.spacing, card.pixel_mm, strict=True)]
    if all(SMALLEST <= ratio <= LARGEST for ratio in ratios):
        return []
    own, trained = (" x ".join(f"{side:.3g}" for side in sides) for sides in (facts.spacing, card.pixel_mm))
    return [
        f"Its pixels are {own} mm, which is outside {SMALLEST} to {LARGEST} times those of the training images, {trained} mm: "
        "noise and structures have sizes that the model has not seen."
    ]
