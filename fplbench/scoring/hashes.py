"""The SHA-256 of the stacks that were scored, which outlive stacks that are deleted afterwards."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import file_hash, write_text


@dataclass(frozen=True)
class ScoredHashes:
    """Hashes of the stacks of one data set and noise by the names of their files, without the ending.

    Attributes:
        clean: of the clean stacks, such as test.
        denoised: of the denoised ones, such as fpl and fpl_validation.
    """

    clean: dict[str, str]
    denoised: dict[str, str]


def write_hashes(path: str | os.PathLike[str], clean: Iterable[Path], denoised: Iterable[Path]) -> None:
    """Hash stacks directly after they were scored, while they are still in memory, and write a .json file.

    Args:
        path: the file to write.
        clean: the clean stacks, .npy.
        denoised: the denoised stacks, .npy.

    Raises:
        InputError: two stacks of the same kind have the same name.
    """
    hashes = {"clean": _by_name(clean), "denoised": _by_name(denoised)}
    write_text(path, json.dumps(hashes, indent=1) + "\n")


def read_hashes(path: str | os.PathLike[str]) -> ScoredHashes:
    """Read what `write_hashes` wrote.

    Raises:
        InputError: the file is missing, or is not such a file.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return ScoredHashes(dict(found["clean"]), dict(found["denoised"]))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} does not hold the hashes of scored stacks; score them again with --hashes.") from None


def _by_name(paths: Iterable[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        if path.stem in found:
            raise InputError(f"{path} is the second stack named {path.stem!r}: each needs a name of its own to be hashed.")
        found[path.stem] = file_hash(path)
    return found
