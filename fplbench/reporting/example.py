"""The test image that a figure shows, and the same image of other stacks."""

import os

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.lesions.stack import lesions_path
from fplbench.reporting.labels import Labels
from fplbench.reporting.shown import shown_images
from fplbench.reporting.stacks import open_lesions, open_matching, open_stack
from fplbench.scoring.metrics import psnr, ssim
from fplbench.stacks import read_index


class Example:
    """One image of a clean stack, and the same image of other stacks.

    Attributes:
        clean: uint8 (H, W).
        position: which image of the stack, counted from 0.
        name: its image_id.
        index: the index of the stack.

    Args:
        path: the clean stack, with its index.
        image: which image, by its image_id or its position; None is the one with the largest lesion, or the middle one where
            no image has any.

    Raises:
        InputError: the stack or its index is missing or malformed, or there is no such image.
    """

    def __init__(self, path: str | os.PathLike[str], image: int | str | None = None) -> None:
        self.path = path
        self._stack = open_stack(path)
        self.index: list[dict[str, str]] = read_index(path, len(self._stack))
        self.position: int = shown_images(path, 1)[0] if image is None else self._find(image)
        self.clean: np.ndarray = np.asarray(self._stack[self.position])
        self.name: str = self.entry["image_id"]

    def _find(self, image: int | str) -> int:
        """Position of an image; a text is an image_id, if there is such an image, or else a position in digits."""
        names = [row["image_id"] for row in self.index]
        if image in names:
            return names.index(str(image))
        if isinstance(image, str) and not image.isdecimal():
            raise InputError(f"{self.path} has no image {image!r}: {nearest(image, names)}")
        if not 0 <= int(image) < len(names):
            raise InputError(f"{self.path} has no image {image}: it holds {len(names)}, counted from 0.")
        return int(image)

    @property
    def entry(self) -> dict[str, str]:
        """The row of the image in the index."""
        return self.index[self.position]

    def lesion(self) -> tuple[np.ndarray, dict[str, str]] | None:
        """The lesion of the image with the most pixels, bool (H, W), and its row in the table; None if it has none."""
        if not lesions_path(self.path).exists():
            return None
        lesions, rows = open_lesions(self.path)
        own = [row for row in rows if row["image_id"] == self.name]
        if not own:
            return None
        largest = max(own, key=lambda row: int(row["pixels"]))
        return lesions[self.position] == int(largest["lesion"]), largest

    def heading(self, labels: Labels, dataset: str = "", noise: str = "") -> str:
        """Which image is shown, of which data set and with which noise."""
        where = ", ".join(filter(None, (labels.dataset(dataset) if dataset else "", noise)))
        return f"{f'{where}: ' if where else ''}image {self.name}"

    def of(self, path: str | os.PathLike[str]) -> np.ndarray:
        """The same image of another stack, uint8 (H, W); InputError if the stack does not match the clean one."""
        return np.asarray(open_matching(path, self._stack, self.path)[self.position])


def scores_title(clean: np.ndarray, image: np.ndarray) -> str:
    """PSNR and SSIM of an image, uint8 (H, W), for the title of its panel."""
    return f"{psnr(clean, image):.2f} dB / {ssim(clean, image):.3f}"
