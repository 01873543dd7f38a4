"""What denoising changed in one slice, in numbers and one crop."""

from typing import Any

import numpy as np

from fplbench.applying.quality.body import body_squares
from fplbench.applying.quality.crops import BLOCK, largest_change
from fplbench.applying.quality.noise import noise_of, whole_places
from fplbench.applying.quality.spectrum import patch_spectra
from fplbench.applying.quality.structure import edge_relation
from fplbench.applying.quality.tissues import SOFT_TISSUE, Tissue, masks, soft_squares, soft_window, tissues_of
from fplbench.applying.quality.whole_slice import slice_pictures
from fplbench.applying.scan import Plane
from fplbench.applying.units import EDGE
from fplbench.datasets.reference_noise import FEWEST, SMOOTHING, fine_detail, flatness, mean_slope

SMALLEST = 8  # pixels; a slice with a shorter side has no statistics
BINS = 1000  # of the histogram, each 0.05 % of the window
RANGE = 0.25  # share of the window that the histogram covers in each direction
SAMPLE = 2  # every second row and column counts for the histogram
PERCENTILE = 99.9  # of the absolute change of a tissue
WIDE = 500.0  # HU; in a wider window soft tissue cannot be judged
MEASURED = 32  # slices of a scan whose tissues, spectrum and edges are measured; the medians of more are hardly different


def slice_statistics(
    plane: Plane,
    after: np.ndarray,
    window: tuple[float, float],
    hounsfield: bool,
    spacing: tuple[float, float] | None,
    slices: int | None = None,
) -> dict[str, Any]:
    """Statistics of a denoised slice, from which `write_quality_page` makes the page of the scan.

    Args:
        plane: the slice before.
        after: float32 (H, W), the slice after, as it is written.
        window: lowest and highest value that the model changes.
        hounsfield: whether values are HU, and tissues can be told by them.
        spacing: (row, column) spacing of the pixels in mm; None where it is not known.
        slices: number of slices of the scan, the middle one of which gets pictures, and of which some are measured
            (`is_measured`); None: it is measured, without pictures.

    Returns:
        What JSON can hold, about 20 kB, or 1.5 MB with pictures, and null for what is not or cannot be measured: number, the
        slice; measured, whether its tissues, spectrum and edges are looked at; tissues, by name the number of pixels, noise
        before and after (`noise_of`; null where there are too few places), mean before, shift of the mean, of the change its
        standard deviation, the 99.9th percentile of its absolute value and the largest one, and inside, the share of the pixels
        within the window; spectrum (`patch_spectra`); histogram of the change, in shares of the window; edges (`edge_relation`);
        crop (`largest_change`, for CT within the body); soft_crop, the same within soft tissue of CT, at a window in which it is
        seen; pictures (`slice_pictures`). Padding and NaN do not count.
    """
    measured = slices is None or is_measured(plane.number, slices)
    found: dict[str, Any] = {"number": plane.number, "measured": measured, "tissues": {}}
    found |= dict.fromkeys(("spectrum", "edges", "crop", "soft_crop", "pictures"))
    before, after, usable = _usable(plane, after, window[0])
    change = after - before
    found["histogram"] = _histogram(change, before, usable, window)
    if slices and plane.number == slices // 2:
        soft = soft_window(window) if hounsfield and window[1] - window[0] > WIDE else None
        found["pictures"] = slice_pictures(before, after, window, spacing, soft)
    if min(before.shape) < SMALLEST:
        return found
    flat = flatness(before)
    found |= _crops((before, after, change), flat.smooth, window, hounsfield)
    if not measured:
        return found
    valid = usable.view(np.uint8) * np.uint8(255)
    places = list(masks(flat.smooth, _smoothed_well(valid), tissues_of(window, hounsfield)))
    found["tissues"] = _tissues((before, after, change), window, mean_slope(flat.slope), whole_places(before, valid), places)
    found["spectrum"] = patch_spectra(before, after, flat.smooth, _uniform(places), spacing)
    within = _within(before, window)
    found["edges"] = edge_relation(change, after, [mask & within for _, mask in places])
    return found


def is_measured(number: int, slices: int) -> bool:
    """Whether a slice is among the at most 32 evenly spread ones, of which the middle one is one, that are measured."""
    step = -(-slices // MEASURED)
    return number % step == slices // 2 % step


def _crops(
    images: tuple[np.ndarray, np.ndarray, np.ndarray], smooth: np.ndarray, window: tuple[float, float], hounsfield: bool
) -> dict[str, Any]:
    """Where the slice changed most; for CT also where soft tissue did, since lungs and skin change more."""
    if not hounsfield:
        return {"crop": largest_change(*images, window)}
    body, narrow = body_squares(smooth, BLOCK), soft_window(window)
    soft = largest_change(*images, narrow, body & soft_squares(smooth, BLOCK)) if narrow else None
    return {"crop": largest_change(*images, window, body), "soft_crop": soft}


def _usable(plane: Plane, after: np.ndarray, fill: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both images, float32 (H, W), with a value where there is padding or NaN, and where there is neither, bool (H, W)."""
    usable = np.isfinite(plane.values) & np.isfinite(after)
    if plane.valid is not None:
        usable &= plane.valid
    before = np.where(usable, plane.values, np.float32(fill)).astype(np.float32, copy=False)
    return before, np.where(usable, after, before).astype(np.float32, copy=False), usable


def _smoothed_well(valid: np.ndarray) -> np.ndarray:
    """Where no padding or NaN is so near that it is in the smoothed image: uint8 (H, W), 0 or 255."""
    import cv2

    if valid.all():
        return valid
    side = 2 * round(3 * SMOOTHING) + 1
    return cv2.erode(valid, np.ones((side, side), np.uint8))


def _uniform(places: list[tuple[Tissue, np.ndarray]]) -> np.ndarray:
    """Where patches for the spectrum are looked for: soft tissue, or the commoner of the thirds above the lowest."""
    soft = [mask for tissue, mask in places if tissue.name == SOFT_TISSUE]
    return soft[0] if soft else max((mask for _, mask in places[1:]), key=np.count_nonzero)


def _tissues(
    images: tuple[np.ndarray, np.ndarray, np.ndarray],
    window: tuple[float, float],
    slope: np.ndarray,
    whole: np.ndarray,
    places: list[tuple[Tissue, np.ndarray]],
) -> dict[str, Any]:
    import cv2

    before, after, change = images
    details = (fine_detail(before), fine_detail(after))
    inside = ((before > window[0]) & (before < window[1])).view(np.uint8)
    found = {}
    for tissue, mask in places:
        pixels = cv2.countNonZero(mask)
        if pixels < FEWEST:
            continue
        noise = noise_of(details, slope, cv2.bitwise_and(mask, whole)) or (None, None)
        shift, spread = (float(value.item()) for value in cv2.meanStdDev(change, mask=mask))
        sizes = np.abs(change[mask != 0])
        values = {
            "before": noise[0], "after": noise[1], "mean": cv2.mean(before, mask)[0], "shift": shift, "spread": spread,
            "percentile": float(np.percentile(sizes, PERCENTILE)), "largest": float(sizes.max()),
            "inside": cv2.countNonZero(mask & inside) / pixels,
        }  # fmt: skip
        found[tissue.name] = {"pixels": pixels} | {name: _short(value) for name, value in values.items()}
    return found


def _histogram(change: np.ndarray, before: np.ndarray, usable: np.ndarray, window: tuple[float, float]) -> dict[str, Any]:
    """Counts of the changes within the window: those of the bins from `first` on, the middle one of which is around 0."""
    low, high = window
    part = (slice(None, None, SAMPLE),) * 2
    values = before[part]
    changes = change[part][usable[part] & (values > low) & (values < high)]
    bins = np.rint(np.clip(changes / (2 * RANGE * (high - low)), -0.5, 0.5) * BINS).astype(int) + BINS // 2
    counts = np.bincount(bins, minlength=1)
    first = int(np.argmax(counts > 0))
    return {"first": first, "counts": counts[first:].tolist() if len(bins) else []}


def _within(before: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Where values are so far within the window that changes apply in full: uint8 (H, W), 0 or 255."""
    import cv2

    low, high = window
    margin = EDGE * (high - low)
    return cv2.inRange(before, low + margin, high - margin)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
