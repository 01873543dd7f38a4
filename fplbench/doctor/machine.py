"""Checks of the machine: cores, memory, disk, permissions, and the device that networks run on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from fplbench.doctor.registry import Finding, Place, Status, check, worst
from fplbench.files import nearest_existing
from fplbench.user_cache import user_cache

GB = 1e9
LITTLE_DISK = 2 * GB
"""Free bytes below which even small runs may fail; the results of the demo take a tenth of it."""
FEW_FILES = 10_000
LITTLE_MEMORY = 4 * GB
CGROUP = Path("/sys/fs/cgroup")
# In a process of its own: a torch that was built for another processor ends the process, and it must not end the doctor.
TORCH = """
import json, torch
found = {"version": torch.__version__, "cuda": torch.version.cuda, "devices": [], "why": ""}
layer = torch.nn.Conv2d(1, 2, 3)
layer(torch.ones(1, 1, 8, 8)).sum().backward()
try:
    if torch.version.cuda:
        torch.cuda.init()
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        layer.to(f"cuda:{number}")(torch.ones(1, 1, 8, 8, device=f"cuda:{number}")).sum().item()
        found["devices"].append({"name": torch.cuda.get_device_name(number), "free": free, "total": total})
except Exception as error:
    found["why"] = " ".join(str(error).split())
print(json.dumps(found))
"""


def torch_here() -> dict:
    """What torch says of itself and of GPUs.

    Raises:
        RuntimeError: torch cannot be imported, or cannot compute.
    """
    run = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, check=False, timeout=300)
    if run.returncode < 0:
        raise RuntimeError(f"torch was ended by {signal.Signals(-run.returncode).name}")
    if run.returncode:
        raise RuntimeError((run.stderr.strip().splitlines() or ["torch cannot be imported"])[-1])
    return json.loads(run.stdout.splitlines()[-1])


def driver() -> str | None:
    """Version of the NVIDIA driver, None if there is none."""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.split()[0] if run.returncode == 0 and run.stdout.split() else None


@check("torch")
def torch(place: Place) -> Finding:
    """Which torch there is, and which GPUs it can compute on."""
    try:
        found = torch_here()
    except RuntimeError as error:
        advice = (
            "Install a torch for this processor (and driver): https://pytorch.org/get-started. docs/environments.md says how."
        )
        return Finding("error", f"torch does not work: {error}.", advice)
    build = f"torch {found['version']}, built for {'CUDA ' + found['cuda'] if found['cuda'] else 'the CPU'}"
    installed = driver()
    if found["devices"]:
        devices = "; ".join(
            f"{one['name']}, {one['free'] / GB:.0f} of {one['total'] / GB:.0f} GB free" for one in found["devices"]
        )
        return Finding("ok", f"{build}. {devices}; driver {installed or 'unknown'}.")
    if installed and not found["cuda"]:
        advice = "Install the build for CUDA: docs/environments.md says how."
        return Finding("warning", f"{build}, so that the GPU of this machine is not used (driver {installed}).", advice)
    if installed:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        because = f"CUDA_VISIBLE_DEVICES is {hidden!r}" if hidden is not None else found["why"] or "no reason is given"
        advice = "Install a newer driver, or a torch for an older CUDA; in a container, ask for the GPU (`--gpus all`, `--nv`)."
        return Finding("warning", f"{build}, but it cannot use the GPU (driver {installed}): {because}.", advice)
    return Finding(
        "warning",
        f"{build}. There is no GPU: networks train on the CPU.",
        "That is enough for the demo and for classical methods; `fplbench plan` gives the hours on known devices.",
    )


def _number(path: Path, word: int = 0) -> float | None:
    """A number in a file of the kernel; None where there is no limit, or no such file."""
    try:
        return float(path.read_text(encoding="ascii").split()[word])
    except (OSError, ValueError, IndexError):
        return None


def cgroup_limits(root: Path = CGROUP, own: Path = Path("/proc/self/cgroup")) -> tuple[float | None, float | None]:
    """Cores and bytes of memory that the control groups of this process leave it; None for no limit.

    A limit of a parent holds too. Both versions of control groups are understood.
    """
    try:
        lines = [line.split(":", 2) for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None, None
    cores, memory = [], []
    for _, controllers, path in lines:
        top = root / controllers if controllers else root
        folder = top / path.strip("/")
        for part in [folder, *folder.parents[: len(folder.relative_to(top).parts)]]:
            period = _number(part / "cpu.max", 1) or _number(part / "cpu.cfs_period_us")
            quota = _number(part / "cpu.max") or _number(part / "cpu.cfs_quota_us")
            cores += [quota / period] if quota and period and quota > 0 else []
            limit = _number(part / "memory.max") or _number(part / "memory.limit_in_bytes")
            memory += [limit] if limit and limit < 2**60 else []  # version 1 writes a huge number for no limit
    return min(cores, default=None), min(memory, default=None)


def memory_here(meminfo: Path = Path("/proc/meminfo")) -> tuple[float, float]:
    """Bytes of memory of the machine: all, and what is available."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
    return float(lines["MemTotal"].split()[0]) * 1024, float(lines["MemAvailable"].split()[0]) * 1024


@check("cores")
def cores_and_memory(place: Place) -> Finding:
    """How many cores and how much memory there are for this process, with the limits of a container or a cluster's job."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    total, available = memory_here()
    allowed, limit = cgroup_limits()
    found = f"{usable} cores and {total / GB:.1f} GB of memory, {available / GB:.1f} GB of it available"
    found += f"; the control group allows {limit / GB:.1f} GB." if limit and limit < total else "."
    problems = []
    if allowed and allowed < usable - 0.5:
        least = max(1, int(allowed))
        problems.append(
            Finding(
                "warning",
                f"The control group allows {allowed:g} of {usable} cores.",
                f"Run `snakemake --cores {least}`: `all` counts {usable}.",
            )
        )
    room = min(available, limit or available)
    if room < LITTLE_MEMORY:
        said = f"Only {room / GB:.1f} GB can be used."
        problems.append(Finding("warning", said, f"Run one job at a time (--cores 1), or --resources mem_mb={int(room / 1e6)}."))
    return worst([*problems, Finding("ok", found)])


def space(name: str, folder: Path, setting: str, blocked: Status = "error") -> Finding:
    """Free space and free files where a folder is or would be, and whether it can be written to.

    Args:
        name: what the folder is for.
        folder: it need not exist yet.
        setting: what chooses the folder.
        blocked: status of a folder that cannot be written to.
    """
    there = nearest_existing(folder)
    found = f"{name}: {shutil.disk_usage(there).free / GB:.1f} GB free at {there}."
    try:
        with tempfile.TemporaryFile(dir=there) as stream:
            stream.write(b"x")
            stream.flush()
    except OSError as error:
        return Finding(
            blocked, f"{name}: {there} cannot be written to: {error.strerror}.", f"Another folder is chosen by {setting}."
        )
    files = os.statvfs(there)
    if files.f_files and files.f_favail < FEW_FILES:
        return Finding("warning", f"{found} No more than {files.f_favail} files can be made there.", "Delete files there.")
    if shutil.disk_usage(there).free < LITTLE_DISK:
        advice = f"Make room, or choose another folder: {setting}. `fplbench plan` says what a run takes."
        return Finding("warning", found, advice)
    return Finding("ok", found)


@check("disk")
def disk(place: Place) -> Finding:
    """Whether there is room, and permission to write, where results, Snakemake's records and temporary files are put."""
    return worst(
        [
            space("Results", place.results, "the key `results` of the config"),
            space("Records of Snakemake", Path(".snakemake"), "`snakemake --directory`"),
            space("Temporary files", Path(tempfile.gettempdir()), "the variable TMPDIR"),
            space("Caches", user_cache(), "the variable XDG_CACHE_HOME", blocked="warning"),
        ]
    )
