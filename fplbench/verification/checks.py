"""What a check of a folder of results found."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_FAULTS = 5


@dataclass(frozen=True)
class Check:
    """The outcome of a check.

    Attributes:
        name: what was checked, in a word.
        found: how much of it, in a sentence without a full stop.
        faults: what does not match, each with the name of the file; empty if everything does.
        notes: what else there is to say, each on a line of its own.
        unchecked: what could not be checked, such as "the scores of 3 stacks"; "" if everything could.
        nothing: whether nothing at all could be checked.
    """

    name: str
    found: str
    faults: Sequence[str] = ()
    notes: Sequence[str] = ()
    unchecked: str = ""
    nothing: bool = False

    @property
    def lines(self) -> list[str]:
        """What the command prints about it."""
        verdict = "FAILED" if self.faults else "not checked" if self.nothing else "match"
        more = len(self.faults) - SHOWN_FAULTS
        below = [*self.faults[:SHOWN_FAULTS], *([f"and {more:,} more"] if more > 0 else []), *self.notes]
        return [f"{self.name:<9}{self.found}: {verdict}", *(f"{'':<9}{line}" for line in below)]


def counted(number: int, what: str, several: str = "") -> str:
    """A number with its noun: "1 file", "2,211 files"."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"
