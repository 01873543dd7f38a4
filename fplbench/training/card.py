"""The card of a training: what its images and its noise were, from the files beside their stacks."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from fplbench import __version__
from fplbench.datasets import LOADERS, find_dataset
from fplbench.datasets.reference_noise import reference_noise
from fplbench.datasets.sampling.sample import SUMMARY
from fplbench.denoising.registry import METHODS
from fplbench.errors import InputError
from fplbench.networks.card import Card, NoiseLevel, one_line, parse_card
from fplbench.noise import NOISES, Record, read_record
from fplbench.options import Options
from fplbench.stacks import index_path, open_stack, read_index, spread
from fplbench.training.registry import Inputs

MEASURED = 16  # noisy images, spread evenly over the stack

TOLD = {key: key for key in ("modalities", "hounsfield", "percentiles", "licence")} | {"dataset_label": "label"}
"""Field of a card -> key of the summary that tells it."""

Rows = Sequence[Mapping[str, str]]


def training_card(name: str, inputs: Inputs, options: Options, seed: int) -> Card:
    """The card of a denoiser that is trained on noisy images.

    What the files beside the stacks do not tell stays at its default: the index of the images, the summary of their sampling,
    the record of the noise.

    Args:
        name: name of the training.
        inputs: its stacks: `noisy`, and `clean` where it sees them.
        options: its options.
        seed: its seed.

    Returns:
        The card, which depends on the stacks and the files beside them alone, not on where they are.

    Raises:
        InputError: one of these files is damaged, or says what a card cannot.
    """
    noisy = open_stack(inputs["noisy"])
    record = read_record(inputs["noisy"])
    rows = _rows(inputs)
    summary = _summary(inputs)
    size = max(noisy.shape[1:])
    dataset = _dataset(summary, record)
    values = {
        "method": name,
        "label": label_of(name),
        "size": size,
        "images": len(noisy),
        "patients": _patients(rows, summary),
        "pixel_mm": _pixel_size(rows, size),
        "window": None if dataset.get("percentiles") else _window(rows),
        "noise_level": noise_level(noisy),
        "training": options.model_dump(mode="json"),
        "seed": seed,
        "version": __version__,
        **dataset,
        **_noise(record),
    }
    return parse_card(values, f"The card of the training on {inputs['noisy']}")


def label_of(name: str) -> str:
    """The label of a training: that of the method that has its weights."""
    if name in METHODS:
        return METHODS[name].label
    return next((method.label for method in METHODS.values() if method.weights == name), name)


def noise_level(images: np.ndarray) -> NoiseLevel | None:
    """The noise of images, grey levels, from at most 16 of them, spread evenly.

    Args:
        images: uint8 (N, H, W).

    Returns:
        The smallest, middle and largest of the estimates of `reference_noise` for each image; None if it can be estimated in
        none of them.
    """
    found = [level for place in spread(len(images), MEASURED) if math.isfinite(level := reference_noise([images[place]]))]
    if not found:
        return None
    return NoiseLevel(minimum=_short(min(found)), median=_short(median(found)), maximum=_short(max(found)))


def _rows(inputs: Inputs) -> Rows:
    """The index of the images: that of the clean stack, or of the noisy one; empty where there is none."""
    for name in ("clean", "noisy"):
        if name in inputs and index_path(inputs[name]).exists():
            return read_index(inputs[name])
    return []


def _summary(inputs: Inputs) -> Mapping[str, Any]:
    """What sampling wrote about the images: beside the clean stack, or, for who sees none, the clean validation images."""
    for name in ("clean", "validation_clean", "noisy"):
        file = Path(inputs[name]).with_name(SUMMARY) if name in inputs else None
        if file and file.exists():
            try:
                found = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise InputError(f"{file} is not a readable summary of a sampling ({error}); draw the stacks again.") from None
            if not isinstance(found, dict):
                raise InputError(f"{file} is not a summary of a sampling, as `fplbench sample` writes it; draw the stacks again.")
            return found
    return {}


def _dataset(summary: Mapping[str, Any], record: Record | None) -> dict[str, Any]:
    """What is known about the data set: what the summary tells, and else what its loader declares."""
    name = summary.get("dataset") or (record.axes.partition("/")[0] if record else "")
    loader = summary.get("loader") or name
    facts: dict[str, Any] = {"dataset": name, "dataset_label": name}
    if loader in LOADERS:
        found = find_dataset(name, loader)
        facts |= {"dataset_label": found.label, "modalities": found.modalities, "hounsfield": found.hounsfield}
        facts["licence"] = found.sharing
    told = {field: one_line(summary.get(key)) for field, key in TOLD.items()}
    return facts | {field: value for field, value in told.items() if value is not None}


def _noise(record: Record | None) -> dict[str, Any]:
    """What is known about the noise."""
    if record is None:
        return {}
    title = NOISES[record.noise].title if record.noise in NOISES else record.noise
    return {"noise": record.noise, "noise_title": title, "noise_options": record.options}


def _patients(rows: Rows, summary: Mapping[str, Any]) -> int | None:
    """Number of patients, unless each image counts as a patient because persons are not known."""
    return len({row["patient"] for row in rows}) if rows and summary.get("persons_known", True) else None


def _window(rows: Rows) -> tuple[float, float] | None:
    """The window, if all images have the same."""
    windows = {_numbers(row, "window_low", "window_high") for row in rows}
    found = windows.pop() if len(windows) == 1 else None
    return (found[0], found[1]) if found and found[0] < found[1] else None


def _pixel_size(rows: Rows, size: int) -> tuple[float, float] | None:
    """Row and column spacing of the images in the stack, mm, the median of those that have one.

    Images were padded to squares and then resized; of patches, the index has their own rows and columns.
    """
    known = (_numbers(row, "row_spacing_mm", "column_spacing_mm", "rows", "columns") for row in rows)
    positive = [numbers for numbers in known if numbers and min(numbers) > 0]
    found = [(height * max(sides) / size, width * max(sides) / size) for height, width, *sides in positive]
    return (_short(median(row for row, _ in found)), _short(median(column for _, column in found))) if found else None


def _numbers(row: Mapping[str, str], *columns: str) -> tuple[float, ...] | None:
    """The numbers in some columns of a row; None if a cell is blank or holds something else."""
    try:
        numbers = tuple(float(row[column]) for column in columns)
    except (KeyError, ValueError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def _short(number: float) -> float:
    """Four significant digits: more is neither measured nor readable."""
    return float(f"{number:.4g}")
