"""Writing a model bundle from the weight file of a run."""

import hashlib
import io
import json
import logging
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from fplbench import __version__
from fplbench.applying.models.bundle import (
    CARD,
    CONFIG,
    EXPECTED,
    EXPECTED_HASH,
    FORMAT,
    MANIFEST,
    ONNX,
    PHANTOM,
    README,
    RESTORATION,
    WEIGHTS,
    Manifest,
    Member,
)
from fplbench.applying.models.denoisers import open_denoiser
from fplbench.applying.models.onnx_export import OPSET, OnnxDenoiser, check_packages, export_onnx
from fplbench.applying.models.phantom import make_phantom
from fplbench.applying.models.readme import describe_bundle
from fplbench.applying.models.run_scores import read_run_scores
from fplbench.applying.units import to_eight_bit
from fplbench.errors import InputError
from fplbench.files import replacing
from fplbench.networks.card import Card, one_line, parse_card

log = logging.getLogger(__name__)

FOLDERS_UP = 5
TOLERANCE = 1e-4  # between the ONNX model and torch, of the range of the image
TOLD = {"dataset_label": "label", "licence": "licence"}
"""Field of a card -> key of the config's data set that tells it."""
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a .zip file can have


def export_model(
    weights: str | os.PathLike[str],
    out: str | os.PathLike[str],
    results: str | os.PathLike[str] | None = None,
    *,
    onnx: bool = True,
    overwrite: bool = False,
) -> Card:
    """Write a model bundle. The same weights, run and versions of the libraries give the same bytes.

    Args:
        weights: weight file of a denoiser, .safetensors, that `fplbench train` wrote.
        out: the .zip file to write.
        results: folder of the run that it belongs to, with config.json; None: the nearest folder above the weight file that has
            one, if any. From it the bundle gets the config, the scores, the restoration network, and the label and licence of
            the data set.
        onnx: whether the bundle gets an ONNX model.
        overwrite: whether to replace a file that exists.

    Returns:
        The card of the bundle.

    Raises:
        InputError: the file is not a denoiser or has no card, the bundle exists, the folder is not that of a run, the ONNX model
            does not return what torch does, or a package is missing.
    """
    weights, out = Path(weights), Path(out)
    if weights.suffix.lower() == ".zip":
        raise InputError(f"{weights} is a bundle already: `fplbench apply` and `fplbench check-model` take it as it is.")
    if weights.suffix.lower() != ".safetensors":
        raise InputError(f"{weights} cannot be exported: only a weight file of `fplbench train`, .safetensors, can be.")
    if out.suffix.lower() != ".zip":
        raise InputError(f"{out} does not end in .zip, as a model bundle does.")
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists: choose another name, or give --overwrite.")
    if onnx:
        check_packages("onnx", "onnxscript", "onnxruntime")
    denoiser = open_denoiser(str(weights), {}, device="cpu")
    card = denoiser.card
    if card is None:
        raise InputError(f"{weights} has no card, as it was trained by an earlier version of fplbench: train it again.")
    members = {WEIGHTS: weights.read_bytes()}
    if run := _run_folder(weights, results):
        card, of_run = _of_run(run, card, weights.stem)
        members |= of_run
    phantom = make_phantom()
    denoised = denoiser(phantom)
    members |= {CARD: _json(card.model_dump(mode="json")), **_check_images(phantom, to_eight_bit(denoised))}
    if onnx:
        members[ONNX] = _onnx(weights, phantom, denoised)
    members[README] = describe_bundle(card, set(members)).encode()
    _write(out, members, OPSET if onnx else None)
    return card


def _of_run(run: Path, card: Card, method: str) -> tuple[Card, dict[str, bytes]]:
    """The card with what its run adds to it (scores, and the config's label and licence), and the files of the run."""
    config = _config(run)
    given = config.get("datasets", {}).get(card.dataset) or {}
    told = {field: one_line(text) for field, key in TOLD.items() if (text := given.get(key))}
    scores = read_run_scores(run, card, method, int(config.get("seed", 0)))
    members = {CONFIG: _json(_without_places(config))}
    if (restoration := run / "models" / card.dataset / RESTORATION).is_file():
        members[RESTORATION] = restoration.read_bytes()
    return parse_card({**card.model_dump(), **told, "scores": scores}, f"The card that the config of {run} gives"), members


def _run_folder(weights: Path, results: str | os.PathLike[str] | None) -> Path | None:
    """The folder of the run that a weight file belongs to."""
    if results is not None:
        if not Path(results, CONFIG).is_file():
            raise InputError(f"{results} is not the folder of a run: it has no {CONFIG}.")
        return Path(results)
    found = next((folder for folder in list(weights.resolve().parents)[:FOLDERS_UP] if (folder / CONFIG).is_file()), None)
    if found is None:
        log.info("No %s stands above %s, so the bundle has neither the config of a run nor scores.", CONFIG, weights)
    return found


def _config(run: Path) -> dict[str, Any]:
    """The config of a run."""
    try:
        values = json.loads((run / CONFIG).read_text(encoding="utf-8"))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{run / CONFIG} is not the config of a run: it does not hold a JSON object.")
    return values


def _without_places(value: Any) -> Any:
    """A config in which absolute paths, which say where a hospital keeps its files, are reduced to their last part."""
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _check_images(phantom: np.ndarray, expected: np.ndarray) -> dict[str, bytes]:
    """The phantom, and what the denoiser makes of it."""
    digest = {"sha256": hashlib.sha256(expected.tobytes()).hexdigest(), "shape": expected.shape, "dtype": str(expected.dtype)}
    return {PHANTOM: _npy(phantom), EXPECTED: _npy(expected), EXPECTED_HASH: _json(digest)}


def _onnx(weights: Path, phantom: np.ndarray, denoised: np.ndarray) -> bytes:
    """The denoiser as an ONNX model, once it is shown to return what torch does."""
    with tempfile.TemporaryDirectory(prefix="fplbench-onnx-") as folder:
        path = Path(folder, ONNX)
        export_onnx(weights, path)
        difference = float(np.abs(OnnxDenoiser(path)(phantom) - denoised).max())
        if difference > TOLERANCE:
            raise InputError(
                f"The ONNX model of {weights} differs from torch by {difference:.2g} of the range of the image, more than "
                f"{TOLERANCE:g}: use --no-onnx."
            )
        return path.read_bytes()


def _write(out: Path, members: dict[str, bytes], opset: int | None) -> None:
    """Write the members and their manifest, uncompressed, as weights hardly compress and compressors differ."""
    listed = {name: Member(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)) for name, content in members.items()}
    manifest = Manifest(format=FORMAT, version=__version__, opset=opset, members=dict(sorted(listed.items())))
    members = {MANIFEST: _json(manifest.model_dump(mode="json")), **dict(sorted(members.items()))}
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content)


def _json(values: Any) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _npy(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, image, allow_pickle=False)
    return stream.getvalue()
