"""A model bundle: one .zip file with all that is needed to apply a trained denoiser, and to check that it still works."""

import errno
import hashlib
import json
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from fplbench.applying.models.cards import model_card
from fplbench.errors import InputError
from fplbench.networks.card import Card
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.stacks import map_array

FORMAT = 1
"""Version of the format. It rises when an older version of this package could not use a bundle."""
MANIFEST = "manifest.json"
CARD, WEIGHTS, EXPECTED_HASH, README = "card.json", "weights.safetensors", "expected.json", "README.txt"
PHANTOM, EXPECTED = "phantom.npy", "expected.npy"
CONFIG, RESTORATION, ONNX = "config.json", "restoration.safetensors", "model.onnx"
NEEDED = (README, CARD, WEIGHTS, PHANTOM, EXPECTED, EXPECTED_HASH)
OPTIONAL = (CONFIG, RESTORATION, ONNX)
LARGEST_TEXT, LARGEST_MEMBER, LARGEST = 2**20, 2**30, 2**31  # bytes, unpacked
CHUNK = 2**20
ENCRYPTED = 1  # a bit of the flags of an entry
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class Member(Options):
    """A file of a bundle."""

    sha256: str = Field(description="SHA-256 of its content, hexadecimal.")
    bytes: int = Field(ge=0, description="Its size.")


class Manifest(Options):
    """What a bundle holds."""

    format: int = Field(description="Version of the format of bundles.")
    version: str = Field(description="Version of fplbench that wrote it.")
    opset: int | None = Field(None, description="Version of ONNX's operators that the ONNX model uses; null: there is none.")
    members: dict[str, Member] = Field(description="Its files but the manifest, by name.")


@dataclass(frozen=True)
class Bundle:
    """An open bundle. Its files lie in a temporary folder, which is removed when the bundle is no longer used.

    Attributes:
        card: what the denoiser was trained on, with its scores.
        manifest: what the bundle holds.
        weights: the weight file of the denoiser.
        restoration: that of the restoration network that explains its images; None where there is none.
        onnx: the denoiser as an ONNX model; None where there is none.
        phantom: the image by which it is checked, float32 (H, W) in [0, 1].
        expected: that image, denoised, in 8 bit, uint8 (H, W).
        folder: the temporary folder.
    """

    card: Card
    manifest: Manifest
    weights: Path
    restoration: Path | None
    onnx: Path | None
    phantom: np.ndarray
    expected: np.ndarray
    folder: tempfile.TemporaryDirectory


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Unpack a bundle, and check that it is complete and undamaged.

    Args:
        path: a .zip file that `fplbench export-model` wrote. It may come from anywhere: only files that a bundle can have, within
            limits of size, are unpacked, and nothing in it is executed.

    Raises:
        InputError: it is not a bundle, was written by a later version, is damaged, or holds what a bundle does not hold.
    """
    if Path(path).suffix.lower() == ".safetensors":
        raise InputError(f"{path} is a weight file, not a bundle: `fplbench export-model` packs it into one.")
    folder = tempfile.TemporaryDirectory(prefix="fplbench-model-")
    place = Path(folder.name)
    with _opened(path) as archive:
        entries = _check_entries(path, archive)
        manifest = _manifest(path, archive, entries)
        for name, member in manifest.members.items():
            if _unpack(archive, entries[name], place / name) != member.sha256:
                raise InputError(f"{path} is damaged: the content of {name} is not what its manifest says. Get the bundle again.")
    card = model_card(_json(path, CARD, (place / CARD).read_bytes()), f"{CARD} of {path}")
    phantom, expected = (_array(path, place / name, dtype) for name, dtype in ((PHANTOM, "float32"), (EXPECTED, "uint8")))
    if phantom.shape != expected.shape:
        raise InputError(f"{path} is damaged: its phantom and the expected image have different sizes.")
    optional = {name: place / name if name in manifest.members else None for name in OPTIONAL}
    return Bundle(card, manifest, place / WEIGHTS, optional[RESTORATION], optional[ONNX], phantom, expected, folder)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    """Context that yields the archive, in which whatever goes wrong becomes a sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"The bundle {path} does not exist.") from None
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before the begin of the file
            raise
        raise InputError(f"{path} is not a readable .zip file ({error}); get the bundle again.") from None


def _check_entries(path: str | os.PathLike[str], archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries of an archive by name, none of which is dangerous to unpack."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.orig_filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise InputError(f"{path} is refused: it holds {name!r}, which would be unpacked outside of its folder.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{path} is refused: {name!r} is a link.")
        if name not in (MANIFEST, *NEEDED, *OPTIONAL):
            raise InputError(f"{path} is refused: it holds {name!r}, which is not a file of a model bundle.")
        if entry.flag_bits & ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path} is refused: {name} is encrypted or compressed in another way than bundles are.")
        if name in entries:
            raise InputError(f"{path} is refused: it holds {name!r} twice.")
        entries[name] = entry
    limits = {name: LARGEST_TEXT if name.endswith((".json", ".txt")) else LARGEST_MEMBER for name in entries}
    for name, entry in entries.items():
        if entry.file_size > limits[name]:
            raise InputError(f"{path} is refused: {name} has {entry.file_size:,} bytes, more than the {limits[name]:,} allowed.")
    if (total := sum(entry.file_size for entry in entries.values())) > LARGEST:
        raise InputError(f"{path} is refused: its files have {total:,} bytes, more than the {LARGEST:,} allowed.")
    return entries


def _manifest(path: str | os.PathLike[str], archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> Manifest:
    """The manifest, which must list exactly the entries."""
    if MANIFEST not in entries:
        raise InputError(f"{path} is not a model bundle: it has no {MANIFEST}. `fplbench export-model` writes bundles.")
    values = _json(path, MANIFEST, archive.read(entries[MANIFEST]))
    if values.get("format") != FORMAT:
        wrote = f"which fplbench {values.get('version')} wrote, but this version reads format {FORMAT}"
        raise InputError(
            f"{path} has format {values.get('format')!r}, {wrote}: install a newer fplbench, or export the model again."
        )
    manifest = parse_options(Manifest, values, f"{MANIFEST} of {path}")
    listed, there = {*manifest.members}, {*entries} - {MANIFEST}
    if wrong := sorted(listed ^ there | {*NEEDED} - listed):
        state = "is missing" if wrong[0] not in there else "is not listed in its manifest"
        raise InputError(f"{path} is damaged: {wrong[0]} {state}. Get the bundle again.")
    return manifest


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> str:
    """Write an entry to a file of its declared size at most, and return the SHA-256 of its content."""
    digest, left = hashlib.sha256(), entry.file_size
    with archive.open(entry) as source, open(target, "wb") as stream:
        while left > 0 and (chunk := source.read(min(CHUNK, left))):
            left -= len(chunk)
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def _json(path: str | os.PathLike[str], name: str, content: bytes) -> dict[str, Any]:
    """The JSON object of a member."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{path} is damaged: {name} is not a JSON object. Get the bundle again.")
    return values


def _array(path: str | os.PathLike[str], file: Path, dtype: str) -> np.ndarray:
    """The image of a member."""
    try:
        image = np.array(map_array(file))
    except (OSError, ValueError):
        image = None
    if image is None or image.dtype != dtype or image.ndim != 2 or 0 in image.shape:
        raise InputError(f"{path} is damaged: {file.name} is not a {dtype} image. Get the bundle again.")
    return image
