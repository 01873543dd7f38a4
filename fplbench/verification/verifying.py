"""All checks of a folder of results, in the order in which its files derive from each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import fplbench
from fplbench.reporting.manifest import git_state
from fplbench.verification.checks import Check
from fplbench.verification.collation import check_collation
from fplbench.verification.cost import check_cost
from fplbench.verification.hashes import check_config, check_hashes
from fplbench.verification.listing import leaving
from fplbench.verification.noisy import check_noisy
from fplbench.verification.pages import Writer, check_pages, check_report
from fplbench.verification.results import MANIFEST, Results, check_format
from fplbench.verification.scores import check_scores

HONESTY = "This shows that the files belong together, not that whoever made them was honest."
CHANGED = " with changes"
READ_ALONE = {"hashes", "config", "noisy"}
"""Checks that compute nothing again, so that the version does not matter."""


def verify(
    results: Results,
    pages: Mapping[str, Writer],
    report: Callable[[Path], None] | None = None,
    quick: bool = False,
    threads: int = 1,
) -> Iterator[Check]:
    """Check a folder of results, one check after the other.

    If a file leads out of the folder, the other checks, which would read it, are left out.

    Args:
        results: the run.
        pages: for each folder of files that derive from the scores, such as tables, what writes those of a data set, as the run
            did, into another folder.
        report: writes the report, as the run did, to a file; None leaves it out.
        quick: whether to compare hashes and the config only.
        threads: number of images that are scored at the same time.

    Yields:
        The outcome of each check.

    Raises:
        InputError: run.json is of another format, or this version cannot read its config.
    """
    check_format(results)
    links = leaving(results)
    yield check_hashes(results, links)
    if links:
        return
    yield check_config(results)
    if quick:
        return
    yield check_noisy(results)
    yield check_scores(results, threads)
    yield check_collation(results)
    yield check_cost(results)
    for name, write in pages.items():
        yield check_pages(results, name, write)
    if report is not None:
        yield check_report(results, report)


def verdict(results: Results, checks: Sequence[Check]) -> list[str]:
    """What the checks amount to, in sentences."""
    failed = [check.name for check in checks if check.faults]
    unchecked = [f"{check.unchecked} could not be checked" for check in checks if check.unchecked]
    if not failed:
        return [f"{results.folder} matches its {MANIFEST}{''.join(f', but {each}' for each in unchecked)}. {HONESTY}"]
    lines = [f"{results.folder} does not match: {', '.join(failed)}.{''.join(f' {each.capitalize()}.' for each in unchecked)}"]
    made, here = _version(results.manifest.get("fplbench"), results.manifest.get("git")), _version(fplbench.__version__, _git())
    if set(failed) - READ_ALONE and (made != here or CHANGED in made):
        lines.append(f"The run was made with fplbench {made}; this is {here}, which may score or write otherwise.")
    return lines


def _git() -> dict[str, str | bool] | None:
    return git_state(Path(__file__).parent)


def _version(number: object, git: object) -> str:
    if not isinstance(git, dict):
        return str(number)
    return f"{number}, revision {str(git.get('revision'))[:12]}{CHANGED if git.get('modified') else ''}"
