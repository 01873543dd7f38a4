"""The jobs of any target, from Snakemake itself: a dry run in a process of its own, of which each job is recorded.

python -m fplbench.planning.asking JOBS.json ARGUMENTS OF SNAKEMAKE
"""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fplbench.errors import InputError

SNAKEFILE = Path("Snakefile")


@dataclass(frozen=True)
class Job:
    """A job as Snakemake plans it.

    Attributes:
        rule: its rule.
        wildcards: their values by name.
        threads: cores, no more than Snakemake was given.
        resources: memory, minutes and GPUs, where the rule states them.
        log: its log files.
        benchmark: the file with its measured time and memory; None if it has none.
    """

    rule: str
    wildcards: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    resources: Mapping[str, Any] = field(default_factory=dict)
    log: Sequence[str] = ()
    benchmark: str | None = None


class Recorder(logging.Filter):
    """Takes notice of the jobs that Snakemake announces to its logger. As a filter it stays when handlers are replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if getattr(record, "event", None) == "job_info":
            job = record.__dict__
            stated = {name: job["resources"].get(name) for name in ("mem_mb", "runtime", "gpu")}
            resources = {name: value for name, value in stated.items() if value is not None}
            wildcards = dict(job["wildcards"] or {})
            self.jobs.append(Job(job["rule_name"], wildcards, job["threads"], resources, list(job["log"]), job["benchmark"]))
        return True


def jobs_of(
    targets: Sequence[str], configfiles: Sequence[Path], snakefile: Path = SNAKEFILE, arguments: Sequence[str] = ()
) -> list[Job]:
    """All jobs of some targets, by rule, whatever results there are. Those that follow from the outcome of others are unknown.

    Args:
        targets: rules or files.
        configfiles: configs of the run; of several, later ones win.
        snakefile: the workflow.
        arguments: further ones of Snakemake.

    Raises:
        InputError: there is no workflow, or it cannot plan these targets; the sentence is Snakemake's.
    """
    require(snakefile)
    with tempfile.TemporaryDirectory(prefix="fplbench-") as folder:
        found = Path(folder, "jobs.json")
        command = [sys.executable, "-m", __name__, str(found), *targets, "--dry-run", "--forceall", "--cores", "all", "--nolock"]
        command += ["--snakefile", str(snakefile), "--configfile", *map(str, configfiles), *arguments]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode:
            said = [line for line in run.stdout.strip().splitlines() if not line.startswith(("Using workflow", "──"))]
            raise InputError("\n".join([f"Snakemake cannot plan {' '.join(targets)}:", *said]))
        jobs = [Job(**job) for job in json.loads(found.read_text(encoding="utf-8"))]
    return sorted(jobs, key=lambda job: (job.rule, sorted(job.wildcards.items())))


def require(snakefile: Path = SNAKEFILE) -> None:
    """Check that there is a workflow.

    Raises:
        InputError: there is none.
    """
    if not snakefile.exists():
        raise InputError(f"There is no {snakefile}: run this in the folder of the benchmark.")


def _main(out: str, *arguments: str) -> None:
    from snakemake.cli import main  # type: ignore[import-untyped]
    from snakemake.logging import logger  # type: ignore[import-untyped]

    recorder = Recorder()
    logger.addFilter(recorder)
    try:
        main(list(arguments))
    finally:
        Path(out).write_text(json.dumps([asdict(job) for job in recorder.jobs]), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
