"""What `snakemake detectability` does."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field, PositiveFloat

from fplbench.lesions.signals import SignalOptions
from fplbench.scoring.observer import ObserverOptions


class DetectabilityOptions(ObserverOptions):
    """What `snakemake detectability` does."""

    contrasts: dict[str, list[float]] = Field(
        {"lidc": [100, 200], "lits": [20, 40], "rsna": [8, 16]},
        description="Contrasts of the discs by data set, HU for CT, grey levels for radiographs; without any, it is left out.",
    )
    sizes: list[PositiveFloat] = Field([8, 24], min_length=1, description="Diameters of the discs, mm.")
    pairs: int = Field(200, ge=20, le=2000, description="Images with a disc of each size and contrast, and as many without.")
    noises: list[str] | None = Field(None, description="Noises in which discs are to be detected; null: that of the figures.")

    def of(self, datasets: Iterable[str]) -> list[str]:
        """The data sets that have contrasts."""
        return [name for name in datasets if self.contrasts.get(name)]

    def signals(self, dataset: str) -> dict[str, Any]:
        """Options of the signals of a data set, as JSON values."""
        options = SignalOptions(contrasts=self.contrasts[dataset], sizes=self.sizes, pairs=self.pairs)
        return options.model_dump(mode="json")

    @property
    def observer(self) -> dict[str, Any]:
        """Options of the observer, as JSON values."""
        return self.model_dump(mode="json", include=set(ObserverOptions.model_fields))
