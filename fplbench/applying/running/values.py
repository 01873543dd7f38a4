"""What the values of a scan tell of it: whether it is a mask, and whether they can be HU."""

from collections.abc import Sequence

import numpy as np

from fplbench.applying.scan import Facts, Plane
from fplbench.networks.card_text import window_text

FEW = 8  # different values that an image has more of
NORMALISED = 2.0  # HU; images that were brought to 0 to 1 or to -1 to 1 hardly reach beyond
LEAST = 1e-3  # share that is given as a number


def usable(plane: Plane) -> np.ndarray:
    """bool (H, W), where a slice has a finite value that is not padding."""
    finite = np.isfinite(plane.values)
    return finite if plane.valid is None else finite & plane.valid


def without_fill(plane: Plane, window: tuple[float, float]) -> np.ndarray:
    """The values of a slice, with the lower end of the window, at which no noise is estimated, where there is no whole noise.

    That is in padding, and at the lowest value: it fills what was not measured, and stands for all that is too low to be stored.
    """
    counted = usable(plane)
    lowest = plane.values.min(where=counted, initial=np.inf)
    return np.where(counted & (plane.values > lowest), plane.values, np.float32(window[0]))


def mask_reason(planes: Sequence[Plane]) -> str:
    """Why a scan is a mask rather than an image; empty if it is none. Values that are not finite do not count."""
    found: set[float] = set()
    for plane in planes:
        found |= set(np.unique(plane.values[np.isfinite(plane.values)]).tolist())
        if len(found) > FEW:
            return ""
    if not found:
        return "an empty image: none of its values is finite"
    many = "a single value" if len(found) == 1 else f"{len(found)} different values only"
    return f"a mask or an empty image, with {many} in the slices looked at; --force takes it for an image"


def value_warnings(facts: Facts, planes: Sequence[Plane], window: tuple[float, float]) -> list[str]:
    """Sentences on values that are not finite, that are hardly HU, or of which none is inside the window.

    Args:
        facts: what is known of the scan.
        planes: the slices that are looked at.
        window: the values between which it is denoised.
    """
    pixels = sum(plane.values.size if plane.valid is None else int(plane.valid.sum()) for plane in planes)
    parts = [part for plane in planes if (part := plane.values[usable(plane)]).size]
    count = sum(part.size for part in parts)
    warnings = []
    if count < pixels:
        warnings.append(f"{_share(1 - count / pixels)} of its values are not finite and stay as they are.")
    if not parts:
        return warnings
    lowest, highest = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    if facts.hounsfield and max(-lowest, highest) <= NORMALISED:
        warnings.append(f"All its values are between {lowest:.3g} and {highest:.3g}, which are hardly HU.")
    if not any(((part > window[0]) & (part < window[1])).any() for part in parts):
        warnings.append(
            f"None of its values lies within the window, {window_text(window, facts.hounsfield)}, so nothing changes; they are "
            f"between {lowest:.5g} and {highest:.5g}."
        )
    return warnings


def _share(share: float) -> str:
    return f"{100 * share:.3g} %" if share >= LEAST else "Less than 0.1 %"
