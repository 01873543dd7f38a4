"""Windows from the percentiles of the values, for images whose values have no unit."""

from typing import Annotated

import numpy as np
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


def percentiles_of(options: DatasetOptions) -> Percentiles | None:
    """The percentiles that give each series its window; None for data sets whose window is set, or that of the stored bits."""
    return None if options.window is not None else getattr(options, "percentiles", None)


def own_window(values: np.ndarray, options: DatasetOptions) -> tuple[float, float] | None:
    """The window of an image that is a series of its own, by the percentiles of its values; None where options have none.

    Args:
        values: (H, W), any unit.
        options: options of the data set.
    """
    percentiles = percentiles_of(options)
    return None if percentiles is None else percentile_window(values[np.isfinite(values)], percentiles)


def percentile_window(
    values: np.ndarray, percentiles: tuple[float, float], counts: np.ndarray | None = None
) -> tuple[float, float] | None:
    """The window between two percentiles, each the lowest value that so many percent of all values do not exceed.

    Args:
        values: (N,), finite numbers.
        percentiles: lower and upper percentile, from 0 to 100.
        counts: (N,), how often each value occurs; None: once.

    Returns:
        Lowest and highest value shown; of width 1 where both percentiles are the same. None if there is no value.
    """
    if values.size == 0:
        return None
    low, high = map(float, np.percentile(values, percentiles, method="inverted_cdf", weights=counts))
    return (low, high) if low < high else (low, low + 1)
