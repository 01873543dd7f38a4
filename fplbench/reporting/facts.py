"""What the sampling says about a data set, as far as tables and captions need it."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fplbench.errors import InputError

UNITS = {"study": "studies", "series": "series", "folder": "folders", "volume": "volumes", "file": "images"}
"""Several of what stands for a patient without an identifier."""
ONE = {"studies": "study", "series": "series"}
"""One of them, where that is not the same word without its s."""


@dataclass(frozen=True)
class Facts:
    """Facts of one split of a data set. What the sampling did not write is None.

    Attributes:
        persons_known: whether it is known which images show the same person. If not, something else counts as a patient.
        patients: number of patients.
        images: number of images.
        annotated: number of images that an annotation covers, whether it lists lesions or none.
        lesions: number of annotated lesions.
        lesion_images: number of images that show one.
        lesion_patients: number of patients who have one.
        reference_noise: standard deviation of the noise in the clean test images, grey levels.
        identified: whether some patients of the data set have an identifier.
        counted_by: what the others are counted by, such as `study`.
        loader: name of the loader that read the data set; "" if that is not known.
        modalities: codes of the modalities that it reads.
        hounsfield: whether values are HU.
        window: lowest and highest value shown, of all images.
        percentiles: those of each series that are its window, where there is no window of all images.
    """

    persons_known: bool = True
    patients: int | None = None
    images: int | None = None
    annotated: int | None = None
    lesions: int | None = None
    lesion_images: int | None = None
    lesion_patients: int | None = None
    reference_noise: float | None = None
    identified: bool = True
    counted_by: tuple[str, ...] = ()
    loader: str = ""
    modalities: tuple[str, ...] = ()
    hounsfield: bool = False
    window: tuple[float, float] | None = None
    percentiles: tuple[float, float] | None = None

    @property
    def units(self) -> str:
        """What intervals over images are over: patients, or what stands for them where persons are not known."""
        if self.persons_known:
            return "patients"
        counted = [UNITS[word] for word in self.counted_by]
        return " or ".join(["patients", *counted] if counted and self.identified else counted or ["images"])

    def of(self, number: int) -> str:
        """Of how many patients some images are, or of how many of what stands for them; "" where each image does."""
        return "" if self.units == "images" else f" of {number} {one_of(self.units) if number == 1 else self.units}"

    def whose(self, number: int) -> str:
        """Whose some images are, to stand behind their number: of how many patients, and how these are counted.

        Args:
            number: number of patients, or of what stands for them.
        """
        text = self.of(number)
        if not self.persons_known:
            return f"{text}; which of them show the same person is not known"
        if "study" not in self.counted_by:
            return text
        return f"{text}, {'of whom those without an identifier are counted by study' if self.identified else 'each a study'}"

    def acquisition(self) -> str:
        """Modality, loader and window of the images, as a phrase; "" if the loader is not known."""
        if not self.loader:
            return ""
        return f"{'/'.join(self.modalities)}, loader {self.loader}, {self._window()}"

    def _window(self) -> str:
        if self.window is not None:
            low, high = self.window
            return f"window {low:g} to {high:g}{' HU' if self.hounsfield else ''}"
        if self.percentiles is not None:
            low, high = self.percentiles
            return f"window from percentile {low:g} to {high:g} of each series"
        return "no window"


def one_of(units: str) -> str:
    """One of some units, such as "patient" of "patients"."""
    return " or ".join(ONE.get(word, word.removesuffix("s")) for word in units.split(" or "))


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

    def numbers(key: str) -> tuple[float, float] | None:
        if found.get(key) is None:
            return None
        low, high = map(float, found[key])
        return low, high

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
        identified=bool(found.get("patients_identified", True)),
        counted_by=tuple(word for word in UNITS if word in found.get("patients_counted_by", {})),
        loader=str(found.get("loader", "")),
        modalities=tuple(map(str, found.get("modalities", ()))),
        hounsfield=bool(found.get("hounsfield", False)),
        window=numbers("window"),
        percentiles=numbers("percentiles"),
    )
