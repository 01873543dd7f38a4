"""The card of a model that comes from anywhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fplbench.errors import InputError, nearest
from fplbench.networks.card import CARD_KEY, Card, parse_card
from fplbench.training import TRAININGS


def model_card(values: Mapping[str, Any], where: str) -> Card:
    """A card from its values.

    Args:
        values: keys and values of a card.
        where: what holds it, for the message.

    Raises:
        InputError: a value is wrong, or the card is that of an unknown training.
    """
    card = parse_card(values, where)
    if card.method not in TRAININGS:
        raise InputError(f"{where} names an unknown training, {card.method!r}: {nearest(card.method, TRAININGS)}")
    return card


def read_card(metadata: Mapping[str, Any], path: Path) -> Card | None:
    """The card in the header of a weight file; None if it has none.

    Raises:
        InputError: the card is damaged.
    """
    values = metadata.get(CARD_KEY)
    return None if values is None else model_card(values, f"The card of {path}")
