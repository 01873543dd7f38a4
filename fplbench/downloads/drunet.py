"""DRUNet's published weights: where they are, and how a copy is known to be whole."""

import json
import logging
import os
import sys
import urllib.request
from pathlib import Path

from tqdm import tqdm

from fplbench.errors import InputError
from fplbench.files import file_hash, replacing
from fplbench.networks import weights

SOURCES = (
    "https://github.com/cszn/KAIR/releases/download/v1.0/drunet_gray.pth",
    "https://huggingface.co/deepinv/drunet/resolve/main/drunet_gray.pth",
)
BLOCK = 1 << 20
TIMEOUT_SECONDS = 60

log = logging.getLogger(__name__)


def fetch_drunet(path: str | os.PathLike, sha256: str | None = None, sources: tuple[str, ...] = SOURCES) -> Path:
    """Download DRUNet's published weights (130 MB), from the first place that has them, and check them.

    No checksum is published. So the tensors' names and shapes are checked, and the hash of what came is written beside
    the file, as {name}.json; a later call holds the file to it. A file that is whole is not fetched again.

    Args:
        path: the .pth file to write; missing folders are made.
        sha256: the hash that the file must have; None takes the recorded one, if there is one.
        sources: addresses to try, in order.

    Returns:
        `path`.

    Raises:
        InputError: the file is there with another hash, or no source could be reached that has DRUNet with that hash.
    """
    path = Path(path)
    if path.suffix != ".pth":
        raise InputError(f"DRUNet's published weights are a .pth file: name one that ends so, not {path}.")
    expected = sha256 or _recorded_hash(path)
    if path.exists():
        _check_hash(path, expected, path)
        weights.load(path)
        if not _record_path(path).exists():
            _write_record(path, source=None)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder of {path} cannot be made: {error}.") from None
    failures = []
    for source in sources:
        try:
            _fetch(source, path, expected)
        except (OSError, InputError) as error:
            failures.append(f"{source} ({error})")
        else:
            _write_record(path, source)
            return path
    raise InputError(
        f"DRUNet's weights could not be fetched from {' nor from '.join(failures)}. "
        f"Get drunet_gray.pth by other means and put it at {path}, or train one: docs/methods.md, the noise level of DPIR."
    )


def _fetch(source: str, path: Path, expected: str | None) -> None:
    """Download to `path`; the file appears there only if it is what it has to be."""
    with replacing(path) as temporary:
        _download(source, temporary)
        _check_hash(temporary, expected, "what came")
        weights.load(temporary)


def _download(source: str, path: Path) -> None:
    log.info("Fetching %s", source)
    with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as answer, open(path, "wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        with tqdm(total=size or None, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
            while block := answer.read(BLOCK):
                bar.update(file.write(block))


def _check_hash(path: Path, expected: str | None, origin) -> None:
    if expected is not None and (found := file_hash(path)) != expected:
        raise InputError(f"{origin} has the SHA-256 {found}, not {expected}: it is damaged, or another file.")


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _recorded_hash(path: Path) -> str | None:
    record = _record_path(path)
    if not record.exists():
        return None
    try:
        return json.loads(record.read_text())["sha256"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{record} is not the record of a hash: delete it to have it made again.") from None


def _write_record(path: Path, source: str | None) -> None:
    with replacing(_record_path(path)) as temporary:
        temporary.write_text(json.dumps({"sha256": file_hash(path), "source": source}, indent=2) + "\n")
