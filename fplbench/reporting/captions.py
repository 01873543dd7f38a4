"""What figures and tables say besides their numbers: which figures a run has, with their captions, labels and notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fplbench import DEFAULT_SEED
from fplbench.config import Config
from fplbench.reporting.labels import Labels

SHOWN_METHODS = ("fpl", "dpir", "wavelet", "filter_combination")
"""Methods of the paper's Figures 3 to 5, in the order of their panels."""


@dataclass(frozen=True)
class Presentation:
    """How a table or figure of a run looks.

    Attributes:
        labels: labels of methods, noises and data sets.
        note: a sentence for the caption, or "".
        seed: seed of the run, for the bootstrap.
        image: position of the test image that figures show; None: the middle one.
        explanation: readout, activation and beta of guided_backprop.
    """

    labels: Labels = field(default_factory=Labels)
    note: str = ""
    seed: int = DEFAULT_SEED
    image: int | None = None
    explanation: Mapping[str, Any] = field(default_factory=dict)


def presentation(config: Config | None, dataset: str = "") -> Presentation:
    """How the tables and figures of a data set look, or those of the whole run; None gives the defaults."""
    if config is None:
        return Presentation()
    note = config.note_of(dataset) if dataset else config.note
    explanation = config.explanation.model_dump(mode="json")
    return Presentation(labels_of(config), note, config.seed, config.figures.image, explanation)


def labels_of(config: Config) -> Labels:
    """Labels of the run's methods; column headings that the config gives override the registered ones."""
    return Labels(
        {
            column.name: column.label
            for column in config.columns.values()
            if column.method is None or column.label != column.method.label
        }
    )


def denoisers(config: Config) -> list[str]:
    """The columns that denoise: all but the unprocessed image."""
    return [name for name in config.columns if name != "noisy"]


def figure_methods(config: Config) -> list[str]:
    """The methods of a data set's figure, in the order of its panels: those of the paper, or the first ones."""
    found = denoisers(config)
    return [name for name in SHOWN_METHODS if name in found] or found[:4]


def figure_captions(config: Config) -> dict[str, str]:
    """Captions of the figures of a run, by the name of the figure."""
    labels = labels_of(config)
    shown = f"noise: {labels.noise(str(config.figures.noise))}"
    captions = {"noises": "The noises on one image."}
    if denoisers(config):
        captions["cost"] = "Mean PSNR against the time that a method takes for an image."
    if config.trains_fpl:
        captions["training"] = f"Training of FPL, {shown}"
    if denoisers(config):
        captions |= {name: f"{labels.dataset(name)}: one test image, {shown}" for name in config.datasets}
        if config.explains:
            captions |= {
                f"{name}_features": f"{labels.dataset(name)}: feature maps of one test image, {shown}" for name in config.datasets
            }
    return {name: caption if caption.endswith(".") else f"{caption}." for name, caption in captions.items()}
