"""What a failed run puts on the screen: for each failed job its reason, the last lines of its log, and where to read on.

Snakemake calls this through its logger. Its own log file, .snakemake/log/*.log, keeps every line.
"""

import copy
import difflib
import errno
import logging
import logging.handlers
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fplbench.doctor.memory import NOT_ENOUGH, says_memory_ran_out

LAST_LINES = 12
"""As many lines of a failed job's log are on the screen."""
LONGEST = 2000
"""Characters of a line that are shown: some programs draw progress bars without an end of line."""
LEAST_SPACE = 2**16
"""Bytes; a disk with less is full."""
OWN_CHECKS = ("common.smk", "checks.smk")
"""Rule files whose errors are sentences for the user: where in these files they arose helps nobody."""
KILLED = {
    signal.SIGKILL: "It was killed (signal 9), most often because memory ran out: `dmesg` or the cluster's report of the job says"
    " so. Run fewer jobs at once, with --cores or --resources mem_mb=...",
    signal.SIGTERM: "It was told to end (signal 15): by a person, a time limit or a shutdown.",
    signal.SIGINT: "It was interrupted (signal 2).",
    signal.SIGBUS: "It lost the memory of a file (signal 7): most often the disk is full.",
    signal.SIGILL: "A package was built for another processor (signal 4): `fplbench doctor` finds out which.",
}


@dataclass(frozen=True)
class Failure:
    """A failed job."""

    what: str
    """What the job did, with its rule."""
    logs: tuple[str, ...]
    status: int | None
    """Exit status of the shell: negative or above 128 after a signal; None if unknown."""

    @property
    def reason(self) -> str:
        """One line on why it failed: a full disk, the signal that ended it, or else the last line of its log."""
        if any(map(_is_full, self.logs)):  # which then says little
            return DISK_FULL
        if number := _signal(self.status):
            return KILLED.get(number, f"It crashed ({number.name}, signal {int(number)}).")
        lines = [line for log in self.logs for line in last_lines(log) or ()]
        if not lines:
            return "It failed without a word in its log."
        said = lines[-1].removeprefix("fplbench: ")
        if says_memory_ran_out(said):
            return NOT_ENOUGH
        if any(line.startswith("Traceback (most recent call last)") for line in lines) or re.match(r"\w+(\.\w+)*Error\b", said):
            return f"{said} (an error of the program, or of a method: the log has its traceback)"
        return said


class FailedJobs(logging.Handler):
    """Collects the failed jobs of a run from the records of Snakemake's logger."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[int, Failure] = {}
        self._purposes: dict[int, str] = {}
        self._statuses: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of a record."""
        event = getattr(record, "event", None)
        if event == "job_info":
            self._purposes[record.__dict__["jobid"]] = record.__dict__.get("rule_msg") or ""
        elif event == "error" and (found := re.search(STATUS, record.getMessage(), re.DOTALL)):
            command, status, died = found.groups()
            self._statuses[command] = int(status) if status else -int(died)
        elif event == "job_error":
            job = record.__dict__
            purpose = self._purposes.get(job["jobid"])
            what = f"{purpose} ({job['rule_name']})" if purpose else job["rule_name"]
            self.failures[job["jobid"]] = Failure(what, tuple(job["log"]), self._status(job.get("shellcmd")))

    def _status(self, shell_command: str | None) -> int | None:
        """Exit status of a command; Snakemake puts bash's strict mode before it."""
        return next((status for ran, status in self._statuses.items() if shell_command and shell_command.strip() in ran), None)

    def summary(self) -> str:
        """A paragraph on each failed job, the oldest first; empty if no job failed."""
        if not self.failures:
            return ""
        count = len(self.failures)
        lines = [f"{count} job{'s' if count > 1 else ''} failed:"]
        for failure in self.failures.values():
            lines.append(f"  {failure.what}: {failure.reason}")
            lines.extend(f"    Log: {log}" for log in failure.logs)
        return "\n".join(lines)


DISK_FULL = "The disk is full: make room, and run the same command again; what was finished is kept."
LOCKED = (
    "Another snakemake is at work in {folder}, or one was killed there and has left its lock. Wait until it ends; if none is "
    "running any more, give the same command once with --unlock, which removes the lock, and then without."
)
LOCK = "LockException:?\\s*\\nError: Directory cannot be locked"
STATUS = r"CalledProcessError.*\nCommand '(.*)' (?:returned non-zero exit status (\d+)|died with <Signals\.\w+: (\d+)>)"
WRONG_CONFIG = r'WorkflowError in file "([^"]*)", line \d+:\n(.*?)(?:\n  File "[^"]*", line \d+, in \S+)+\s*$'
NO_RULE = r"MissingRuleException:?\s*\nNo rule to produce (.*?) \(if you use input functions"

WRONG_SYNTAX = r'  File "([^"]*)", line (\d+)\n(?:(?!  File )[^\n]*\n)*?((?:Syntax|Indentation|Tab)Error: [^\n]*)'


def _signal(status: int | None) -> signal.Signals | None:
    """The signal that ended a job: the shell itself (negative status), or a program that it called (128 and the signal)."""
    number = 0 if status is None else -status if status < 0 else status - 128
    return signal.Signals(number) if number in set(signal.Signals) else None


def _is_full(path: str) -> bool:
    """Whether the disk of a file has no room any more."""
    try:
        disk = os.statvfs(Path(path).parent)
    except OSError:
        return False
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < LEAST_SPACE


def last_lines(path: str, count: int = LAST_LINES) -> list[str] | None:
    """The last lines of a log that are not empty, whatever its encoding; None if there is no such file.

    Of a progress bar, which a carriage return draws over and over, the last state counts.
    """
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as stream:
            written = (line.rstrip().rsplit("\r", 1)[-1] for line in stream)
            last = deque((line[:LONGEST] for line in written if line), count)
            return ["".join(sign if sign.isprintable() else " " for sign in line) for line in last]
    except OSError:
        return None


def shorten(jobs: FailedJobs, logger: logging.Logger) -> None:
    """Show the last lines of a failed job's log instead of all of it, and leave out the command, which the log file has.

    This concerns the screen alone, where a logger plugin writes to it, as `logger: rich` of the profile.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.handlers.QueueHandler):  # through which Snakemake feeds its plugins
            handler.addFilter(_Shortened(handler))
    logger.addHandler(jobs)


class _Shortened(logging.Filter):
    """Replaces records about failed jobs, for one handler."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self.handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        event = getattr(record, "event", None)
        if event == "error":
            return not re.search(STATUS, record.getMessage(), re.DOTALL)
        if event not in ("job_info", "job_error"):
            return True
        short = copy.copy(record)
        logs, short.__dict__["log"] = record.__dict__["log"], []
        self.handler.emit(short)
        for log in logs if event == "job_error" else ():
            lines = last_lines(log)
            text = "is empty." if lines == [] else "does not exist." if lines is None else "ends with:"
            text = "\n    ".join([f"The log {log} {text}", *(lines or ())])
            self.handler.emit(logging.LogRecord(record.name, logging.ERROR, "", 0, text, None, None))
        return False


class PlainErrors(logging.Filter):
    """Says what a user can do about errors: without the place in a rule file, what a target may be, whose lock it is.

    Args:
        targets: sentence on what targets there are, and the words that they are made of; called when there is no rule for one.
    """

    def __init__(self, targets: Callable[[], tuple[str, Sequence[str]]] = lambda: ("", ())) -> None:
        super().__init__()
        self.targets = targets

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every record passes."""
        if getattr(record, "event", None) != "error":
            return True
        message = record.getMessage()
        if (found := re.match(WRONG_CONFIG, message, re.DOTALL)) and Path(found[1]).name in OWN_CHECKS:
            record.msg = found[2]
        elif found := re.match(NO_RULE, message):
            record.msg = self._no_rule(found[1])
        elif message.startswith("Traceback") and (found := re.search(WRONG_SYNTAX, message)):
            record.msg = f"The rule file {found[1]} has a mistake in line {found[2]}, or shortly before. {found[3]}"
        elif re.match(LOCK, message):
            record.msg = LOCKED.format(folder=Path.cwd())
        elif os.strerror(errno.ENOSPC) in message:
            record.msg = f"{message}\n{DISK_FULL}"
        return True

    def _no_rule(self, target: str) -> str:
        sentence, words = self.targets()
        for part in re.split(r"[/.]", target):
            if part not in words and (close := difflib.get_close_matches(part, words, n=1, cutoff=0.75)):
                return f"No rule makes {target}: for {part!r}, did you mean {close[0]!r}? {sentence}"
        return f"No rule makes {target}. {sentence}"
