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
    """

    name: str
    found: str
    faults: Sequence[str] = ()

    @property
    def lines(self) -> list[str]:
        """What the command prints about it."""
        verdict = f"{self.found}: {'FAILED' if self.faults else 'match'}"
        more = len(self.faults) - SHOWN_FAULTS
        return [
            f"{self.name:<9}{verdict}",
            *(f"{'':<9}{fault}" for fault in self.faults[:SHOWN_FAULTS]),
            *([f"{'':<9}and {more} more"] if more > 0 else []),
        ]


def counted(number: int, what: str, several: str = "") -> str:
    """A number with its noun: "1 file", "2,211 files"."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"
