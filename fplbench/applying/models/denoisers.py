"""What denoises a scan: a trained network, a model bundle, or a method by its name."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fplbench import __version__
from fplbench.applying.models.cards import read_card
from fplbench.applying.models.functions import eight_bit_function, network_function, onnx_function
from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import METHODS, Method
from fplbench.device import choose_device
from fplbench.errors import InputError, nearest
from fplbench.files import file_hash
from fplbench.networks import weights as weight_files
from fplbench.networks.card import Card
from fplbench.networks.tiles import OVERLAP, TILE
from fplbench.options import Options
from fplbench.peers import PEERS
from fplbench.registry import parse_options

Runtime = Literal["torch", "onnx"]
Cores = tuple[int, int]  # threads, and slices that share them
MOST_SLICES = 4  # at the same time; each takes about 300 MB in the network of the paper
UNET_METHOD = "fpl"  # whatever trained it, a U-Net that predicts noise runs as FPL's does
NAMED = ("weights", "device", "tile", "overlap", "batch")
"""Options of networks that are given by themselves, or that change nothing here."""
RESTORATION = "restoration.safetensors"


@dataclass(frozen=True)
class Denoiser:
    """A denoiser of single slices.

    Attributes:
        label: its name for people, such as "FPL, Gaussian".
        digest: SHA-256, hexadecimal, of everything that its result depends on besides the slice.
        function: from grey levels, float32 (H, W) in [0, 1], to the same.
        card: what it was trained on; None for a method that is not trained, or if its file does not say.
        trained: whether it is a trained network.
        restoration: weight file of the restoration network that explains its images; None where there is none.
        eight_bit: whether it rounds what it gets, and returns, to 8 bit.
        parallel: number of slices that can be denoised at the same time, by as many threads.
        threads: processor cores that torch may use in each of these threads; None: torch does not run in them.
        requires: optional packages that it runs with, as modules.
        largest: largest side of a slice that it takes, pixels; None: any.
        options: of the method, complete, and of how a network is tiled.
        source: whatever its files live as long as.
    """

    label: str
    digest: str
    function: Callable[[np.ndarray], np.ndarray]
    card: Card | None = None
    trained: bool = False
    restoration: Path | None = None
    eight_bit: bool = False
    parallel: int = 1
    threads: int | None = None
    requires: tuple[str, ...] = ()
    largest: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    source: object = None

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """Denoise a slice of any size, float32 (H, W) in [0, 1].

        Raises:
            InputError: the result is not finite, or the method cannot run.
        """
        return self.function(grey)

    def begin(self) -> None:
        """Prepare a thread in which slices will be denoised: how many cores torch uses is a setting of the thread."""
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)


def open_denoiser(
    model: str,
    options: Mapping[str, Any],
    *,
    weights: Path | None = None,
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
        options: options of the method, but for those that are arguments here.
        weights: weight file of a method that is a trained network.
        device: auto, cpu or cuda, for networks.
        threads: processor cores to use; those of torch are set by `Denoiser.begin`.
        slices: number of slices that a network on the CPU may get at the same time, each by its own thread; they share the cores.
        runtime: what runs the network of a bundle.
        tile: largest side that a network denoises in one piece, pixels.
        overlap: pixels that neighbouring tiles share.

    Raises:
        InputError: there is no such model, it is not a denoiser, an option is unknown, or a package is missing.
    """
    suffix = Path(model).suffix.lower()
    _check_arguments(model, suffix, options, weights, runtime)
    tiling = {"device": device, "tile": tile, "overlap": overlap}
    if suffix == ".safetensors":
        return _of_weights(Path(model), {**options, **tiling}, (threads, slices))
    if suffix == ".zip":
        return _of_bundle(Path(model), {**options, **tiling}, (threads, slices), runtime)
    return _of_method(model, options, tiling, (threads, slices), weights)


def slices_at_once(threads: int) -> int:
    """How many slices a network denoises at the same time on the CPU: as many as share the cores evenly, but few enough to fit.

    Two slices on a core each take less time than one after the other on both.
    """
    return max(slices for slices in range(1, MOST_SLICES + 1) if threads % slices == 0)


def _check_arguments(model: str, suffix: str, options: Mapping[str, Any], weights: Path | None, runtime: Runtime) -> None:
    """InputError if arguments contradict each other."""
    if runtime == "onnx" and suffix != ".zip":
        raise InputError(f"{model} cannot run with --runtime onnx: only a bundle of `fplbench export-model` holds an ONNX model.")
    if weights is not None and suffix in (".safetensors", ".zip"):
        raise InputError(f"{model} has weights of its own: leave out --weights.")
    if named := [name for name in NAMED if name in options]:
        instead = "leave it out" if named[0] == "batch" else f"give --{named[0]}"
        raise InputError(f"{named[0]} cannot be given with --options: {instead}.")


def _of_weights(path: Path, options: Mapping[str, Any], cores: Cores) -> Denoiser:
    """The denoiser of a weight file."""
    metadata = weight_files.read_metadata(path)
    method = METHODS[method_name(metadata, path)]
    card = read_card(metadata, path)
    parsed = parse_options(method.options, {**options, "weights": path}, method.name)
    assert isinstance(parsed, LearnedOptions)
    label = _label(card, PEERS[method.name].label if method.name in PEERS else "U-Net")
    return replace(_of_network(method, parsed, label, card, cores), restoration=_restoration_beside(path, card))


def _of_network(method: Method, options: LearnedOptions, label: str, card: Card | None, cores: Cores) -> Denoiser:
    """The denoiser of a network."""
    threads, slices = cores
    parallel = slices if choose_device(options.device).type == "cpu" else 1
    digest, function = _digest(method.name, options, options.weights), network_function(method, options)
    return Denoiser(
        label, digest, function, card, trained=True, parallel=parallel, threads=threads // parallel, requires=method.requires,
        options=_settings(options),
    )  # fmt: skip


def _of_bundle(path: Path, options: Mapping[str, Any], cores: Cores, runtime: Runtime) -> Denoiser:
    """The denoiser of a model bundle."""
    from fplbench.applying.models.bundle import open_bundle

    bundle = open_bundle(path)
    found = _of_weights(bundle.weights, options, cores)
    found = replace(
        found, label=_label(bundle.card, found.label), card=bundle.card, restoration=bundle.restoration, source=bundle
    )
    if runtime == "torch":
        return found
    if bundle.onnx is None:
        raise InputError(f"The bundle {path} holds no ONNX model: use --runtime torch, or export it again with one.")
    threads, slices = cores
    function = onnx_function(bundle.onnx, threads // slices)
    digest = hashlib.sha256(f"{found.digest} {file_hash(bundle.onnx)}".encode()).hexdigest()
    return replace(
        found, digest=digest, function=function, parallel=slices, threads=None, largest=options["tile"], requires=("onnxruntime",)
    )


def _of_method(name: str, options: Mapping[str, Any], tiling: Mapping[str, Any], cores: Cores, weights: Path | None) -> Denoiser:
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
        function = eight_bit_function(method, parsed, cores[0])
        parallel = 1 if method.gpu else cores[0]
        return Denoiser(
            method.label, _digest(name, parsed), function, eight_bit=True, parallel=parallel, requires=method.requires,
            options=_settings(parsed),
        )  # fmt: skip
    if weights is None:
        raise InputError(f"The method {name!r} is a trained network: give its weight file with --weights.")
    parsed = parse_options(method.options, {**options, **tiling, "weights": weights}, name)
    card = None if weights.suffix == ".pth" else read_card(weight_files.read_metadata(weights), weights)
    return _of_network(method, parsed, _label(card, method.label), card, cores)


def _restoration_beside(path: Path, card: Card | None) -> Path | None:
    """The restoration network of the run that a weight file belongs to: models/{dataset}/{noise}/X has it one folder above."""
    folder = path.resolve().parent.parent
    ours = card is not None and card.dataset == folder.name and (folder / RESTORATION).is_file()
    return folder / RESTORATION if ours else None


def method_name(metadata: Mapping[str, Any], path: Path) -> str:
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


def _digest(method: str, options: Options, weights: Path | None = None) -> str:
    """SHA-256 of all that the result depends on but the window."""
    parts = [__version__, method, _settings(options), file_hash(weights) if weights else None]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _settings(options: Options) -> dict[str, Any]:
    """Options as JSON values; where a network runs and on how many cores do not count."""
    return options.model_dump(mode="json", exclude={"weights", "device", "batch"})
