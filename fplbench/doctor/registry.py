"""What a check of the installation declares, and what runs all of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fplbench.config import Config

Status = Literal["ok", "warning", "error"]
ORDER: tuple[Status, ...] = ("ok", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        status: `ok`; `warning` where something lacks, or is slower than it could be, but the benchmark runs; or `error`.
        found: what was found, in whole sentences.
        advice: what to do about it, in whole sentences; "" if nothing.
    """

    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Line:
    """A finding with the name of its check."""

    name: str
    finding: Finding

    def __str__(self) -> str:
        found = self.finding
        return f"{found.status:<8} {self.name:<10} {' '.join(filter(None, (found.found, found.advice)))}"


@dataclass(frozen=True)
class Place:
    """Where a run is to take place.

    Attributes:
        results: its folder of results, which need not exist yet.
        config: its config; None if none was given, or if it is wrong.
        configfiles: the files of this config.
        problem: what is wrong with the config that was given, a whole sentence; "" if nothing.
    """

    results: Path = Path("results")
    config: "Config | None" = None
    configfiles: Sequence[Path] = ()
    problem: str = ""


Check = Callable[[Place], Finding]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Decorator that registers a function `(place) -> finding` as a check; checks run in the order of their registration.

    Raises:
        ValueError: the name is taken.
    """

    def register(function: Check) -> Check:
        if name in CHECKS:
            raise ValueError(f"the check {name!r} is registered twice")
        CHECKS[name] = function
        return function

    return register


def examine(place: Place, checks: dict[str, Check]) -> Iterable[Line]:
    """Run checks one after the other. One that fails itself is an error in its line, and the others still run."""
    for name, function in checks.items():
        started = time.monotonic()
        try:
            finding = function(place)
        except Exception as error:  # whatever is wrong with this machine, the other checks are wanted
            said = " ".join(f"{type(error).__name__}: {error}".split())
            took = time.monotonic() - started
            finding = Finding("error", f"The check itself failed after {took:.0f} s: {said}", "Please report this line.")
        yield Line(name, finding)


def worst(findings: Iterable[Finding]) -> Finding:
    """Several findings as one: the worst status, and what was found and advised, the worst first."""
    ordered = sorted(findings, key=lambda one: -ORDER.index(one.status))
    return Finding(
        ordered[0].status,
        " ".join(one.found for one in ordered if one.found),
        " ".join(dict.fromkeys(one.advice for one in ordered if one.advice)),
    )
