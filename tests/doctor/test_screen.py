"""What a failed run puts on the screen, from records such as Snakemake's logger makes."""

import logging
import logging.handlers
import queue
import signal

import pytest
from snakemake.exceptions import LockException

from fplbench.doctor.screen import LOCKED, FailedJobs, PlainErrors, last_lines, shorten

COMMAND = "fplbench noise gaussian --out-dir 'a folder' > {log} 2>&1"


@pytest.fixture
def logger():
    """A logger with a queue, as Snakemake sets it up for a plugin that writes to the screen."""
    logger = logging.Logger("snakemake", logging.INFO)
    logger.addHandler(logging.handlers.QueueHandler(queue.Queue()))
    return logger


def on_screen(logger: logging.Logger) -> list[logging.LogRecord]:
    found = logger.handlers[0].queue
    return [found.get() for _ in range(found.qsize())]


def fail(logger: logging.Logger, log, status: int | str = 1, jobid: int = 3) -> None:
    """The records of one failed job, in Snakemake's order."""
    ended = f"returned non-zero exit status {status}" if isinstance(status, int) else status
    job = {"jobid": jobid, "rule_name": "synthesize_noise", "log": [str(log)]}
    command = COMMAND.format(log=log)
    error = (
        f"RuleException:\nCalledProcessError in file \"noise.smk\", line 25:\nCommand 'set -euo pipefail;  {command}' {ended}."
    )
    logger.info("job", extra={"event": "job_info", "rule_msg": "Adding gaussian to lits", **job})
    logger.error(error, extra={"event": "error"})
    logger.error("Error in rule", extra={"event": "job_error", "shellcmd": command, **job})


def summary_of(logger: logging.Logger, log, status: int | str = 1) -> str:
    jobs = FailedJobs()
    shorten(jobs, logger)
    fail(logger, log, status)
    return jobs.summary()


def test_the_summary_names_the_job_its_sentence_and_its_log(logger, tmp_path):
    log = tmp_path / "noise.log"
    log.write_text("Reading.\nfplbench: The folder x does not exist: set datasets.lits.root.\n")
    assert summary_of(logger, log).splitlines() == [
        "1 job failed:",
        "  Adding gaussian to lits (synthesize_noise): The folder x does not exist: set datasets.lits.root.",
        f"    Log: {log}",
    ]


def test_a_run_without_failed_jobs_has_no_summary(logger):
    jobs = FailedJobs()
    shorten(jobs, logger)
    logger.info("Building DAG of jobs...")
    assert jobs.summary() == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (137, ("killed", "memory", "--cores")),
        ("died with <Signals.SIGKILL: 9>", ("killed", "memory")),
        (143, ("told to end",)),
        (128 + signal.SIGILL, ("another processor", "fplbench doctor")),
        (128 + signal.SIGSEGV, ("crashed", "SIGSEGV")),
        (2, ("without a word in its log",)),
    ],
)
def test_a_job_that_left_an_empty_log_is_explained_by_its_exit_status(logger, tmp_path, status, words):
    log = tmp_path / "noise.log"
    log.touch()
    assert all(word in summary_of(logger, log, status) for word in words)


def test_an_error_of_the_program_is_told_from_one_of_the_user(logger, tmp_path):
    log = tmp_path / "noise.log"
    log.write_text("Traceback (most recent call last):\n  File 'x.py', line 1, in f\nValueError: shapes differ\n")
    assert "ValueError: shapes differ (an error of the program" in summary_of(logger, log)


def test_the_screen_has_the_last_lines_and_not_the_command(logger, tmp_path):
    log = tmp_path / "noise.log"
    log.write_text("".join(f"step {step}\n" for step in range(1000)))
    jobs = FailedJobs()
    shorten(jobs, logger)
    fail(logger, log)
    shown = on_screen(logger)
    assert not any("pipefail" in record.getMessage() for record in shown)
    assert all(record.log == [] for record in shown if hasattr(record, "log"))  # the plugin would print these from end to end
    assert "step 999" in shown[-1].getMessage() and "step 900" not in shown[-1].getMessage()


def test_other_records_reach_the_screen_as_they_are(logger):
    shorten(FailedJobs(), logger)
    logger.error("Missing input", extra={"event": "error"})
    assert [record.getMessage() for record in on_screen(logger)] == ["Missing input"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"one\n\ntwo\n", ["one", "two"]),
        (b"10 %\r20 %\r30 %\n", ["30 %"]),
        (b"5 \xb5m\n", ["5 \N{REPLACEMENT CHARACTER}m"]),
        (b"\x1b[2Jgone\n", [" [2Jgone"]),  # would clear the terminal
        (b"x" * 100_000, ["x" * 2000]),
        (b"", []),
    ],
)
def test_any_log_can_be_shown(tmp_path, content, lines):
    log = tmp_path / "a.log"
    log.write_bytes(content)
    assert last_lines(log) == lines


def test_a_log_that_is_not_there_has_no_lines(tmp_path):
    assert last_lines(tmp_path / "missing.log") is None


def plain(message: str) -> str:
    record = logging.LogRecord("snakemake", logging.ERROR, "", 0, message, None, None)
    record.event = "error"
    assert PlainErrors(lambda: ("Targets are files.", ["gaussian", "lits", "train"])).filter(record)
    return record.getMessage()


def test_a_sentence_for_the_user_comes_without_its_place_in_the_rules():
    place = 'File "/x/common.smk", line 3, in <module>'
    message = f'WorkflowError in file "/x/workflow/rules/common.smk", line 3:\nA key\nis 50 %.\n  {place}'
    assert plain(message) == "A key\nis 50 %."


def test_the_place_in_a_rule_file_of_the_user_stays():
    message = 'WorkflowError in file "/x/mine.smk", line 3:\nNo.\n  File "/x/mine.smk", line 3, in <module>'
    assert plain(message) == message


@pytest.mark.parametrize(
    ("target", "hint"),
    [("out/noisy/lits/gausian/train.npy", "for 'gausian', did you mean 'gaussian'?"), ("nonsense", "No rule makes nonsense. T")],
)
def test_a_wrong_target_is_told_which_there_are(target, hint):
    message = f"MissingRuleException:\nNo rule to produce {target} (if you use input functions make sure that they work)."
    assert hint in plain(message) and plain(message).endswith("Targets are files.")


def test_a_lock_comes_with_its_folder_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = str(LockException())  # Snakemake's own words
    assert plain(f"LockException:\n{text}") == LOCKED.format(folder=tmp_path)
    assert "cannot be locked" in plain(f"RuleException:\n{text}")


def test_a_mistake_in_the_syntax_of_a_rule_file_is_one_sentence():
    message = (
        'Traceback (most recent call last):\n\n  File "/site/parser.py", line 181, in error\n    raise SyntaxError(msg, 1)\n\n'
        '  File "mine.smk", line 2\n    input\n\nSyntaxError: Colon expected.\n\nIn handling it:\n\nKeyError: 2\n'
    )
    assert plain(message) == "The rule file mine.smk has a mistake in line 2, or shortly before. SyntaxError: Colon expected."


def test_a_full_disk_is_named():
    assert "The disk is full" in plain("WorkflowError:\nError recording metadata ([Errno 28] No space left on device).")
