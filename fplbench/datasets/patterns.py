"""Choosing files below a folder by the name of a folder, or by a pattern."""

import re
from collections.abc import Sequence
from functools import lru_cache

WILDCARD = re.compile(r"(\*+|\?|\[[^\]]+\])")
SUFFIX = re.compile(r"(?:\.nii)?\.[A-Za-z][A-Za-z0-9]{0,5}$")  # a unique identifier may end in a dot and digits


def name_within(path: str, pattern: str) -> str | None:
    """The name of a file without the part of its path that a pattern describes.

    A pattern without a slash is the name of a folder or file at any depth, outermost first. One with slashes starts at the
    root; `**` stands for any number of folders. Wildcards are those of a shell: `*`, `?` and `[...]`. Everything below a folder
    that fits belongs to it.

    Args:
        path: the path, relative to the root, with slashes.
        pattern: such as `clean`, `*Full Dose*`, `full_dose/*/soft` or `*_clean.png`.

    Returns:
        What tells the file from others that fit: the path without suffix and without the folders that the pattern names, but with
        those that it leaves open, as by `*` alone. Of a file that the pattern names itself, what its wildcards stand for. None if
        the file does not fit.
    """
    patterns = pattern.strip("/").split("/")
    kept = _kept(path.split("/"), patterns if len(patterns) > 1 else ["**", *patterns])
    return None if kept is None else SUFFIX.sub("", "/".join(kept))


def check_pattern(pattern: str) -> None:
    """Raise ValueError unless a pattern describes places below a folder."""
    parts = pattern.strip("/").split("/")
    if {"", ".", ".."} & {*parts}:
        raise ValueError(f"{pattern!r} is neither the name of a folder below the root nor a pattern.")
    for part in parts:
        try:
            _expression(part)
        except re.error:
            raise ValueError(f"{pattern!r} is not a pattern: the range in brackets is empty.") from None


def _kept(parts: Sequence[str], patterns: Sequence[str]) -> list[str] | None:
    """The parts of a path that patterns leave open; None if they do not fit."""
    if not patterns:
        return list(parts)
    if not parts:
        return None
    first, rest = patterns[0], patterns[1:]
    if first == "**":
        shorter = _kept(parts, rest)
        if shorter is not None:
            return shorter
        longer = _kept(parts[1:], patterns)
        return None if longer is None else [parts[0], *longer]
    match = _expression(first).fullmatch(parts[0])
    below = _kept(parts[1:], rest) if match else None
    if match is None or below is None:
        return None
    if first == "*":
        return [parts[0], *below]
    return below if len(parts) > 1 else ["*".join(match.groups())]


@lru_cache(maxsize=64)
def _expression(pattern: str) -> re.Pattern[str]:
    """The expression of a part of a pattern, with a group for each wildcard."""
    return re.compile("".join(_piece(piece) for piece in WILDCARD.split(pattern)), re.DOTALL)


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return "(.*)"
    if piece == "?":
        return "(.)"
    if WILDCARD.fullmatch(piece):
        letters = re.sub(r"([\\\[&~|])", r"\\\1", piece[1:-1])
        return f"([^{letters[1:]}])" if letters.startswith("!") else f"([{letters}])"
    return re.escape(piece)
