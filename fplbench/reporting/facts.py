"""What the sampling says about a data set, as far as tables and captions need it."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fplbench.errors import InputError


@dataclass(frozen=True)
class Facts:
    """Facts of one split of a data set. What the sampling did not write is None.

    Attributes:
        persons_known: whether it is known which images show the same person. If not, each image counts as a patient.
        patients: number of patients.
        images: number of images.
        annotated: number of images that an annotation covers, whether it lists lesions or none.
        lesions: number of annotated lesions.
        lesion_images: number of images that show one.
        lesion_patients: number of patients who have one.
        reference_noise: standard deviation of the noise in the clean test images, grey levels.
    """

    persons_known: bool = True
    patients: int | None = None
    images: int | None = None
    annotated: int | None = None
    lesions: int | None = None
    lesion_images: int | None = None
    lesion_patients: int | None = None
    reference_noise: float | None = None


def read_facts(path: str | os.PathLike[str] | None, split: str = "test") -> Facts:
    """Read the facts of a split from sampling.json.

    Args:
        path: sampling.json; None, or a file that does not exist, gives the defaults.
        split: train, validation or test.

    Raises:
        InputError: the file is not what the sampling writes.
    """
    if path is None:
        return Facts()
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return Facts()
    except ValueError as error:
        raise InputError(f"{path} is not a JSON file: {error}.") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} does not describe a sampling; sample the data set again.")
    try:
        return _facts(found, split)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not describe a sampling ({error}); sample the data set again.") from None


def read_all_facts(folder: str | os.PathLike[str] | None, datasets: Iterable[str], split: str = "test") -> dict[str, Facts]:
    """Read the facts of several data sets from {dataset}/sampling.json; see `read_facts`.

    Args:
        folder: the folder with the data sets; None gives the defaults.
        datasets: names of the data sets.
        split: train, validation or test.

    Raises:
        InputError: as for `read_facts`.
    """
    return {name: read_facts(None if folder is None else Path(folder, name, "sampling.json"), split) for name in datasets}


def _facts(found: Mapping[str, Any], split: str) -> Facts:
    def count(key: str) -> int | None:
        value = found.get(key, {}).get(split)
        return None if value is None else int(value)

    noise = found.get("reference_noise")
    return Facts(
        persons_known=bool(found.get("persons_known", True)),
        patients=count("patients"),
        images=count("images"),
        annotated=count("images_annotated"),
        lesions=count("lesions"),
        lesion_images=count("lesion_images"),
        lesion_patients=count("lesion_patients"),
        reference_noise=None if noise is None else float(noise),
    )
