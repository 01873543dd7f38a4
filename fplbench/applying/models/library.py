"""Trained denoisers in Python: `fplbench.load_denoiser(path)(image)`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from fplbench.applying.models.denoisers import Denoiser, Runtime, open_denoiser
from fplbench.applying.units import denoise_plane, to_eight_bit
from fplbench.datasets.percentiles import percentile_window
from fplbench.errors import InputError
from fplbench.networks.card import Card
from fplbench.networks.card_text import NOT_CLINICAL, purpose

if TYPE_CHECKING:
    from torch import Tensor

MOST_CHANNELS = 4  # of a colour image: red, green, blue and opacity
LARGEST = float(np.finfo(np.float32).max)
TYPES = ("int16", "int32", "float32", "float64")
"""Types of arrays whose values are in the unit of the scan."""


class LoadedDenoiser:
    """A trained denoiser, called with images. It comes from `load_denoiser`.

    Attributes:
        card: what it was trained on, and so which images it is for; None if its file does not say.
        label: its name for people, such as "FPL, Gaussian Noise".
    """

    def __init__(self, path: Path, denoiser: Denoiser) -> None:
        self._path, self._denoiser = path, denoiser
        self.card: Card | None = denoiser.card
        self.label = denoiser.label

    def __repr__(self) -> str:
        return f"<{self.label}: {purpose(self.card)}. {NOT_CLINICAL}>"

    @overload
    def __call__(self, image: np.ndarray) -> np.ndarray: ...
    @overload
    def __call__(self, image: "Tensor") -> "Tensor": ...
    def __call__(self, image: Any) -> Any:
        """Denoise one image or several, each by itself.

        Args:
            image: a NumPy array or torch tensor (H, W), (N, H, W) or (N, 1, H, W), of any size: grey images, no colours. A
                volume has its slices first: one of nibabel, (X, Y, Z), is given as `volume.transpose(2, 1, 0)`. uint8 are grey
                levels of the window that the denoiser was trained on. int16, int32, float32 and float64 are values in the
                unit of the scan: HU for CT, after slope and intercept. A denoiser for images without a unit, such as MR, takes
                its window from the percentiles of all the values that it gets, so give it a whole series at once.

        Returns:
            Of the kind and shape of `image`, on its device: uint8 for uint8, otherwise float32 in the unit of the scan. Values
            outside the window of the denoiser are those of the image. No gradient flows through it.

        Raises:
            InputError: the shape, the type or a value cannot be used, or the window of the denoiser is not known.
        """
        if isinstance(image, np.ndarray):
            return self._denoise(image)
        import torch

        if isinstance(image, torch.Tensor):
            return torch.from_numpy(self._denoise(_as_array(image))).to(image.device)
        raise InputError(f"The image is of type {type(image).__name__}; a denoiser takes a NumPy array or a torch tensor.")

    def _denoise(self, image: np.ndarray) -> np.ndarray:
        """Denoise an array."""
        stack = _as_stack(image)
        if image.dtype == np.uint8:
            denoised = [to_eight_bit(self._denoiser(one.astype(np.float32) / np.float32(255))) for one in stack]
        else:
            window = self._window(stack)
            denoised = [denoise_plane(one.astype(np.float32), None, window, self._denoiser, False) for one in stack]
        return np.stack(denoised).reshape(image.shape)

    def _window(self, stack: np.ndarray) -> tuple[float, float]:
        """The window in which values in the unit of the scan are denoised."""
        if self.card is not None and self.card.window is not None:
            window = self.card.window
        elif self.card is not None and self.card.percentiles is not None:
            window = percentile_window(stack.ravel(), self.card.percentiles) or (0.0, 1.0)
        else:
            raise InputError(
                f"{self._path} does not say which window its denoiser was trained on, so it takes uint8 grey levels only."
            )
        if stack.dtype.kind == "f" and 0 < np.abs(stack).max() <= 1 and window[1] - window[0] > 2:
            unit = "HU" if self.card.hounsfield else "the unit of the scan"
            raise InputError(
                f"All values are between -1 and 1, as of a normalised image: give values in {unit}, or uint8 grey levels."
            )
        return window


def load_denoiser(path: str | os.PathLike[str], *, device: str = "auto", runtime: Runtime = "torch") -> LoadedDenoiser:
    """Load a trained denoiser.

    Args:
        path: a weight file, .safetensors, that `fplbench train` wrote, or a bundle, .zip, that `fplbench export-model` wrote.
        device: where the network runs: auto, cpu or cuda. It uses as many threads as torch does (`torch.set_num_threads`).
        runtime: torch, or onnx for the ONNX model of a bundle, which runs on the CPU.

    Returns:
        What denoises images: `load_denoiser(path)(image)`; see `LoadedDenoiser`. Not for clinical use.

    Raises:
        InputError: the file is missing or damaged or is not a denoiser, or a package is missing.

    Examples:
        Denoise a slice in HU, float32 or int16 (H, W):

        >>> import fplbench
        >>> denoise = fplbench.load_denoiser("model.zip")
        >>> denoised = denoise(slice_in_hu)
        >>> denoised.dtype, denoised.shape == slice_in_hu.shape
        (dtype('float32'), True)
    """
    import torch

    path = Path(path)
    if path.suffix.lower() not in (".safetensors", ".zip"):
        raise InputError(
            f"{path} is neither a weight file (.safetensors) nor a bundle (.zip); `fplbench.methods.denoise` runs methods."
        )
    if runtime not in ("torch", "onnx"):
        raise InputError(f"The runtime {runtime!r} is not known; it must be torch or onnx.")
    threads = torch.get_num_threads()
    return LoadedDenoiser(path, open_denoiser(str(path), {}, device=device, threads=threads, runtime=runtime))


def _as_array(image: "Tensor") -> np.ndarray:
    """The values of a tensor.

    Raises:
        InputError: it has none that NumPy can hold: it is sparse, on no device, or of a type such as bfloat16.
    """
    try:
        return image.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"The tensor cannot be read as an array ({reason}); give a dense one of uint8 or {_types()}.") from None


def _types() -> str:
    return f"{', '.join(TYPES[:-1])} or {TYPES[-1]}"


def _as_stack(image: np.ndarray) -> np.ndarray:
    """The image or images as an array (N, H, W).

    Raises:
        InputError: the shape, the type or a value cannot be used.
    """
    if isinstance(image, np.ma.MaskedArray):
        raise InputError("The image is a masked array, whose mask would be lost: fill it, such as with image.filled(-1024).")
    image = np.asarray(image)  # a matrix would stay one
    if image.dtype.name not in ("uint8", *TYPES):
        raise InputError(
            f"The image has values of type {image.dtype}; give grey levels as uint8, or values in the unit of the scan, such as "
            f"HU, as {_types()}."
        )
    shape = image.shape
    if len(shape) not in (2, 3, 4) or 0 in shape or (len(shape) == 4 and shape[1] != 1):
        raise InputError(f"The image has shape {shape}; it must be (H, W), (N, H, W) or (N, 1, H, W), with at least one pixel.")
    if len(shape) == 3 and shape[2] <= MOST_CHANNELS < min(shape[:2]):
        raise InputError(
            f"The image has shape {shape}, as a colour image has it: give grey images (H, W) or (N, H, W), slices first."
        )
    if image.dtype.kind == "f" and not (np.abs(image) <= LARGEST).all():
        raise InputError("The image has values that are NaN or infinite; replace them, for example by the value of air.")
    return image.reshape(-1, *shape[-2:])
