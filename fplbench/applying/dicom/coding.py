"""Between the integers that a DICOM file stores and the values that they stand for."""

from dataclasses import dataclass

import numpy as np

from fplbench.datasets.formats.hounsfield import HIGHEST, is_padding

RESIDUAL = np.iinfo(np.int16)


@dataclass(frozen=True)
class PixelCoding:
    """How a frame stores its values: `value = slope * stored + intercept`.

    Attributes:
        allocated: bits of each stored integer, 8 or 16.
        bits: how many of them belong to the image.
        signed: whether they are signed.
        slope, intercept: of the rescaling; 1 and 0 where the file has none.
        padding: lowest and highest stored value that stand for no pixel; None where there is none.
        inverted: whether low stored values are bright (MONOCHROME1). The values are then those of the image with stored
            values mirrored in their range, as data sets have them, so that dense tissue is bright for every model.
        hounsfield: whether the values are HU.
    """

    allocated: int
    bits: int
    signed: bool
    slope: float = 1.0
    intercept: float = 0.0
    padding: tuple[int, int] | None = None
    inverted: bool = False
    hounsfield: bool = False

    @property
    def limits(self) -> tuple[int, int]:
        """Lowest and highest integer that the stored bits can represent."""
        if self.signed:
            return -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1
        return 0, 2**self.bits - 1

    def valid(self, stored: np.ndarray) -> np.ndarray | None:
        """Where the file has no padding, bool (H, W); None where it has none at all.

        In a CT, unsigned values beyond the scale of HU are padding too: a negative number that was stored without its sign.
        """
        outside = [] if self.padding is None else [is_padding(stored, self.padding)]
        if self.hounsfield and not self.signed:
            outside.append(stored > (HIGHEST - self.intercept) / self.slope if self.slope > 0 else self.values(stored) > HIGHEST)
        padded = np.logical_or.reduce(outside) if outside else None
        return None if padded is None or not padded.any() else ~padded

    def values(self, stored: np.ndarray) -> np.ndarray:
        """What the stored integers stand for, float32 (H, W)."""
        values = stored.astype(np.float64)
        if self.inverted:
            np.subtract(sum(self.limits), values, out=values)
        values *= self.slope
        values += self.intercept
        return values.astype(np.float32)

    def encode(self, values: np.ndarray, stored: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
        """The integers to store for new values.

        Padding stays as it is, and no other pixel gets a value of padding. A pixel whose value did not change is stored as
        before; others are clipped to the bits that the file stores.

        Args:
            values: float32 (H, W).
            stored: (H, W), integers of the original.
            before: what `stored` stands for, where it is known already.

        Returns:
            (H, W), of the type of `stored`.
        """
        valid = self.valid(stored)
        changed = np.isfinite(values)
        changed &= values != (self.values(stored) if before is None else before)
        if valid is not None:
            changed &= valid
        steps = np.where(changed, values, 0).astype(np.float64)  # all that follows works in place
        steps -= self.intercept
        steps /= self.slope
        np.rint(steps, out=steps)
        if self.inverted:
            np.subtract(sum(self.limits), steps, out=steps)
        np.clip(steps, *self.limits, out=steps)
        new = self._outside_padding(steps).astype(stored.dtype)
        np.copyto(new, stored, where=~changed)
        return new

    def encode_residual(self, residual: np.ndarray, stored: np.ndarray) -> np.ndarray:
        """A difference of values in steps of the stored integers, int16 (H, W); 0 in padding."""
        steps = residual.astype(np.float64)
        np.nan_to_num(steps, copy=False)
        steps /= -self.slope if self.inverted else self.slope
        np.rint(steps, out=steps)
        clipped = np.clip(steps, RESIDUAL.min, RESIDUAL.max, out=steps).astype(np.int16)
        valid = self.valid(stored)
        if valid is not None:
            clipped[~valid] = 0
        return clipped

    def decode_residual(self, steps: np.ndarray) -> np.ndarray:
        """The difference that the integers of `encode_residual` stand for, float32 (H, W)."""
        return (steps * np.float64(-self.slope if self.inverted else self.slope)).astype(np.float32)

    def _outside_padding(self, steps: np.ndarray) -> np.ndarray:
        """Move integers of padding to the nearest one beside it."""
        if self.padding is None:
            return steps
        low, high = self.padding
        inside = is_padding(steps, self.padding)
        if not inside.any():
            return steps
        below, above = low - 1, high + 1
        if below < self.limits[0]:
            below = above
        if above > self.limits[1]:
            above = below
        return np.where(inside, np.where(steps - low < high - steps, below, above), steps)
