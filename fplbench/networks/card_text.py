"""What a card says, in words."""

from collections.abc import Sequence

from fplbench.networks.card import Card

NOT_CLINICAL = "Not for clinical use."


def window_text(window: tuple[float, float], hounsfield: bool = False) -> str:
    """The ends of a window, such as "-160 to 240 HU"."""
    return f"{window[0]:g} to {window[1]:g}{' HU' if hounsfield else ''}"


def origin(card: Card) -> str:
    """The data set of the training images and their modalities, such as "LiTS (CT)"."""
    data = card.dataset_label or card.dataset or "a data set that it does not name"
    return f"{data} ({', '.join(card.modalities)})" if card.modalities else data


def purpose(card: Card | None) -> str:
    """What a denoiser is for, as a phrase."""
    if card is None:
        return "it is not known what it was trained on"
    parts = [f"trained on {origin(card)}"]
    if card.window:
        parts.append(f"window {window_text(card.window, card.hounsfield)}")
    elif card.percentiles:
        parts.append(f"window from percentiles {window_text(card.percentiles)}")
    if card.pixel_mm:
        parts.append(f"pixels of {card.pixel_mm[0]:g} x {card.pixel_mm[1]:g} mm")
    return ", ".join(parts)


def describe_training(card: Card | None) -> str:
    """What a denoiser was trained on, and the window that it works in, in a few sentences."""
    found = [describe_images(card)]
    if card and card.window:
        found.append(f"Values from {window_text(card.window, card.hounsfield)} are its window; values outside pass unchanged.")
    elif card and card.percentiles:
        found.append(f"Its window are the percentiles {card.percentiles[0]:g} and {card.percentiles[1]:g} of each series.")
    return " ".join(found)


def describe_images(card: Card | None) -> str:
    """The images that a denoiser was trained on, and their noise, in a few sentences."""
    if card is None:
        return "The model has no card: what it was trained on, if anything, is not recorded."
    many = f"{card.images:,} image{'s' if card.images != 1 else ''}" if card.images else "images"
    patients = f" of {card.patients:,} patient{'s' if card.patients != 1 else ''}" if card.patients else ""
    found = [f"It was trained on {many}{patients} from {origin(card)}{_pixels(card)}."]
    name, level = card.noise_title or card.noise, card.noise_level
    if level:
        window = card.window if card.hounsfield else None
        found.append(
            f"Their noise{f', {name},' if name else ''} had a standard deviation of "
            f"{noise_text((level.minimum, level.maximum), window)}, the median {noise_text((level.median,), window)}."
        )
    elif name:
        found.append(f"Their noise was {name}.")
    return " ".join(found)


def noise_text(levels: Sequence[float], window: tuple[float, float] | None) -> str:
    """Levels of noise in words.

    Args:
        levels: standard deviations, grey levels of 255; of two, those between them are meant.
        window: the HU that are grey levels 0 and 255; None if there are none.

    Returns:
        Such as "44 to 66 HU (8 to 12 grey levels)", or "8 to 12 grey levels" without a window.
    """
    grey = f"{' to '.join(map(_digits, levels))} grey levels"
    if window is None:
        return grey
    each = (window[1] - window[0]) / 255
    return f"{' to '.join(_digits(level * each) for level in levels)} HU ({grey})"


def _pixels(card: Card) -> str:
    """How many pixels the training images have, and how large they are."""
    size = f"{card.size}x{card.size} pixels" if card.size else ""
    if card.pixel_mm is None:
        return f", {size}" if size else ""
    return f", {size or 'pixels'} of {card.pixel_mm[0]:.3g} x {card.pixel_mm[1]:.3g} mm"


def _digits(value: float) -> str:
    """Three digits, or more before the decimal point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
