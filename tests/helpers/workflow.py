"""A tiny benchmark on made-up volumes: two noises, four methods, networks of width 2."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import nibabel
import numpy as np
import yaml

from tests.helpers.programs import heed_interrupts

ROOT = Path(__file__).parents[2]
PRESTARTED: list[str] = []
"""Folders with a program `fplbench` that starts at once, for `snakemake`; see `tests.helpers.prestarted`."""
TRAINING = {"width": 2, "steps": 4, "batch": 2, "warm_up": 1, "log_every": 2}


def snakemake(folder: Path, *arguments: str, repository: Path = ROOT) -> subprocess.CompletedProcess:
    """Run Snakemake in a folder of its own; returns the process with its output, both streams in one.

    Args:
        folder: where it runs.
        arguments: of its command line.
        repository: the repository, or a copy of it. Snakemake imports the package that lies beside the Snakefile.
    """
    process = start_snakemake(folder, *arguments, repository=repository, programs=PRESTARTED if repository == ROOT else ())
    output, _ = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def start_snakemake(
    folder: Path,
    *arguments: str,
    repository: Path = ROOT,
    output: int | IO[str] = subprocess.PIPE,
    prefix: tuple[str, ...] = (),
    programs: Sequence[str] = (),
) -> subprocess.Popen:
    """Start Snakemake as the leader of a group of processes, as a terminal does.

    Args:
        folder: where it runs.
        arguments: of its command line.
        repository: as for `snakemake`.
        output: what both streams go to.
        prefix: a program with its arguments that starts it, such as faketime.
        programs: folders that come first in PATH.
    """
    command = [*prefix, sys.executable, "-m", "snakemake", "--snakefile", str(repository / "Snakefile"), "--cores", "2"]
    path = os.pathsep.join([*programs, str(Path(sys.executable).parent), os.environ["PATH"]])  # the rules call `fplbench`
    return subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "1000"},  # wide enough that the logger breaks no sentence
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def plan(folder: Path, *arguments: str, repository: Path = ROOT) -> Counter:
    """Number of jobs of each rule that Snakemake would run."""
    output = snakemake(folder, "--dry-run", *arguments, repository=repository).stdout
    assert "Traceback" not in output and ("Job stats" in output or "Nothing to be done" in output), output[-3000:]
    # The table of the rich logger: "synthesize noise    2".
    rows = re.findall(r"^ ?(\w+(?: \w+)*) +(\d+) *$", output, re.MULTILINE)
    return Counter({rule.replace(" ", "_"): int(count) for rule, count in rows})


def write_config(folder: Path, name: str = "config.yaml", **changes) -> Path:
    """Write the tiny config with some sections replaced."""
    config = {
        "protocol": "fair",
        "results": "out",
        "datasets": {"lits": {"root": "volumes"}},
        "sampling": {"train": 6, "validation": 2, "test": 4, "size": 32},
        "noises": {"gaussian": {"sigma": 0.1}, "rician": {}},
        "methods": {"noisy": {}, "fpl": {}, "dpir": {}, "median_filter": {}},
        "training": {"restoration": TRAINING, "fpl": TRAINING, "drunet": {**TRAINING, "blocks": 1, "patch": 16}},
        "feature_error": ["gaussian"],
        "inserted": {"noises": ["gaussian"], "train": 2, "validation": 1, "test": 3},
        **changes,
    }
    path = folder / name
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
    return path


def write_volumes(folder: Path, count: int = 6, slices: int = 6) -> None:
    """Write made-up liver volumes and their masks as LiTS lays them out: a bright ball, the tumour, in a grey body."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    x, y, z = np.mgrid[:64, :64, :slices]
    for number in range(count):
        centre = random.uniform(20, 44, 2)
        volume = np.where((x - 32) ** 2 + (y - 32) ** 2 < 28**2, 40.0, -1000.0)
        ball = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 100 - z
        mask = np.where(ball, 2, volume > 0)
        volume[ball] = 150.0
        volume += random.normal(0, 10, volume.shape)
        for name, values in {"volume": volume.astype(np.int16), "segmentation": mask.astype(np.uint8)}.items():
            nibabel.save(nibabel.Nifti1Image(values, np.diag([2, 2, 3, 1])), folder / f"{name}-{number}.nii")
