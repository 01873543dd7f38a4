"""Join the sentences of a caption, and the words of a list."""

from collections.abc import Sequence

CLOSING = "\"')]’”"


def sentences(*parts: str) -> str:
    """Join texts with spaces, each ending in exactly one full stop or other closing mark; empty texts are left out."""
    stripped = [part.strip() for part in parts]
    return " ".join(part if part.rstrip(CLOSING)[-1:] in tuple(".!?") else f"{part}." for part in stripped if part)


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
