"""What a card says, in words."""

from fplbench.networks.card import Card

NOT_CLINICAL = "Not for clinical use."


def window_text(window: tuple[float, float], hounsfield: bool = False) -> str:
    """The ends of a window, such as "-160 to 240 HU"."""
    return f"{window[0]:g} to {window[1]:g}{' HU' if hounsfield else ''}"


def origin(card: Card) -> str:
    """The data set of the training images and their modalities, such as "LiTS (CT)"."""
    data = card.dataset_label or card.dataset or "images of unknown origin"
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


def describe_training(card: Card) -> str:
    """What a denoiser was trained on, in a few sentences."""
    size = f" of {card.size}x{card.size} pixels" if card.size else ""
    patients = f" of {card.patients} patient{'s' if card.patients != 1 else ''}" if card.patients else ""
    found = [f"It was trained on {card.images} images{size}{patients} from {origin(card)}."]
    if card.pixel_mm:
        found.append(f"A pixel of theirs is {card.pixel_mm[0]:g} mm high and {card.pixel_mm[1]:g} mm wide.")
    if card.window:
        found.append(f"Values from {window_text(card.window, card.hounsfield)} are its window; values outside pass unchanged.")
    elif card.percentiles:
        found.append(f"Its window are the percentiles {card.percentiles[0]:g} and {card.percentiles[1]:g} of each series.")
    if card.noise_level:
        level = card.noise_level
        found.append(
            f"The noise of its training images was between {level.minimum:g} and {level.maximum:g} grey levels of 255, "
            f"the median {level.median:g}."
        )
    return " ".join(found)
