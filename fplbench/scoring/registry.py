"""What a metric declares, and the registry that finds it by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fplbench.registry import Registry

if TYPE_CHECKING:
    from fplbench.scoring.pair import Pair

MetricFunction = Callable[["Pair"], float]
Direction = Literal["higher", "lower"]

ALWAYS = ("psnr", "psnr_uint8", "ssim")
"""Metrics that every cell is scored by."""
DEFAULT = (*ALWAYS, "body_psnr", "body_ssim", "gradient_error", "haarpsi", "gmsd")
"""Metrics that a cell is scored by unless others are asked for."""
_COLUMNS = (*DEFAULT, "vif", "feature_error")


@dataclass(frozen=True)
class Metric:
    """A score of an image or a lesion, as tables and figures show it.

    Attributes:
        name: in the config, in column headings of files and on the command line.
        label: in the headings of tables and figures.
        unit: of the score; "" if it has none, or if it depends on the data set.
        digits: number of decimals to print.
        direction: whether "higher" or "lower" scores are better; None where neither end is, as for a ratio that should be 1.
        function: from a clean and a denoised image to the score; None where it takes more than the two images.
    """

    name: str
    label: str
    unit: str
    digits: int
    direction: Direction | None
    function: MetricFunction | None = None

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0] if self.function else ""


SCORES: Registry[Metric] = Registry("metric", "fplbench.scoring")


def metric(
    name: str, *, label: str, unit: str = "", digits: int, direction: Direction | None
) -> Callable[[MetricFunction], MetricFunction]:
    """Decorator that registers a function `(pair) -> float` as a metric of images.

    The function gets a `Pair` of a clean and a denoised image. What it computes of the clean image alone goes into a function
    of its own, called by `pair.reference.once(function)`, so that it runs once for all methods. NaN means that the
    metric is not defined for this image; it is written as a blank and left out of means.

    Args:
        name: name of the metric, lower case with underscores.
        label: heading in tables and figures.
        unit: its unit, "" if it has none.
        digits: number of decimals to print.
        direction: whether "higher" or "lower" is better; None if neither.

    Raises:
        ValueError: the name is taken, or the function has no docstring, whose first line describes the metric.
    """

    def register(function: MetricFunction) -> MetricFunction:
        if not (function.__doc__ or "").strip():
            raise ValueError(f"the function of the metric {name!r} needs a docstring whose first line says what it measures")
        SCORES.add(name, Metric(name, label, unit, digits, direction, function))
        return function

    return register


def image_metrics() -> tuple[str, ...]:
    """Names of the metrics that are functions of a clean and a denoised image, in the order of columns."""
    return in_order(name for name, entry in SCORES.items() if entry.function is not None)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """The names without repetition in the order of columns: those that this package has, then others by name."""
    return tuple(sorted(set(names), key=lambda name: (_COLUMNS.index(name) if name in _COLUMNS else len(_COLUMNS), name)))


# Scores that need more than two images: feature maps, or the lesions.
SCORES.add("feature_error", Metric("feature_error", "Feature error", "", 3, "lower"))
for _lesion in (
    Metric("lesion_psnr", "Lesion PSNR", "dB", 2, "higher"),
    Metric("lesion_ssim", "Lesion SSIM", "", 2, "higher"),
    Metric("lesion_rmse", "Lesion RMSE", "", 2, "lower"),  # HU or grey levels
    Metric("contrast_recovery", "Contrast recovery", "", 2, None),
    Metric("recovery_error", "|1 − recovery|", "", 2, "lower"),
    Metric("cnr", "CNR", "", 2, "higher"),
    Metric("bias", "Bias", "", 2, None),  # HU or grey levels
):
    SCORES.add(_lesion.name, _lesion)
    _twin = replace(_lesion, name=f"inserted_{_lesion.name}", label=f"{_lesion.label} (inserted)")
    SCORES.add(_twin.name, _twin)
