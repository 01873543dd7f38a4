"""The manifest of a run: the code, libraries, machine, config and files behind its numbers."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import fplbench
from fplbench.files import read_csv
from fplbench.reporting.manifest_files import file_states, scored_states

FORMAT = 2
"""Of run.json. The first one had no number, a few of the files, and their paths from the working directory."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def manifest(
    config: Mapping[str, Any],
    files: Iterable[str | os.PathLike[str]],
    folder: Path | None = None,
    hashes: Path | None = None,
) -> dict[str, Any]:
    """Describe a run.

    Args:
        config: the resolved config, which has the seed of the run.
        files: files to record with their SHA-256: data, noisy stacks, weights, scores, tables. One named cost.csv, the table of
            costs, says on which devices the methods ran.
        folder: folder of the run, from which paths are given; None gives them as they are.
        hashes: folder with the hashes of the denoised stacks that were scored, {dataset}/{noise}.json, of which
            those of the config's data sets and noises are read; None records none.

    Returns:
        JSON values: format, created (UTC), fplbench, git, python, packages, hardware, devices, threads, torch (its switches),
        seed, seeds, config, files, and outside (files that are not in the folder).

    Raises:
        InputError: a file is missing, or a clean stack has changed since it was scored.
    """
    paths = [Path(path) for path in files]
    inside, outside = file_states(paths, folder)
    denoised = {} if hashes is None else scored_states(hashes, inside, config)
    costs = [row for path in paths if path.name == "cost.csv" for row in read_csv(path, ("device",))]
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fplbench": fplbench.__version__,
        "git": git_state(Path(__file__).parent),
        "python": platform.python_version(),
        "packages": package_versions(),
        "hardware": hardware(),
        "devices": sorted({row["device"] for row in costs if row["device"]}),
        "threads": threads(),
        "torch": torch_switches(),
        "seed": config.get("seed"),
        "seeds": seeds(config),
        "config": dict(config),
        "files": {**denoised, **inside},
        "outside": outside,
    }


def seeds(config: Mapping[str, Any]) -> dict[str, Any]:
    """The seed of the run, from which each draw derives its own, and those of the trainings, one for each repeat."""
    seed = config.get("seed")
    trainings = [] if seed is None else [seed + repeat for repeat in range(config.get("repeats", 1))]
    return {"run": seed, "trainings": trainings}


def threads() -> dict[str, Any]:
    """The threads that torch uses in this process, and the variables by which Snakemake limits those of every job."""
    import torch

    return {
        "torch": torch.get_num_threads(),
        "environment": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
    }


def package_versions() -> dict[str, str]:
    """Versions of the libraries that fplbench depends on, by name; optional ones only if they are installed."""
    names = {re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0] for requirement in metadata.requires("fplbench") or []}
    versions = {}
    for name in sorted(names - {"fplbench"}, key=str.casefold):  # one of its extras may ask for others
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_state(folder: Path) -> dict[str, str | bool] | None:
    """Revision of the git repository that a folder is in, and whether files were modified; None without a revision."""
    if shutil.which("git") is None:
        return None
    revision = _output(["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"])
    if not revision:
        return None
    return {"revision": revision, "modified": bool(_output(["git", "-C", str(folder), "status", "--porcelain"]))}


def hardware() -> dict[str, str | int | list[str]]:
    """Operating system, processor, cores available to this process, memory in MiB, and names of NVIDIA GPUs."""
    gpus = shutil.which("nvidia-smi") and _output(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"])
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mib": _memory_mib(),
        "gpus": gpus.splitlines() if gpus else [],
    }


def torch_switches() -> dict[str, str | bool | int | None]:
    """How torch computes in this process: determinism, TF32, cuDNN's choice of kernels, and versions of its libraries."""
    import torch

    return {
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_tf32": torch.backends.cudnn.allow_tf32,
        "matmul_tf32": torch.backends.cuda.matmul.allow_tf32,
        "cublas_workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        model = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), re.MULTILINE)
        if model:
            return model[1].strip()
    return platform.processor() or platform.machine()


def _memory_mib() -> int:
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _output(command: list[str]) -> str:
    """Standard output of a command, "" if it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
