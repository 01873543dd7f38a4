"""Trained denoisers as ONNX models, which run without torch and without this package."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench import packages
from fplbench.applying.models.denoisers import method_name
from fplbench.errors import InputError
from fplbench.files import replacing
from fplbench.networks.inference import pad_to_multiple
from fplbench.peers import PEERS

if TYPE_CHECKING:
    from torch import nn

OPSET = 18
"""The one that torch's exporter writes without converting it. The networks need no newer one, and more programs read it."""
INPUT, OUTPUT = "image", "denoised"
MULTIPLE = "multiple"
LARGEST = 2**14  # pixels a side


def export_onnx(weights: str | os.PathLike[str], out: str | os.PathLike[str]) -> None:
    """Write a trained denoiser as an ONNX model, from the image to the denoised image.

    The model has one input, `image`, and one output, `denoised`: float32 (1, 1, H, W) in [0, 1], where H and W are multiples of
    the number that its metadata have under the key `multiple`; `OnnxDenoiser` pads other images. The same weight file gives the
    same bytes with the same versions of torch and onnxscript.

    Args:
        weights: weight file of the denoiser, .safetensors.
        out: the .onnx file to write.

    Raises:
        InputError: the file does not hold a denoiser, its network cannot be exported, or a package is missing.
    """
    check_packages("onnx", "onnxscript", "onnxruntime")
    import onnx

    from fplbench.networks import weights as weight_files

    network, metadata = weight_files.load(weights)
    method_name(metadata, Path(weights))  # refuses what is not a denoiser
    architecture = metadata["architecture"]
    multiple = sides_multiple(architecture)
    model = _exported(
        _with_subtraction(network, PEERS[architecture].output if architecture in PEERS else "noise"), multiple, weights
    )
    _remove_traces(model)
    onnx.helper.set_model_props(model, {MULTIPLE: str(multiple)})
    with replacing(out) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _exported(module: "nn.Module", multiple: int, weights: str | os.PathLike[str]) -> Any:
    """The ONNX model of a module, for images whose sides are multiples of a number."""
    import torch

    height, width = (torch.export.Dim(name, min=1, max=LARGEST // multiple) for name in ("height", "width"))
    sizes = {2: multiple * height, 3: multiple * width} if multiple > 1 else {2: height, 3: width}
    try:
        with _quiet():
            program: Any = torch.onnx.export(
                module,
                (torch.zeros(1, 1, 64, 96),),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes={INPUT: sizes},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"torch cannot export the network of {weights} to ONNX ({reason}); use --no-onnx.") from error
    return program.model_proto


class OnnxDenoiser:
    """A denoiser of single images that onnxruntime runs, on the CPU.

    Args:
        path: an .onnx file that `export_onnx` wrote.
        threads: number of threads.

    Raises:
        InputError: the file is not such a model, or onnxruntime is missing.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        check_packages("onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3  # errors, which are raised as exceptions too
        options.add_session_config_entry("session.set_denormal_as_zero", "1")  # as torch does here, see `choose_device`
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            self.multiple = int(self.session.get_modelmeta().custom_metadata_map[MULTIPLE])
        except Exception as error:  # onnxruntime's exceptions have no common class
            reason = str(error).splitlines()[0]
            raise InputError(f"{path} is not an ONNX model of `fplbench export-model` that can be run: {reason}") from None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Denoise an image of any size, float32 (H, W) in [0, 1]; the result has the same type, shape and range."""
        height, width = image.shape
        padded = pad_to_multiple(image[np.newaxis].astype(np.float32, copy=False), self.multiple)[np.newaxis]
        (denoised,) = self.session.run([OUTPUT], {INPUT: np.ascontiguousarray(padded)})
        return denoised[0, 0, :height, :width]


def sides_multiple(architecture: str) -> int:
    """What the sides of a network's images are multiples of."""
    from fplbench.networks.unet import UNET_MULTIPLE

    return PEERS[architecture].multiple if architecture in PEERS else UNET_MULTIPLE


def check_packages(*modules: str) -> None:
    """Raise InputError if a package of the extra `onnx` is missing."""
    if reason := packages.unusable("onnx", modules, "onnx"):
        raise InputError(reason)


def _with_subtraction(network: "nn.Module", output: str) -> "nn.Module":
    """A module from the image to the denoised image, clipped to [0, 1]."""
    import torch
    from torch import nn

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            returned = self.network(image)
            return (image - returned if output == "noise" else returned).clamp(0, 1)

    return Whole().eval()


def _remove_traces(model: Any) -> None:
    """Remove what the exporter notes of the code that it has followed, such as the places of its files."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Context without the exporter's progress, and its warnings on its own deprecated calls and on packages not needed here."""
    logs = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
