"""The card of a trained denoiser: what it was trained on, and so which scans it is for."""

from typing import Any, Literal

from pydantic import Field

from fplbench.options import Options

CARD_KEY = "card"
"""Key of the card in the header of a weight file."""


class NoiseLevel(Options):
    """Standard deviation of the noise of the noisy training images, grey levels, as `datasets.reference_noise` estimates it."""

    minimum: float = Field(description="In the image with the least noise, grey levels.")
    median: float = Field(description="The median over the images, grey levels.")
    maximum: float = Field(description="In the image with the most noise, grey levels.")


class Score(Options):
    """The mean of a metric over test images, with its interval where there are enough units, such as patients, for one."""

    mean: float = Field(description="The mean, in the unit of the metric.")
    low: float | None = Field(None, description="Lower end of the 95 % interval; null: too few units for one.")
    high: float | None = Field(None, description="Upper end of the 95 % interval; null: too few units for one.")
    over: Literal["patients", "images", "lesions"] = Field("patients", description="The units that the interval is over.")
    units: int = Field(description="Number of these units.")


class Card(Options):
    """What a denoiser was trained on. It is kept in the header of the weight file, and in a bundle."""

    method: str = Field(description="Name of the training, such as fpl.")
    label: str = Field(description="Name for people, such as FPL.")
    dataset: str = Field("", description="Name of the data set.")
    dataset_label: str = Field("", description="Name of the data set, for people.")
    modalities: tuple[str, ...] = Field((), description="Modalities of the training images, as DICOM codes.")
    hounsfield: bool = Field(False, description="Whether the window is in HU.")
    window: tuple[float, float] | None = Field(None, description="Values shown as grey levels 0 and 255; null: by percentiles.")
    percentiles: tuple[float, float] | None = Field(None, description="Percentiles of a series that are its window; null: none.")
    pixel_mm: tuple[float, float] | None = Field(
        None, description="Row and column spacing of the training images in mm, the median; null: unknown."
    )
    size: int = Field(0, description="Side of the training images, pixels.")
    images: int = Field(0, description="Number of training images.")
    patients: int | None = Field(None, description="Number of patients that they show; null: unknown.")
    noise: str = Field("", description="Name of the noise.")
    noise_title: str = Field("", description="Name of the noise, for people.")
    noise_options: dict[str, Any] = Field({}, description="Options of the noise.")
    noise_level: NoiseLevel | None = Field(None, description="Noise of the noisy training images; null: not measurable.")
    training: dict[str, Any] = Field({}, description="Options of the training.")
    seed: int = Field(0, description="Seed of the training.")
    licence: str = Field("", description="Sentence on the licence of the training images.")
    version: str = Field("", description="Version of fplbench.")
    scores: dict[str, Score] = Field({}, description="Scores on test images by metric, which `export-model` adds.")
