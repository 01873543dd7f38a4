"""Choosing files below a folder by the name of a folder, or by a pattern."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from fplbench.datasets.files import without_suffix

WILDCARD = re.compile(r"(\*+|\?|\[[^\]]+\])")


def name_within(path: str, pattern: str) -> str | None:
    """The name of a file without the part of its path that a pattern describes.

    A pattern without a slash is the name of a folder or file at any depth, outermost first. One with slashes starts at the
    root; `**` stands for any number of folders. Wildcards are those of a shell: `*`, `?` and `[...]`. Everything below a folder
    that fits belongs to it.

    Args:
        path: the path, relative to the root, with slashes.
        pattern: such as `clean`, `*Full Dose*`, `full_dose/*/soft` or `*_clean.png`.

    Returns:
        What tells the file from others that fit: the path without the suffix of an image and without the folders that the
        pattern names, but with those that it leaves open, as by `*` alone. Of a file that the pattern names itself, what its
        wildcards stand for. None if the file does not fit.
    """
    patterns = pattern.strip("/").split("/")
    kept = _kept(path.split("/"), patterns if len(patterns) > 1 else ["**", *patterns])
    return None if kept is None else without_suffix("/".join(kept))


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

    @cache  # several ** meet the same rest of the path again and again
    def kept(start: int, place: int) -> list[str] | None:
        if place == len(patterns):
            return list(parts[start:])
        if start == len(parts):
            return None
        first, part = patterns[place], parts[start]
        if first == "**":
            shorter = kept(start, place + 1)
            longer = kept(start + 1, place) if shorter is None else None
            return shorter if longer is None else [part, *longer]
        match = _expression(first).fullmatch(part)
        below = kept(start + 1, place + 1) if match else None
        if match is None or below is None:
            return None
        if first == "*":
            return [part, *below]
        return below if start + 1 < len(parts) else ["*".join(match.groups())]

    return kept(0, 0)


@lru_cache(maxsize=64)
def _expression(pattern: str) -> re.Pattern[str]:
    """The expression of a part of a pattern, with a group for each wildcard.

    A star takes as little as the text after it allows, and that is never tried again: what fits later fits no better, since only
    the end of the last text is fixed. Otherwise, many stars would take time that grows exponentially.
    """
    texts = [""]
    for piece in WILDCARD.split(pattern):
        if piece.startswith("*"):
            texts.append("")
        else:
            texts[-1] += _piece(piece)
    first, *between = texts
    if not between:
        return re.compile(first, re.DOTALL)
    last = between.pop()
    return re.compile(first + "".join(f"(?>(.*?){text})" for text in between) + f"(.*){last}", re.DOTALL)


def _piece(piece: str) -> str:
    if piece == "?":
        return "(.)"
    if WILDCARD.fullmatch(piece):
        letters = re.sub(r"([\\\[&~|])", r"\\\1", piece[1:-1])
        return f"([^{letters[1:]}])" if letters.startswith("!") else f"([{letters}])"
    return re.escape(piece)
