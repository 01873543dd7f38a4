"""What denoises a scan: a trained network, a model bundle, or a method by its name."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fplbench import __version__
from fplbench.applying.functions import eight_bit_function, network_function, onnx_function
from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import METHODS, Method
from fplbench.errors import InputError, nearest
from fplbench.files import file_hash
from fplbench.networks import weights as weight_files
from fplbench.networks.card import CARD_KEY, Card
from fplbench.options import Options
from fplbench.peers import PEERS
from fplbench.registry import parse_options

Runtime = Literal["torch", "onnx"]
Cores = tuple[int, int]  # threads, and slices that share them
TILE = 512
OVERLAP = 192  # what a tile of a U-Net sees beyond 96 pixels changes it by less than a quarter of a grey level
MOST_SLICES = 4  # at the same time; each takes about 300 MB in the network of the paper
UNET_METHOD = "fpl"  # whatever trained it, a U-Net that predicts noise runs as FPL's does


@dataclass(frozen=True)
class Denoiser:
    """A denoiser of single slices.

    Attributes:
        label: its name for people, such as "FPL, Gaussian".
        digest: SHA-256, hexadecimal, of everything that its result depends on besides the slice.
        function: from grey levels, float32 (H, W) in [0, 1], to the same.
        card: what it was trained on; None for a method that is not trained, or if its file does not say.
        restoration: weight file of the restoration network that explains its images; None where there is none.
        method: the method that it runs as.
        eight_bit: whether it rounds what it gets, and returns, to 8 bit.
        parallel: number of slices that can be denoised at the same time, by as many threads.
        source: whatever its files live as long as.
    """

    label: str
    digest: str
    function: Callable[[np.ndarray], np.ndarray]
    method: Method
    card: Card | None = None
    restoration: Path | None = None
    eight_bit: bool = False
    parallel: int = 1
    source: object = None

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """Denoise a slice of any size, float32 (H, W) in [0, 1].

        Raises:
            InputError: the result is not finite, or the method cannot run.
        """
        return self.function(grey)


def open_denoiser(
    model: str,
    options: Mapping[str, Any],
    *,
    weights: Path | None = None,
    window: tuple[float, float] | None = None,
    device: str = "auto",
    threads: int = 1,
    slices: int = 1,
    runtime: Runtime = "torch",
    tile: int = TILE,
    overlap: int = OVERLAP,
) -> Denoiser:
    """Open a denoiser.

    Args:
        model: a weight file, .safetensors, that `fplbench train` wrote; a bundle, .zip, that `fplbench export-model` wrote; or
            the name of a method.
        options: options of the method.
        weights: weight file of a method that is a trained network.
        window: the window that it will see, which is part of the digest; None: that of the card.
        device: auto, cpu or cuda, for networks.
        threads: processor cores to use.
        slices: number of slices that a network on the CPU may get at the same time, each by its own thread; they share the cores.
        runtime: what runs the network of a bundle.
        tile: largest side that a network denoises in one piece, pixels.
        overlap: pixels that neighbouring tiles share.

    Raises:
        InputError: there is no such model, it is not a denoiser, an option is unknown, or a package is missing.
    """
    place = {"device": device, "tile": tile, "overlap": overlap}
    suffix = Path(model).suffix.lower()
    if runtime == "onnx" and suffix != ".zip":
        raise InputError(f"{model} cannot run with --runtime onnx: only a bundle of `fplbench export-model` holds an ONNX model.")
    if weights is not None and suffix in (".safetensors", ".zip"):
        raise InputError(f"{model} has weights of its own: leave out --weights.")
    if suffix == ".safetensors":
        return _of_weights(Path(model), options, place, window, (threads, slices))
    if suffix == ".zip":
        return _of_bundle(Path(model), options, place, window, (threads, slices), runtime)
    return _of_method(model, options, place, window, (threads, slices), weights)


def slices_at_once(threads: int) -> int:
    """How many slices a network denoises at the same time on the CPU: as many as share the cores evenly, but few enough to fit.

    Two slices on a core each take less time than one after the other on both.
    """
    return max(slices for slices in range(1, MOST_SLICES + 1) if threads % slices == 0)


def _of_weights(
    path: Path, options: Mapping[str, Any], place: dict[str, Any], window: tuple[float, float] | None, cores: Cores
) -> Denoiser:
    """The denoiser of a weight file."""
    metadata = weight_files.read_metadata(path)
    method = METHODS[_method_name(metadata, path)]
    card = read_card(metadata, path)
    parsed = parse_options(method.options, {**options, **place, "weights": path}, method.name)
    assert isinstance(parsed, LearnedOptions)
    weight_files.load(path)  # says at once if its tensors are not those of its network
    label = _label(card, PEERS[method.name].label if method.name in PEERS else "U-Net")
    function, parallel = network_function(method, parsed, *cores)
    return Denoiser(label, _digest(method.name, parsed, window, path), function, method, card, parallel=parallel)


def _of_bundle(
    path: Path,
    options: Mapping[str, Any],
    place: dict[str, Any],
    window: tuple[float, float] | None,
    cores: Cores,
    runtime: Runtime,
) -> Denoiser:
    """The denoiser of a model bundle."""
    from fplbench.applying.bundle import open_bundle

    bundle = open_bundle(path)
    found = _of_weights(bundle.weights, options, place, window, cores)
    function, digest, parallel = found.function, found.digest, found.parallel
    if runtime == "onnx":
        if bundle.onnx is None:
            raise InputError(f"The bundle {path} holds no ONNX model: use --runtime torch, or export it again with one.")
        function, parallel = onnx_function(bundle.onnx, *cores)
        digest = hashlib.sha256(f"{digest} {file_hash(bundle.onnx)}".encode()).hexdigest()
    label = _label(bundle.card, found.label)
    return Denoiser(label, digest, function, found.method, bundle.card, bundle.restoration, parallel=parallel, source=bundle)


def _of_method(
    name: str,
    options: Mapping[str, Any],
    place: dict[str, Any],
    window: tuple[float, float] | None,
    cores: Cores,
    weights: Path | None,
) -> Denoiser:
    """The denoiser of a method that is called by its name."""
    if name not in METHODS:
        if Path(name).exists() or "/" in name or Path(name).suffix:
            raise InputError(f"{name} is not a model: give a .safetensors file, a bundle (.zip) or the name of a method.")
        raise InputError(f"{name!r} is neither a model file nor a method: {nearest(name, METHODS)}")
    method = METHODS[name]
    if reason := method.unusable():
        raise InputError(reason)
    if not issubclass(method.options, LearnedOptions):
        if weights is not None:
            raise InputError(f"The method {name!r} has no weights: leave out --weights.")
        parsed = parse_options(method.options, options, name)
        function, parallel = eight_bit_function(method, parsed, cores[0])
        return Denoiser(method.label, _digest(name, parsed, window), function, method, eight_bit=True, parallel=parallel)
    given = {"weights": weights} if weights is not None else {}
    parsed = parse_options(method.options, {**place, **options, **given}, name)
    if parsed.weights is None:
        raise InputError(f"The method {name!r} is a trained network: give its weight file with --weights.")
    card = None if parsed.weights.suffix == ".pth" else read_card(weight_files.read_metadata(parsed.weights), parsed.weights)
    digest = _digest(name, parsed, window, parsed.weights)
    function, parallel = network_function(method, parsed, *cores)
    return Denoiser(_label(card, method.label), digest, function, method, card, parallel=parallel)


def read_card(metadata: Mapping[str, Any], path: Path) -> Card | None:
    """The card in the header of a weight file; None if it has none.

    Raises:
        InputError: the card is damaged.
    """
    values = metadata.get(CARD_KEY)
    return None if values is None else parse_options(Card, values, f"The card of {path}")


def _method_name(metadata: Mapping[str, Any], path: Path) -> str:
    """The method that runs the network of a weight file."""
    architecture, output = metadata["architecture"], metadata.get("output")
    if architecture in PEERS:
        return architecture
    if architecture == "unet" and output == "noise":
        return UNET_METHOD
    if architecture == "unet":
        raise InputError(
            f"{path} holds a restoration network, which gives back what it gets: name the weights of a denoiser, "
            "such as those of `fplbench train fpl`."
        )
    if architecture == "drunet":
        raise InputError(f"{path} holds DRUNet, which needs a noise level: name the method dpir, and the file with --weights.")
    raise InputError(f"{path} holds a network named {architecture!r}: {nearest(str(architecture), weight_files.known())}")


def _label(card: Card | None, otherwise: str) -> str:
    """What to call a denoiser: its training and its noise, if its card says so."""
    return otherwise if card is None else f"{card.label}, {card.noise_title or card.noise}".rstrip(", ")


def _digest(method: str, options: Options, window: tuple[float, float] | None, weights: Path | None = None) -> str:
    """SHA-256 of all that the result depends on; where a network runs and how many cores it has are not part of it."""
    values = options.model_dump(mode="json", exclude={"weights", "device", "batch"})
    parts = [__version__, method, values, window, file_hash(weights) if weights else None]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
