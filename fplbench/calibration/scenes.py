"""Images of a data set, with noises and filters applied, and their scores compared with the published ones."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fplbench import published, scoring
from fplbench.calibration.search import FILTERS, SLOW
from fplbench.errors import InputError
from fplbench.methods import denoise
from fplbench.noise import NOISES, synthesize
from fplbench.noise.window import index_window
from fplbench.stacks import open_stack, read_index, spread

METRICS = ("psnr_uint8", "ssim")
"""Scores to compare with the published ones: the wrapped PSNR with their PSNR, and SSIM with SSIM."""
TOLERANCE = {"psnr_uint8": 0.5, "ssim": 0.05}
"""Differences, in dB and SSIM, that have the same weight in the fit; also the limits within which a score matches."""
CEILING = 100.0
"""PSNR assumed for an image equal to the clean one, dB."""

Options = Mapping[str, Any]
Scores = Mapping[str, float]


@dataclass
class Scene:
    """Some clean images of a data set, and the published scores on it.

    Attributes:
        dataset: name of the data set, as in the published tables.
        clean: uint8 (N, H, W).
        image_ids: N names, on which the random numbers of the noises depend.
        noise_options: options for all noises that have them, such as the grey window of CT.
    """

    dataset: str
    clean: np.ndarray
    image_ids: list[str]
    noise_options: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scaled = self.clean.astype(np.float32) / np.float32(255)
        self._kept: dict[str, Mapping[str, Scores]] = {}
        self._published = {
            "psnr_uint8": published.values(self.dataset, "psnr"),
            "ssim": published.values(self.dataset, "ssim"),
        }

    def target(self, noise: str, method: str, metric: str) -> float | None:
        """The published value, None if there is none."""
        return self._published[metric].get((noise, method))

    def noisy(self, noise: str, options: Options, seed: int) -> np.ndarray:
        """The images with a noise added, uint8."""
        known = NOISES[noise].options.model_fields
        shared = {name: value for name, value in self.noise_options.items() if name in known}
        values = synthesize(noise, self._scaled, seed=seed, image_ids=self.image_ids, **(shared | dict(options)))
        return np.rint(values * 255).astype(np.uint8)

    def scores(self, noisy: np.ndarray, method: str, options: Options, metrics: tuple[str, ...] = METRICS) -> Scores:
        """Mean scores of a method over the images."""
        denoised = denoise(method, noisy, **options)
        return {metric: float(np.minimum(getattr(scoring, metric)(self.clean, denoised), CEILING).mean()) for metric in metrics}

    def baseline_scores(self, noise: str, options: Options, seed: int) -> Mapping[str, Scores]:
        """Mean scores of the fast baselines on a noise; cached, because several fits try the same levels."""
        key = json.dumps([noise, options, seed], sort_keys=True)
        if key not in self._kept:
            noisy = self.noisy(noise, options, seed)
            self._kept[key] = {method: self.scores(noisy, method, {}) for method in FILTERS if method not in SLOW}
        return self._kept[key]

    def distance(self, noise: str, method: str, scores: Scores, metrics: tuple[str, ...]) -> list[float]:
        """Differences from the published values, in units of the tolerance; empty if nothing is published."""
        pairs = [(scores[metric], self.target(noise, method, metric), TOLERANCE[metric]) for metric in metrics]
        return [abs(ours - theirs) / tolerance for ours, theirs, tolerance in pairs if theirs is not None]


def read_scene(dataset: str, path: str | os.PathLike, images: int) -> Scene:
    """Read images spread evenly over a stack.

    Args:
        dataset: lidc, lits or rsna, the data set whose published scores to compare with.
        path: a clean stack with its index.
        images: largest number of images to use.

    Raises:
        InputError: there are no published scores on the data set, or the stack cannot be read.
    """
    if not published.values(dataset, "ssim"):
        known = ", ".join(sorted({entry.dataset for entry in published.tables()}))
        raise InputError(f"There are no published scores for {dataset!r}, only for {known}.")
    stack = open_stack(path)
    index = read_index(path, len(stack))
    chosen = spread(len(stack), images)
    window = index_window(index)
    options = {"window": window} if window else {}
    return Scene(dataset, np.array(stack[chosen]), [f"{dataset}/{index[i]['image_id']}" for i in chosen], options)
