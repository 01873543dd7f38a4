"""The one exception whose message is written for the person at the keyboard."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user can mend. The message is whole sentences: what is wrong, where, and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `name` put beside the closest known name, as the end of an error sentence."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(known)}."
