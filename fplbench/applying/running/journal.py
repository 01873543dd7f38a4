"""What a run has finished of a scan, kept in the partial folder, so that the same command continues there."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fplbench.files import write_text

SLICES = "slices.jsonl"
"""Name of the file with a line for each slice that is finished."""


class Journal:
    """The notes on one scan: what is decided before its first slice, and a line for each slice that is written.

    Attributes:
        files: the folder in which the files of the scan wait until all are complete.
    """

    def __init__(self, folder: Path) -> None:
        """Open the notes in a folder, which is made if needed."""
        folder.mkdir(parents=True, exist_ok=True)
        self.files = folder / "files"
        self._facts, self._slices = folder / "scan.json", folder / SLICES

    def facts(self) -> dict[str, Any] | None:
        """What `keep` noted; None if it did not."""
        return json.loads(self._facts.read_text()) if self._facts.exists() else None

    def keep(self, facts: dict[str, Any]) -> None:
        """Note what holds for the whole scan; it replaces earlier notes in one step."""
        write_text(self._facts, json.dumps(facts) + "\n")

    def add(self, statistics: dict[str, Any]) -> None:
        """Note that all files of a slice are written, and its statistics, which name it as `number`."""
        line = json.dumps(statistics, allow_nan=False) + "\n"
        with open(self._slices, "ab") as file:
            file.write(line.encode())

    def hand_over(self, paths: Iterable[str], target: Path) -> None:
        """Move files of the scan to where they belong, and remove what else an interrupted run has left.

        It can be repeated after an interruption.

        Args:
            paths: relative to `files`.
            target: the folder to which they are moved, under the same paths.
        """
        for path in paths:
            if (self.files / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (self.files / path).replace(target / path)
        shutil.rmtree(self.files, ignore_errors=True)

    def discard(self) -> None:
        """Remove the files that wait, and the notes that their slices are finished."""
        self._slices.unlink(missing_ok=True)
        shutil.rmtree(self.files, ignore_errors=True)

    def slices(self) -> dict[int, dict[str, Any]]:
        """The statistics of each slice that is written, by its number.

        A line that was interrupted is removed, so that the next one begins on a line of its own.
        """
        if not self._slices.exists():
            return {}
        content = self._slices.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._slices, whole)
        found = (json.loads(line) for line in content[:whole].splitlines())
        return {statistics["number"]: statistics for statistics in found}
