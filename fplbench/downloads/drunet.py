"""Download of DRUNet's published weights, with a check that the file is complete."""

import json
import logging
import os
import sys
from pathlib import Path

from tqdm import tqdm

from fplbench.downloads.connection import open_url
from fplbench.errors import InputError
from fplbench.files import file_hash, replacing, write_text
from fplbench.networks import weights

SOURCES = (
    "https://github.com/cszn/KAIR/releases/download/v1.0/drunet_gray.pth",
    "https://huggingface.co/deepinv/drunet/resolve/main/drunet_gray.pth",
)
CHUNK = 1 << 20  # bytes
TIMEOUT_SECONDS = 60

log = logging.getLogger(__name__)


def fetch_drunet(path: str | os.PathLike, sha256: str | None = None, sources: tuple[str, ...] = SOURCES) -> Path:
    """Download DRUNet's published weights (130 MB) from the first source that has them, and verify them.

    The authors publish no checksum. Instead, the names and shapes of the tensors are checked, and the hash of the
    downloaded file is saved next to it as {name}.json. Later calls compare the file with that hash. A complete file is
    not downloaded again.

    Args:
        path: the .pth file to write; missing folders are created.
        sha256: the expected hash; None uses the saved one, if there is one.
        sources: addresses to try, in order.

    Returns:
        `path`.

    Raises:
        InputError: the existing file has another hash, or no source provided DRUNet's weights with the expected hash.
    """
    path = Path(path)
    if path.suffix != ".pth":
        raise InputError(f"DRUNet's published weights are a .pth file: choose a name that ends in .pth, not {path}.")
    expected = sha256 or _recorded_hash(path)
    if path.exists():
        _check_hash(path, expected, str(path))
        weights.load(path)
        if not _record_path(path).exists():
            _write_record(path, source=None)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {path.parent} cannot be created: {error.strerror}.") from None
    return _fetch_from_first(sources, path, expected)


def _fetch_from_first(sources: tuple[str, ...], path: Path, expected: str | None) -> Path:
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
        f"DRUNet's weights could not be downloaded from {' or '.join(failures)}. "
        f"Obtain drunet_gray.pth another way and save it as {path}, or train your own (see docs/methods.md, on DPIR)."
    )


def _fetch(source: str, path: Path, expected: str | None) -> None:
    """Download to `path`; the file appears there only if it passes the checks."""
    with replacing(path) as temporary:
        _download(source, temporary)
        _check_hash(temporary, expected, "the downloaded file")
        weights.load(temporary)


def _download(source: str, path: Path) -> None:
    log.info("Downloading %s", source)
    with open_url(source, TIMEOUT_SECONDS) as response, open(path, "wb") as file:
        size = int(response.headers.get("Content-Length") or 0)
        with tqdm(total=size or None, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
            while data := response.read(CHUNK):
                bar.update(file.write(data))


def _check_hash(path: Path, expected: str | None, what: str) -> None:
    if expected is not None and (found := file_hash(path)) != expected:
        raise InputError(f"{what} has the SHA-256 {found}, not {expected}: it is damaged or a different file.")


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _recorded_hash(path: Path) -> str | None:
    record = _record_path(path)
    if not record.exists():
        return None
    try:
        return str(json.loads(record.read_text())["sha256"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{record} does not contain a hash: delete it to have it written again.") from None


def _write_record(path: Path, source: str | None) -> None:
    write_text(_record_path(path), json.dumps({"sha256": file_hash(path), "source": source}, indent=2) + "\n")
