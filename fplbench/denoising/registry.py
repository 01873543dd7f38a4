"""What a method declares of itself, and the registry that finds it by name."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from fplbench import packages
from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import Registry

Denoised = np.ndarray | tuple[np.ndarray, Mapping[str, Sequence]]
Group = Literal["filters", "networks", "alone"]
Budget = Literal["steps", "seconds"]
GROUPS: tuple[Group, ...] = ("filters", "networks", "alone")


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError(f"{size} is even; a window with a centre needs an odd side.")
    return size


OddSize = Annotated[int, Field(ge=1, le=99), AfterValidator(_odd)]
"""Side of a square window that has a centre, pixels."""


class NoOptions(Options):
    """Options of a method that has none."""


@dataclass(frozen=True)
class Method:
    """A denoising method as the benchmark sees it.

    Attributes:
        name: its name in the config, in file names and on the command line.
        label: the column heading of the tables.
        function: from noisy images, uint8 (N, H, W), and options to denoised images of the same type and shape; or to
            these and a mapping of column name to one value an image, kept in the index of the denoised stack.
        cites: the key of its source in docs/methods.md; None for the unprocessed image.
        options: the model of its options.
        group: which job of the workflow it runs in, for each data set and noise: `filters` for cheap classical methods,
            `networks` for those that import torch, or `alone` for one that is slow, or not to be re-run with others.
        gpu: whether it uses a GPU where there is one. Such a method imports torch and has an option `device`; those of
            the group `networks` all do.
        weights: the training whose weights it needs ("fpl", "drunet", ...), None if none.
        processes: whether it needs processes instead of threads to denoise several images at once, because its package cannot
            run in several threads. Its function must then be defined at the top level of its module.
        extra: the extra that installs the optional packages that it needs, None if it needs none.
        requires: the modules of these packages.
        modules: further modules of the benchmark whose code its result depends on.
        grid: for options worth tuning, the values to try; the default is always tried too.
        grey_map: whether it has a grey map whatever the config's key grey_map says; None: as the config says.
        budget: for a network that is trained here, whether it has FPL's steps or FPL's seconds unless its entry says so.
    """

    name: str
    label: str
    function: Callable[[np.ndarray, Options], Denoised]
    cites: str | None = None
    options: type[Options] = NoOptions
    group: Group = "alone"
    gpu: bool = False
    weights: str | None = None
    processes: bool = False
    extra: str | None = None
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    grey_map: bool | None = None
    budget: Budget = "steps"

    def unusable(self) -> str | None:
        """Why the packages that it needs cannot be used here, in one sentence; None if they can."""
        return packages.unusable(self.name, self.requires, self.extra)

    @property
    def summary(self) -> str:
        """First line of the function's documentation."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


METHODS: Registry[Method] = Registry("method", "fplbench.methods")


def method(name: str, *, label: str, **declared: Any) -> Callable:
    """Decorator that registers a function as a method.

    Args:
        name: the method's name, lower case with underscores.
        label: the column heading.
        **declared: further attributes of `Method`.
    """
    if declared.get("group", "alone") not in GROUPS:
        raise ValueError(f"the method {name!r} is in the group {declared['group']!r}; groups are {', '.join(GROUPS)}")
    declared.setdefault("gpu", declared.get("group") == "networks")

    def register(function: Callable) -> Callable:
        METHODS.add(name, Method(name=name, label=label, function=function, **declared))
        return function

    return register


def per_image(noisy: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a function of one image to each image of a stack.

    Args:
        noisy: uint8 (N, H, W).
        function: from one image, uint8 (H, W), to the denoised image: uint8, or real numbers in grey levels 0 to 255.

    Returns:
        uint8 (N, H, W).

    Raises:
        InputError: a result is not an array of real, finite numbers of the image's shape.
    """
    if "cv2" in sys.modules:
        # Chunks of the stack already share the threads; OpenCV would start its own in each of them.
        sys.modules["cv2"].setNumThreads(1)
    denoised = np.empty_like(noisy)
    for image, result in zip(noisy, denoised, strict=True):
        found = function(np.ascontiguousarray(image))
        if not isinstance(found, np.ndarray) or found.shape != image.shape:
            what = f"an array of shape {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
            file = function.__module__.replace(".", "/")
            raise InputError(
                f"The function in {file}.py returned {what} for an image of shape {image.shape}; the shapes must agree."
            )
        result[:] = to_uint8(found)
    return denoised


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Round grey levels to 8 bit, clipped to 0 to 255; uint8 passes unchanged.

    Raises:
        InputError: the values are not real, or not finite.
    """
    if images.dtype == np.uint8:
        return images
    if np.iscomplexobj(images) or not np.isfinite(images).all():
        raise InputError("A denoised image has values that are not finite, real numbers: the method failed on it.")
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)
