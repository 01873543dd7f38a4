"""The card of a trained denoiser: what it was trained on, and so which scans it is for.

A weight file and a bundle come from anywhere, and what their card says reaches pages, files and terminals, so it is refused if a
value cannot be true or a text is not one for people.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import parse_options

CARD_KEY = "card"
"""Key of the card in the header of a weight file."""

LONGEST_NAME, LONGEST_LABEL, LONGEST_SENTENCE = 100, 200, 2000  # characters
LONGEST_OPTIONS = 20_000  # characters of JSON
LONGEST_MESSAGE = 400  # characters
MARKUP = re.compile(r"<[A-Za-z/!?]")
MOST = 10**9  # of what is counted
LARGEST_VALUE = 1e30  # in a window; the largest float32 is 3e38


def _text(text: str, longest: int) -> str:
    """The text, if it is one line of ordinary characters without markup.

    Raises:
        ValueError: it is not.
    """
    if len(text) > longest:
        raise ValueError(f"it has {len(text):,} characters, more than the {longest:,} allowed.")
    if not text.isprintable():
        raise ValueError("it holds a character that cannot be printed, such as a line break.")
    if MARKUP.search(text):
        raise ValueError("it holds markup, such as <b>, where only text is allowed.")
    return text


def _label(text: str) -> str:
    return _text(text, LONGEST_LABEL)


def _sentence(text: str) -> str:
    return _text(text, LONGEST_SENTENCE)


def _name(text: str) -> str:
    """A name, which becomes a part of paths."""
    if text.startswith(".") or re.search(r"[/\\:]", text):
        raise ValueError(f"{text[:LONGEST_NAME]!r} cannot be the name of a folder.")
    return _text(text, LONGEST_NAME)


def _window(window: tuple[float, float]) -> tuple[float, float]:
    """Two ends that differ in float32, in which images are computed."""
    low, high = window
    if max(abs(low), abs(high)) > LARGEST_VALUE or not np.float32(low) < np.float32(high):
        raise ValueError(f"its ends are {low:g} and {high:g}, but the first must be the smaller one.")
    return window


def _percentiles(percentiles: tuple[float, float]) -> tuple[float, float]:
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise ValueError(f"they are {low:g} and {high:g}, but must rise, from 0 to 100.")
    return percentiles


def _options(options: dict[str, Any]) -> dict[str, Any]:
    """Options as a config can hold them: finite numbers, and text without control characters."""
    try:
        text = json.dumps(options, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("they hold a number that is not finite, or what cannot be an option.") from None
    if len(text) > LONGEST_OPTIONS:
        raise ValueError(f"they have {len(text):,} characters, more than the {LONGEST_OPTIONS:,} allowed.")
    for each in _texts(options):
        _sentence(each)
    return options


def _texts(values: Any) -> Iterator[str]:
    """All texts among values, keys too."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for pair in values.items():
            yield from _texts(pair)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _texts(value)


Name = Annotated[str, AfterValidator(_name)]
Label = Annotated[str, AfterValidator(_label)]
Sentence = Annotated[str, AfterValidator(_sentence)]
Modality = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,15}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Level = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Millimetres = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Window = Annotated[tuple[Finite, Finite], AfterValidator(_window)]
Percentiles = Annotated[tuple[Finite, Finite], AfterValidator(_percentiles)]
FreeOptions = Annotated[dict[str, Any], AfterValidator(_options)]


class NoiseLevel(Options):
    """Standard deviation of the noise of the noisy training images, grey levels, as `datasets.reference_noise` estimates it."""

    minimum: Level = Field(description="In the image with the least noise, grey levels.")
    median: Level = Field(description="The median over the images, grey levels.")
    maximum: Level = Field(description="In the image with the most noise, grey levels.")

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if not self.minimum <= self.median <= self.maximum:
            raise ValueError("its minimum, median and maximum must rise in this order.")
        return self


class Score(Options):
    """The mean of a metric over test images, with its interval where there are enough units, such as patients, for one."""

    mean: Finite = Field(description="The mean, in the unit of the metric.")
    low: Finite | None = Field(None, description="Lower end of the 95 % interval; null: too few units for one.")
    high: Finite | None = Field(None, description="Upper end of the 95 % interval; null: too few units for one.")
    over: Literal["patients", "images", "lesions"] = Field("patients", description="The units that the interval is over.")
    units: Count = Field(description="Number of these units.")

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if (self.low is None) != (self.high is None) or (self.low is not None and self.high is not None and self.low > self.high):
            raise ValueError("its interval must have two ends, the lower one first, or none.")
        return self


class Card(Options):
    """What a denoiser was trained on. It is kept in the header of the weight file, and in a bundle."""

    method: Name = Field(description="Name of the training, such as fpl.")
    label: Label = Field(description="Name for people, such as FPL.")
    dataset: Name = Field("", description="Name of the data set.")
    dataset_label: Label = Field("", description="Name of the data set, for people.")
    modalities: tuple[Modality, ...] = Field((), max_length=50, description="Modalities of the training images, as DICOM codes.")
    hounsfield: bool = Field(False, description="Whether the window is in HU.")
    window: Window | None = Field(None, description="Values shown as grey levels 0 and 255; null: by percentiles.")
    percentiles: Percentiles | None = Field(None, description="Percentiles of a series that are its window; null: none.")
    pixel_mm: tuple[Millimetres, Millimetres] | None = Field(
        None, description="Row and column spacing of the training images in mm, the median; null: unknown."
    )
    size: Count = Field(0, description="Side of the training images, pixels.")
    images: Count = Field(0, description="Number of training images.")
    patients: Count | None = Field(None, description="Number of patients that they show; null: unknown.")
    noise: Name = Field("", description="Name of the noise.")
    noise_title: Label = Field("", description="Name of the noise, for people.")
    noise_options: FreeOptions = Field({}, description="Options of the noise.")
    noise_level: NoiseLevel | None = Field(None, description="Noise of the noisy training images; null: not measurable.")
    training: FreeOptions = Field({}, description="Options of the training.")
    seed: int = Field(0, ge=-(2**63), lt=2**63, description="Seed of the training.")
    licence: Sentence = Field("", description="Sentence on the licence of the training images.")
    version: Label = Field("", description="Version of fplbench.")
    scores: dict[Name, Score] = Field(
        {}, max_length=100, description="Scores on test images by metric, which `export-model` adds."
    )


def one_line(text: Any) -> Any:
    """A text that a user wrote in several lines, as a card has it; what is no text stays as it is."""
    return " ".join(text.split()) if isinstance(text, str) else text


def parse_card(values: Mapping[str, Any], where: str) -> Card:
    """A card from its values.

    Args:
        values: keys and values of a card, from anywhere.
        where: what holds it, for the message, such as "card.json of model.zip".

    Raises:
        InputError: a key or value is wrong; the message is one short, printable sentence.
    """
    try:
        return parse_options(Card, values, where)
    except InputError as error:
        message = "".join(letter if letter.isprintable() else "?" for letter in str(error))
        short = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}..."
        raise InputError(short) from None
