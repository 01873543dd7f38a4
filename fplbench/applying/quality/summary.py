"""What the statistics of all slices say of a scan."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fplbench.applying.quality.crops import CROP
from fplbench.applying.quality.spectrum import frequencies
from fplbench.applying.quality.statistics import BINS, RANGE
from fplbench.applying.quality.tissues import Tissue

Slices = Sequence[Mapping[str, Any]]
Crops = Sequence[tuple[int, Mapping[str, Any]]]
CROPS = 12
SOFT_CROPS = 6
APART = 3  # slices; a nearer crop of the same place shows the same structure


@dataclass(frozen=True)
class TissueSummary:
    """One tissue of a scan.

    Attributes:
        tissue: the tissue.
        slices: number of slices that have enough of it.
        noise: before and after, medians over the slices; None where there is too little flat tissue.
        mean: before, over all its pixels.
        shift: of the mean, after minus before.
        worst: the shift of the slice in which it is largest, and the number of that slice.
        spread: standard deviation of the change.
        percentile: 99.9th percentile of the absolute change, the median over the slices.
        largest: absolute change of a pixel, and the number of its slice.
        inside: share of its pixels whose values are within the window.
    """

    tissue: Tissue
    slices: int
    noise: tuple[float, float] | None
    mean: float
    shift: float
    worst: tuple[float, int]
    spread: float
    percentile: float
    largest: tuple[float, int]
    inside: float


@dataclass(frozen=True)
class SpectrumSummary:
    """Noise power spectra of a scan: medians over slices.

    Attributes:
        frequencies: (K,), cycles/mm, or cycles/pixel where the spacing is not known.
        before, after: (K,), in the unit of the scan squared times mm².
        deviations: standard deviation of the noise in the patches, before and after.
        patches, slices: how many there were.
    """

    frequencies: np.ndarray
    before: np.ndarray
    after: np.ndarray
    deviations: tuple[float, float]
    patches: int
    slices: int


@dataclass(frozen=True)
class EdgeSummary:
    """How the size of the change relates to edges: the medians over slices of what `edge_relation` gives."""

    correlation: float
    displaced: float
    ratio: float
    large: float

    @property
    def excess(self) -> float:
        """The correlation beyond what differences between regions give."""
        return self.correlation - self.displaced


def summarise_tissues(slices: Slices, tissues: Sequence[Tissue]) -> list[TissueSummary]:
    """The tissues that some slice has enough of."""
    found = []
    for tissue in tissues:
        numbers = [each["number"] for each in slices if tissue.name in each["tissues"]]
        rows = [each["tissues"][tissue.name] for each in slices if tissue.name in each["tissues"]]
        if not rows:
            continue
        weights = [row["pixels"] for row in rows]
        mean, shift = (float(np.average([row[name] for row in rows], weights=weights)) for name in ("mean", "shift"))
        squares = np.average([row["spread"] ** 2 + row["shift"] ** 2 for row in rows], weights=weights) - shift**2
        noise = [(row["before"], row["after"]) for row in rows if row["before"] is not None]
        inside = float(np.average([row["inside"] for row in rows], weights=weights))
        found.append(
            TissueSummary(
                tissue, len(rows), _medians(noise) if noise else None, mean, shift, _farthest(rows, numbers, "shift"),
                math.sqrt(max(float(squares), 0.0)), float(np.median([row["percentile"] for row in rows])),
                _farthest(rows, numbers, "largest"), inside,
            )
        )  # fmt: skip
    return found


def summarise_spectra(slices: Slices, spacing: tuple[float, float] | None) -> SpectrumSummary | None:
    """The spectrum of a scan; None if no slice has a uniform patch."""
    found = [each["spectrum"] for each in slices if each["spectrum"]]
    if not found:
        return None
    before, after = (np.median([each[name] for each in found], axis=0) for name in ("before", "after"))
    deviations = _medians([each["deviations"] for each in found])
    return SpectrumSummary(frequencies(spacing), before, after, deviations, sum(each["patches"] for each in found), len(found))


def summarise_edges(slices: Slices) -> EdgeSummary | None:
    """The relation to edges; None if no slice could be measured."""
    found = [each["edges"] for each in slices if each["edges"]]
    if not found:
        return None
    names = ("correlation", "displaced", "ratio", "large")
    return EdgeSummary(*(float(np.median([each[name] for each in found])) for name in names))


def histogram(slices: Slices, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """The histogram of the change within the window: middles of the bins in the unit of the scan (B,), and counts (B,)."""
    counts = np.zeros(BINS + 1, np.int64)
    for each in slices:
        part, first = np.array(each["histogram"]["counts"], np.int64), each["histogram"]["first"]
        counts[first : first + len(part)] += part
    low, high = window
    return np.linspace(-1, 1, BINS + 1) * RANGE * (high - low), counts


def largest_crops(slices: Slices, name: str, most: int, shown: Crops = ()) -> Crops:
    """The crops with the largest changes, with the number of their slices.

    Args:
        slices: of the scan.
        name: of the crops in the statistics: crop or soft_crop.
        most: how many to choose.
        shown: crops that are on the page already.

    Returns:
        Of crops of the same place in neighbouring slices only the one that changed most.
    """
    ranked = sorted(((each["number"], each[name]) for each in slices if each[name]), key=lambda found: -found[1]["score"])
    chosen: list[tuple[int, Mapping[str, Any]]] = []
    for number, crop in ranked:
        if len(chosen) < most and not any(_same(number, crop, *other) for other in (*shown, *chosen)):
            chosen.append((number, crop))
    return chosen


def _same(number: int, crop: Mapping[str, Any], other: int, shown: Mapping[str, Any]) -> bool:
    near = all(abs(crop[axis] - shown[axis]) < CROP // 2 for axis in ("row", "column"))
    return near and abs(number - other) <= APART


def _farthest(rows: Sequence[Mapping[str, float]], numbers: Sequence[int], name: str) -> tuple[float, int]:
    """The value farthest from 0, and the number of its slice."""
    return max(((row[name], number) for row, number in zip(rows, numbers, strict=True)), key=lambda found: abs(found[0]))


def _medians(pairs: Sequence[Sequence[float]]) -> tuple[float, float]:
    before, after = np.median(pairs, axis=0)
    return float(before), float(after)
