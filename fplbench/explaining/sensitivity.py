"""How sensitive explanations are to noise: how much their maps of noisy and denoised images differ from those of the clean ones.

The paper chooses guided back-propagation because its maps react to noise (section 3.1). This measures whether they do, and
whether more than those of other explanations.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.explaining.named import check_networks
from fplbench.explaining.options import ExplanationOptions

PathLike = str | os.PathLike[str]
IMAGE = "image"
"""Name of the image itself, the control: its sensitivity is 1."""
STATES = ("noisy", "denoised")
CONTROLS: Mapping[str, Mapping[str, Any]] = {"sobel": {"feature": "sobel"}}
DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "guided": {"activation": "relu"},
    "gradient": {"feature": "gradient"},
    "grad_cam": {"feature": "grad_cam"},
    "smoothgrad": {"feature": "smoothgrad"},
    "integrated_gradients": {"feature": "integrated_gradients"},
}
"""Explanations to compare where none are named: guided back-propagation as published, and others."""
COLUMNS = {
    "noise": "the noise",
    "state": "whether the noisy or the denoised images are compared with the clean ones",
    "explanation": f"name of the explanation; {IMAGE} is the image itself, as a control",
    "images": "number of images whose clean map is not zero",
    "change": "||F(x) - F(clean)||^2 / ||F(clean)||^2; mean over images",
    "change_sd": "its standard deviation over images",
    "correlation": "between F(x) and F(clean) over pixels; mean over images",
    "sensitivity": "the change of F over that of the image; mean over images",
}
"""Columns of the table of changes, with their meaning."""


@dataclass(frozen=True)
class Change:
    """How much the maps of some images differ from those of the clean ones. A value is NaN where it is not defined.

    Attributes:
        changes: (N,), ||F(x) - F(clean)||^2 / ||F(clean)||^2.
        correlations: (N,), between F(x) and F(clean) over all values.
        sensitivities: (N,), `changes` over the same of the images themselves.
    """

    changes: np.ndarray
    correlations: np.ndarray
    sensitivities: np.ndarray


@dataclass(frozen=True)
class Shown:
    """One image and its maps, to look at.

    Attributes:
        noise: name of the noise.
        maps: by explanation, of the clean, the noisy and (where there is one) the denoised image, each (h, w). `IMAGE` is the
            image itself in [0, 1]. Of maps with several channels, their magnitude.
    """

    noise: str
    maps: Mapping[str, list[np.ndarray]]


Changes = dict[tuple[str, str, str], Change]
"""By noise, state and explanation."""


class Comparison:
    """Clean images and the same with noise and denoised, and the explanations that are compared on them.

    Args:
        clean: the clean stack (N, H, W).
        noisy: noisy stacks of the same images by noise.
        denoised: denoised stacks by noise.
        explanations: explanations by name; those in `CONTROLS` are added.
        networks: weight files of the explained networks by role: restoration, lesion or random.
        images: number of images, at even distances in the stack.
        device: auto, cpu or cuda.

    Raises:
        InputError: the stacks do not belong together, the weight file of a network is missing, or an explanation is not
            of images.
    """

    def __init__(
        self,
        clean: PathLike,
        noisy: Mapping[str, PathLike],
        denoised: Mapping[str, PathLike],
        explanations: Mapping[str, ExplanationOptions],
        networks: Mapping[str, PathLike],
        images: int = 16,
        device: str = "auto",
    ) -> None:
        from fplbench.scoring.matching import open_matching
        from fplbench.stacks import open_stack, spread

        for noise in denoised:
            if noise not in noisy:
                raise InputError(
                    f"There are denoised images of the noise {noise!r}, but no noisy ones: add --noisy {noise}=PATH."
                )
        if not noisy:
            raise InputError("There are no noisy images to compare with the clean ones: add --noisy NAME=PATH.")
        controls = {name: ExplanationOptions(**options) for name, options in CONTROLS.items()}
        self.explanations = {**explanations, **{name: options for name, options in controls.items() if name not in explanations}}
        check_networks(self.explanations, networks)
        for name, options in self.explanations.items():
            if not options.of_images:
                raise InputError(f"The explanation {name!r} is an annotation, which noise does not change: leave it out.")
        stack = open_stack(clean)
        self._networks, self._device = networks, device
        self._positions = spread(len(stack), images)
        self._clean = stack[self._positions]
        self._stacks = {
            (noise, state): open_matching(paths[noise], stack, clean)[self._positions]
            for noise in noisy
            for state, paths in zip(STATES, (noisy, denoised), strict=True)
            if noise in paths
        }

    def changes(self) -> Changes:
        """Change of the maps of every explanation, and of the image itself first, for each noise and state."""
        images = {key: changes_of(_unit(stack), _unit(self._clean)) for key, stack in self._stacks.items()}
        found = {(*key, IMAGE): _change(_unit(stack), _unit(self._clean), images[key]) for key, stack in self._stacks.items()}
        for name in self.explanations:
            clean = self._maps(name, self._clean)
            for key, stack in self._stacks.items():
                found[*key, name] = _change(self._maps(name, stack), clean, images[key])
        return found

    def shown(self) -> Shown:
        """The middle one of the images with the first noise."""
        noise = next(iter(self._stacks))[0]
        middle = slice(len(self._clean) // 2, len(self._clean) // 2 + 1)
        stacks = [self._clean[middle], *(stack[middle] for key, stack in self._stacks.items() if key[0] == noise)]
        images = np.concatenate(stacks)
        maps = {IMAGE: list(_unit(images))}
        for name in self.explanations:
            found = self._maps(name, images)
            maps[name] = list(found if found.ndim == 3 else np.linalg.norm(found, axis=1))
        return Shown(noise, maps)

    def _maps(self, name: str, images: np.ndarray) -> np.ndarray:
        """Maps (N, H, W) or (N, C, h, w) of images, uint8 (N, H, W)."""
        from fplbench.explaining.maps import feature_maps

        options = self.explanations[name]
        network = self._networks[options.network] if options.needs_network else None
        return feature_maps(network, images, self._device, **options.model_dump())


def changes_of(maps: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Squared norm of the change of each map, relative to that of the clean one, (N,); NaN where that is zero."""
    difference, own = (_squares(values) for values in (maps - clean, clean))
    return np.divide(difference, own, out=np.full(len(own), np.nan), where=own > 0)


def correlations_of(maps: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each map with the clean one, (N,); NaN where either is constant."""
    first, second = _centred(maps), _centred(clean)
    scale = np.sqrt(_squares(first) * _squares(second))
    return np.divide((first * second).sum(axis=1), scale, out=np.full(len(scale), np.nan), where=scale > 0)


def change_rows(found: Changes) -> list[dict[str, Any]]:
    """The table of changes, a mapping with the keys of `COLUMNS` for each; values that are not defined are ""."""
    return [
        {
            "noise": noise,
            "state": state,
            "explanation": name,
            "images": int(np.isfinite(change.changes).sum()),
            "change": _mean(change.changes),
            "change_sd": _deviation(change.changes),
            "correlation": _mean(change.correlations),
            "sensitivity": _mean(change.sensitivities),
        }
        for (noise, state, name), change in _ordered(found)
    ]


def _ordered(found: Changes) -> Iterator[tuple[tuple[str, str, str], Change]]:
    """All explanations of the first noise and state, then those of the second, and so on."""
    groups = dict.fromkeys(key[:2] for key in found)
    return ((key, change) for group in groups for key, change in found.items() if key[:2] == group)


def _change(maps: np.ndarray, clean: np.ndarray, of_images: np.ndarray) -> Change:
    changes = changes_of(maps, clean)
    sensitivities = np.divide(changes, of_images, out=np.full(len(changes), np.nan), where=of_images > 0)
    return Change(changes, correlations_of(maps, clean), sensitivities)


def _unit(images: np.ndarray) -> np.ndarray:
    """8-bit images in [0, 1]."""
    return images / 255.0


def _centred(maps: np.ndarray) -> np.ndarray:
    """Maps as (N, values), each with the mean 0; those of a constant map are all exactly 0."""
    flat = maps.reshape(len(maps), -1).astype(float)
    flat -= flat[:, :1]  # of a constant map, the mean below is then exact
    return flat - flat.mean(axis=1, keepdims=True)


def _squares(maps: np.ndarray) -> np.ndarray:
    return np.square(maps.reshape(len(maps), -1), dtype=float).sum(axis=1)


def _mean(values: np.ndarray) -> float | str:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else ""


def _deviation(values: np.ndarray) -> float | str:
    kept = values[np.isfinite(values)]
    return float(kept.std(ddof=1)) if len(kept) > 1 else ""
