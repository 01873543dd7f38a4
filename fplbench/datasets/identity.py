"""Identifiers of patients, images and files: unchanged, or replaced by keyed hashes."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from fplbench.errors import InputError

KEY_VARIABLE = "FPLBENCH_PSEUDONYM_KEY"


class Identity:
    """Converts identifiers to the form in which they are written: unchanged, or a keyed hash (HMAC-SHA256).

    A plain hash of a patient number can be reversed by hashing all possible numbers, so the hash uses a key of 32 random
    bytes. The key is created at first use and stored in the user's configuration folder, or in the file named by
    FPLBENCH_PSEUDONYM_KEY, never with the results. The same key gives the same pseudonyms.

    Args:
        pseudonymise: whether identifiers are replaced by hashes.

    Raises:
        InputError: the key cannot be read or created, or is too short.
    """

    def __init__(self, pseudonymise: bool) -> None:
        self._key = _load_key() if pseudonymise else None

    def of(self, identifier: str) -> str:
        """The identifier itself, or 16 hexadecimal digits of its keyed hash."""
        if self._key is None:
            return identifier
        return hmac.new(self._key, identifier.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:16]


def _load_key() -> bytes:
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fplbench"
    path = Path(os.environ.get(KEY_VARIABLE) or folder / "pseudonym.key")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
        key = path.read_bytes()
    except OSError as error:
        raise InputError(f"The pseudonym key {path} cannot be read or created: {error.strerror}.") from None
    if len(key) < 16:
        raise InputError(f"The pseudonym key {path} is shorter than 16 bytes; delete it to have a new one created.")
    return key
