"""Windows from the percentiles of the values, for images whose values have no unit."""

from typing import Annotated

from pydantic import Field, model_validator

from fplbench.datasets.registry import DatasetOptions, Window

Percentiles = Annotated[tuple[float, float], Field(min_length=2, max_length=2)]


class PercentileOptions(DatasetOptions):
    """Options of data sets whose values have no unit: a window is found for each series."""

    window: Window | None = Field(
        None, description="Lowest and highest value shown, the same for all series; null: those of `percentiles`."
    )
    percentiles: Percentiles = Field(
        (0.5, 99.5),
        description="Percentiles of the values of a series, from up to nine of its slices, that are shown as 0 and 255: the "
        "window where `window` is null.",
    )

    @model_validator(mode="after")
    def _percentiles_in_order(self) -> "PercentileOptions":
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(
                f"the percentiles {list(self.percentiles)} are not in order; they must be from 0 to 100, the lower one first."
            )
        return self
