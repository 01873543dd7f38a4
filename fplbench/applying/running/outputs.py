"""Where the output of a run goes: to a folder beside it until all is finished, and then to its name in one step."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fplbench.applying.nifti.volume import SUFFIXES
from fplbench.applying.running.journal import SLICES
from fplbench.applying.running.output_checks import RECORD, check_apart, check_free, check_kind, check_name, check_no_link
from fplbench.datasets.files import check_folder
from fplbench.errors import InputError
from fplbench.files import write_text

STATE, LOCK = "state.json", ".lock"
FINISHED, REPLACED = "finished", "replaced-"
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class Output:
    """The output of a run.

    Attributes:
        path: its name.
        partial: the folder beside it in which the run works; it stays if the run is interrupted.
        files: the folder in it with what will be the output.
        work: the folder in it with what is noted of the run.
        single: whether it is a file, for an input that is one.
    """

    def __init__(self, path: Path, source: Path, kept: Iterable[Path], overwrite: bool) -> None:
        """Check that the output can be written.

        Args:
            path: its name.
            source: the input.
            kept: further files that must not be touched, such as that of the model.
            overwrite: whether an output that exists is replaced.

        Raises:
            InputError: it cannot be the name of a file, it exists, it is a link, it has another kind than the input, one is
                inside the other, or the folder is not writable.
        """
        check_name(path)
        self.path, self.partial = path, path.with_name(f"{path.name}.partial")
        self.files, self.work = self.partial / "output", self.partial / "work"
        self.single, self.overwrite = source.is_file(), overwrite
        for mine in (path, self.partial):
            check_apart(mine, source, kept)
        beside = self._beside_files() if self.single else []
        for mine in (path, self.partial, *beside):
            check_no_link(mine)
        check_kind(path, source)
        # Beside a single file, an interrupted run may have finished some of its files.
        for existing in [path, *([] if self.partial.exists() else beside)]:
            check_free(existing, source, overwrite)
        check_folder(path.parent)

    @property
    def suffix(self) -> str:
        """What the names of NIfTI files that are written end in."""
        return ".nii" if self.single and self.path.name.lower().endswith(".nii") else ".nii.gz"

    @contextmanager
    def claim(self, key: str) -> Iterator[None]:
        """Context in which the partial folder belongs to this run, new or as an interrupted run with the same key left it.

        It stays if an exception ends the run, unless no slice is finished. That of a run with another key is replaced only if an
        output that exists would be.

        Raises:
            InputError: it is that of a run with another key, or of none, or another process works in it.
        """
        state, lock = self.partial / STATE, self.partial / LOCK
        if self.partial.exists() and not self._is_ours(state, lock):
            raise InputError(f"{self.partial} exists and is not that of an interrupted run: move it away.")
        self.partial.mkdir(exist_ok=True)
        with open(lock, "w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"Another process is writing {self.path}: wait until it has finished.") from None
            if self._is_finished(state):
                self._clear()  # the run was interrupted while it tidied up
            if state.exists() and _read(state).get("key") != key:
                self._give_up()
            if not state.exists():
                write_text(state, json.dumps({"key": key}) + "\n")
            try:
                yield
            finally:
                if self.partial.exists() and not any(self.work.glob("*/" + SLICES)):
                    self._remove()  # nothing that the next run could use

    def finish(self, record: dict[str, Any]) -> list[Path]:
        """Give the output its name, once all files are written.

        Args:
            record: what apply.json says. For each of its scans, `outputs` names the files by kind (denoised, residual, features,
                quality), relative to the folder `files`; beside a single file they get other names, there and in the record.

        Returns:
            The files or the folder that were made, the main one first.

        Raises:
            InputError: a file that the record names is missing, so that the output would not be complete; or something that may
                not be replaced has its name.
        """
        for scan in record["scans"]:
            for kind, paths in scan["outputs"].items():
                for path in paths:
                    self._check_there(kind, path)
                    self._check_unused(self.files / path, self._beside(kind, path) if self.single else self.path)
        # From here on the output is complete, and is never made again from what is left in the partial folder.
        write_text(self.partial / STATE, json.dumps({**_read(self.partial / STATE), FINISHED: True}) + "\n")
        made = self._move_files(record) if self.single else self._move_folder(record)
        self._remove()
        return made

    def _move_files(self, record: dict[str, Any]) -> list[Path]:
        """Move the files of a single scan to their names, the main one last."""
        outputs = record["scans"][0]["outputs"]
        moved = [(self.files / path, self._beside(kind, path)) for kind, paths in outputs.items() for path in paths]
        named = {kind: [self._beside(kind, path).name for path in paths] for kind, paths in outputs.items()}
        beside = self._beside("apply", RECORD)
        write_text(beside, _text({**record, "scans": [{**record["scans"][0], "outputs": named}]}))
        for path, target in reversed(moved):
            if path.exists():  # else a run that was then interrupted has moved it
                path.replace(target)
        return [*(target for _, target in moved), beside]

    def _move_folder(self, record: dict[str, Any]) -> list[Path]:
        """Give the folder its name, after the one that it replaces has been moved into the partial folder."""
        write_text(self.files / RECORD, _text(record))
        old = self.partial / f"{REPLACED}{len([*self.partial.glob(REPLACED + '*')])}"
        if replaces := self.path.exists():
            self.path.rename(old)
        try:
            self.files.rename(self.path)
        except OSError:
            if replaces:
                old.rename(self.path)
            raise
        return [self.path]

    def _check_there(self, kind: str, path: str) -> None:
        """InputError unless a file waits to be moved, or has been moved by a run that was then interrupted."""
        if not (self.files / path).is_file() and not (self.single and self._beside(kind, path).is_file()):
            raise InputError(
                f"{self.files / path} has disappeared since it was written: delete {self.partial} and run the command again."
            )

    def _check_unused(self, waits: Path, target: Path) -> None:
        """InputError if a file waits to be moved, and what has its name may not be replaced."""
        if waits.exists() and os.path.lexists(target) and not self.overwrite:
            raise InputError(f"{target} exists: move it away, or add --overwrite, and run the command again; it continues.")

    def _give_up(self) -> None:
        """Empty the partial folder, which is that of another run; an output that this was to replace gets its name back.

        Raises:
            InputError: it may not be replaced.
        """
        if not self.overwrite:
            raise InputError(
                f"{self.partial} is that of an interrupted run with another input, model, options or software: repeat that "
                "command, or add --overwrite to begin anew."
            )
        replaced = sorted(self.partial.glob(REPLACED + "*"), key=lambda path: int(path.name.removeprefix(REPLACED)))
        if replaced and not os.path.lexists(self.path):
            replaced[-1].rename(self.path)
        self._clear()

    def _is_ours(self, state: Path, lock: Path) -> bool:
        """Whether what exists is the partial folder of a run, or empty."""
        return self.partial.is_dir() and (isinstance(_read(state).get("key"), str) or not {*self.partial.iterdir()} - {lock})

    def _is_finished(self, state: Path) -> bool:
        """Whether the partial folder is what is left of a run whose output has its name already."""
        return bool(_read(state).get(FINISHED)) and not any(path.is_file() for path in (self.files / "denoised").rglob("*"))

    def _remove(self) -> None:
        """Remove the partial folder; wherever that is interrupted, the next run knows what it is."""
        self._clear()
        (self.partial / LOCK).unlink(missing_ok=True)
        self.partial.rmdir()

    def _clear(self) -> None:
        """Empty the partial folder but for the lock; what says that the run has finished goes last."""
        for path in self.partial.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (STATE, LOCK):
                path.unlink()
        (self.partial / STATE).unlink(missing_ok=True)

    def _beside(self, kind: str, path: str) -> Path:
        """Where a file of a single scan goes: the output itself, or beside it."""
        if kind == "denoised":
            return self.path
        return self.path.with_name(f"{self.path.name.removesuffix(_suffix(self.path.name))}_{kind}{_suffix(path)}")

    def _beside_files(self) -> list[Path]:
        """The files that are always made beside a single one."""
        return [self._beside("quality", "page.html"), self._beside("apply", RECORD)]


@contextmanager
def full_disk_is_said(output: Output) -> Iterator[None]:
    """Context that turns the error of a full disk into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise _no_space(error, output) from None
        raise


def _no_space(error: OSError, output: Output) -> InputError:
    """The error for a full disk."""
    where = error.filename or output.partial
    return InputError(
        f"There is no space left to write {where}: free some and run the same command again; what is finished is kept in "
        f"{output.partial}."
    )


def _read(state: Path) -> dict[str, Any]:
    """What the state of a run says; empty if there is none, or if it is damaged."""
    try:
        values = json.loads(state.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _suffix(path: str) -> str:
    """The suffix of a file name, .nii.gz as a whole."""
    return next((path[-len(end) :] for end in reversed(SUFFIXES) if path.lower().endswith(end)), Path(path).suffix)


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"
