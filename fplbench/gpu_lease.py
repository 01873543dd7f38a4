"""Which GPU a process uses where several processes share several GPUs: a lease by file lock, which ends with its process."""

import fcntl
import logging
import os
import re
import stat
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fplbench.errors import InputError

log = logging.getLogger(__name__)

SHARE = "FPLBENCH_GPU_SHARE"
"""How many processes share a GPU. The workflow sets it for its jobs; without it, no process takes a lease."""
DEVICES = "FPLBENCH_GPUS"
"""Ids, separated by commas, in place of those of the GPUs of the machine: made up, to try leases without a GPU."""
HELD = "FPLBENCH_GPU_LEASE"
"""The lock file of the lease that this process holds, for those that it starts."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL = 1.0  # seconds between two looks for a free GPU


@dataclass
class Lease:
    """The right to use a GPU, until it is released or the process dies.

    Attributes:
        device: id of the GPU, as in CUDA_VISIBLE_DEVICES.
        path: the lock file of one of the places on it.
        descriptor: the open file that has the lock; None once it is released.
    """

    device: str
    path: Path
    descriptor: int | None

    def release(self) -> None:
        """Let another process have the place."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None


_leases: list[Lease] = []
"""The leases of this process."""


def _leave_to_parent() -> None:
    """Close the lock files in a child that was forked: with them open, it would hold the leases after its parent's death."""
    while _leases:
        _leases.pop().release()


os.register_at_fork(after_in_child=_leave_to_parent)


def lease_gpu() -> Lease | None:
    """Take a lease of a GPU for this process, wait for one if all are taken, and hide the other GPUs from the process.

    It has to be called before CUDA is initialised, which then sees that GPU alone. A process has one lease, however often this is
    called. Processes that it starts use its GPU without a lease of their own, as long as it holds it.

    Returns:
        The lease; None where the environment does not ask for leases, there is no GPU, or a parent holds the lease.

    Raises:
        InputError: the environment asks for leases with something that is no number, or the folder cannot be trusted.
    """
    share = asked_share()
    if share is None or _parent_holds_one():
        return None
    if not _leases:
        devices = usable_gpus()
        if not devices:
            return None
        _leases.append(take(devices, share, lease_folder()))
        log.info("Uses GPU %s%s.", _leases[0].device, f", which up to {share} processes share" if share > 1 else "")
        os.environ |= {VISIBLE: _leases[0].device, HELD: f"{os.getpid()} {_leases[0].path}"}
    return _leases[0]


def _parent_holds_one() -> bool:
    """Whether a process that started this one, or its parent, has a lease and still lives."""
    holder, _, path = os.environ.get(HELD, "").partition(" ")
    if not path or holder == str(os.getpid()) or not Path(path).exists():
        return False
    if found := _lock("", Path(path)):
        found.release()
        return False
    return _holder(Path(path)) == holder


def asked_share() -> int | None:
    """How many processes are to share a GPU; None where the environment does not ask for leases.

    Raises:
        InputError: the variable is not a number of at least 1.
    """
    text = os.environ.get(SHARE, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{SHARE} is {text!r}: it must be a whole number of at least 1, or not be set.")
    return int(text)


def usable_gpus() -> list[str]:
    """Ids of the GPUs that this process may use: those of CUDA_VISIBLE_DEVICES as CUDA reads it, else all, by number."""
    if made_up := os.environ.get(DEVICES):
        return [name.strip() for name in made_up.split(",") if name.strip()]
    import torch

    count = torch.cuda.device_count()  # unlike is_available, it leaves CUDA alone, so that what is visible can still be changed
    return visible(os.environ.get(VISIBLE), count)[:count]


def visible(text: str | None, count: int) -> list[str]:
    """The ids in a value of CUDA_VISIBLE_DEVICES: those before the first that is no device; None: as many as there are."""
    if text is None:
        return [str(number) for number in range(count)]
    ids: list[str] = []
    for name in map(str.strip, text.split(",")):
        if not re.fullmatch(r"\d+|(GPU|MIG)-.+", name):
            break
        ids.append(name)
    return ids


def lease_folder() -> Path:
    """The folder of the lock files: one of each user, in the folder for temporary files."""
    return Path(tempfile.gettempdir()) / f"fplbench-{os.getuid()}"


def lock_file(folder: Path, device: str, slot: int) -> Path:
    """The lock file of a place on a GPU.

    Jobs of Slurm have lock files of their own: Slurm has given each of them other GPUs, which may all have the number 0 there.
    """
    job = os.environ.get("SLURM_JOB_ID")
    name = f"slurm-{job}-gpu-{device}-{slot}" if job else f"gpu-{device}-{slot}"
    return folder / f"{re.sub(r'[^-.0-9A-Z_a-z]', '_', name)}.lock"


def take(devices: Sequence[str], share: int, folder: Path) -> Lease:
    """Take the first free place on a GPU, of which each has `share`; a GPU without a process comes before one that has some.

    Args:
        devices: ids of the GPUs, at least one.
        share: places on each.
        folder: where the lock files are.

    Raises:
        InputError: the folder belongs to someone else, or is not a folder.
    """
    places = [(device, lock_file(folder, device, slot)) for slot in range(share) for device in devices]
    waiting = False
    while True:
        _make(folder)
        for device, path in places:
            if lease := _lock(device, path):
                return lease
        if not waiting:
            holders = ", ".join(f"{device} by process {_holder(path)}" for device, path in places)
            log.warning("All GPUs are in use (%s): waiting until one is free.", holders)
        waiting = True
        time.sleep(POLL)


def _lock(device: str, path: Path) -> Lease | None:
    """Lock a file, if no one else has; the lock ends with the last process that has the file open."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW  # programs that are started do not get it
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not _is_still(descriptor, path):  # someone cleaned up between the two: another process may have locked a new file
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return Lease(device, path, descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one that has a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    """The process that has locked a file, as it has written there."""
    return path.read_text().strip() if path.exists() else ""


def _make(folder: Path) -> None:
    """Make a folder that no one else can write to, and refuse one that someone else has put there."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InputError(f"{folder}, where the leases of GPUs are, is not a folder of yours: remove it, or set TMPDIR.")
