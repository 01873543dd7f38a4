"""The exception whose message is written for the user."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """An error that the user can fix. The message says in whole sentences what is wrong, where, and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the known name that is closest to `name`, or all of them if none is close."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the known names are {', '.join(known)}."
