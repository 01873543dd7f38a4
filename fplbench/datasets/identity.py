"""Identifiers as shipped, or keyed hashes in their place."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from fplbench.errors import InputError

KEY_VARIABLE = "FPLBENCH_PSEUDONYM_KEY"


class Identity:
    """Turns identifiers into what may be written: themselves, or with `pseudonymise` a keyed hash (HMAC-SHA256).

    A plain hash of a patient number can be undone by hashing all numbers, so a key of 32 random bytes takes part. It is
    made at first use and kept in the user's configuration folder, or in the file named by FPLBENCH_PSEUDONYM_KEY; never
    among the results. The same key gives the same pseudonyms.
    """

    def __init__(self, pseudonymise: bool):
        self._key = _load_key() if pseudonymise else None

    def of(self, identifier: str) -> str:
        """What stands for an identifier: 16 hexadecimal digits of its keyed hash, or itself."""
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
        raise InputError(f"The key for pseudonyms, {path}, cannot be read or made: {error.strerror}.") from None
    if len(key) < 16:
        raise InputError(f"The key for pseudonyms, {path}, is shorter than 16 bytes; remove it to have a new one made.")
    return key
