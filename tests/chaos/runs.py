"""A small benchmark with every kind of job, and what has to be the same whatever happened to it."""

import hashlib
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.workflow import ROOT, TRAINING, start_snakemake, write_config, write_volumes

LOCKED = "--unlock"
"""Snakemake's advice where an earlier run left its lock, or goes on."""
FOLDERS = ("scores", "lesion_scores", "validation", "feature_scores", "hashes", "tables")
SCORES = ("scores.csv", "lesions.md", *(f"{folder}/**/*" for folder in FOLDERS))
TARGETS = ("out/scores.csv", "out/lesions.md", "out/tables/lits.md")
STEPS = {**TRAINING, "steps": 6, "save_every": 2}


def prepare(folder: Path, results: str = "out", root: str = "volumes", **changes) -> Path:
    """Write the volumes and the config: one noise, inserted lesions, filters, two trainings; returns the folder."""
    write_volumes(folder / root, count=4)
    values = {
        "results": results,
        "datasets": {"lits": {"root": root}},
        "sampling": {"train": 4, "validation": 2, "test": 2, "size": 32},
        "noises": {"gaussian": {"sigma": 0.1}},
        "methods": {"noisy": {}, "fpl": {}, "median_filter": {}},
        "training": {"restoration": STEPS, "fpl": STEPS},
        "inserted": {"noises": ["gaussian"], "train": 2, "validation": 1, "test": 1},
        "fair": None,
        "protocol": "published",
        **changes,
    }
    write_config(folder, **values)
    return folder


@dataclass
class Run:
    """Snakemake in a folder of its own.

    Attributes:
        folder: with the config and the data.
        options: further arguments of Snakemake's.
        results: the folder of the results, from there.
        repository: with the Snakefile.
        started_in: where Snakemake starts, if not in the folder.
    """

    folder: Path
    options: tuple[str, ...] = ()
    results: str = "out"
    repository: Path = ROOT
    started_in: Path | None = None

    @property
    def out(self) -> Path:
        """The folder of the results."""
        return self.folder / self.results

    def start(self, *arguments: str, targets: tuple[str, ...] = TARGETS, prefix: tuple[str, ...] = ()) -> subprocess.Popen:
        """Start Snakemake; what it says is in the file `screen`, as jobs that outlive it hold its output open.

        Args:
            arguments: further arguments.
            targets: what is to be made, in the results folder `out`.
            prefix: a program with its arguments that starts Snakemake.
        """
        wanted = [target.replace("out/", f"{self.results}/", 1) for target in targets]
        place = self.started_in or self.folder
        options = ["--configfile", os.path.relpath(self.folder / "config.yaml", place), *self.options, *arguments]
        with open(self.folder / "screen", "w") as screen:
            return start_snakemake(place, *wanted, *options, repository=self.repository, output=screen, prefix=prefix)

    def said(self) -> str:
        """What the last Snakemake has said."""
        return (self.folder / "screen").read_text(encoding="utf-8", errors="replace")

    def end(self, *arguments: str, **options) -> int:
        """Start Snakemake and wait until it ends; returns its exit status."""
        return self.start(*arguments, **options).wait(timeout=600)

    def finish(self, *arguments: str, **options) -> Counter:
        """Run to the end, which must come; returns the number of jobs of each rule."""
        before = set(self._logs())
        status = self.end(*arguments, **options)
        assert status == 0, self.said()[-5000:]
        return self.jobs_since(before)

    def fail(self, *arguments: str, **options) -> str:
        """Run until it fails, which it must do without a traceback; returns what was said."""
        status = self.end(*arguments, **options)
        assert status != 0 and "Traceback" not in self.said(), self.said()[-5000:]
        return self.said()

    def unlock(self) -> None:
        """Remove the lock that a killed Snakemake has left, as it advises."""
        assert self.end("--unlock") == 0, self.said()

    def jobs_since(self, before: set[Path]) -> Counter:
        """Number of jobs of each rule that finished, by Snakemake's logs since."""
        texts = [path.read_text(errors="replace") for path in self._logs() if path not in before]
        return Counter(rule for text in texts for rule in re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", text))

    def _logs(self) -> list[Path]:
        return sorted((self.folder / ".snakemake" / "log").glob("*.log"))

    def scores(self) -> dict[str, str]:
        """Hashes of all scores and tables, by their paths; those of the scored stacks are among the files."""
        files = {
            path for pattern in SCORES for path in self.out.glob(pattern) if path.is_file() and not path.name.startswith(".")
        }
        return {path.relative_to(self.out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}

    def left_over(self) -> list[str]:
        """What killed jobs have left half written of stacks and weights."""
        half = re.compile(r"\..*\.[0-9a-f]{32}\.(npy|safetensors)")
        return sorted(path.name for path in self.out.rglob("*") if half.fullmatch(path.name))

    def clear(self) -> None:
        """Begin again from nothing."""
        shutil.rmtree(self.out)
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)
