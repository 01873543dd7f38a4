"""A private Slurm of one node on the loopback address, with neither systemd nor munge nor a database."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
PACKAGES = "apt-get install --no-install-recommends slurmctld slurmd slurm-client"
SEARCHED = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])

# The node claims more cores and memory than the machine may have: jobs are small, and wait for nothing but the one GPU, a made-up
# one. Ended jobs stay in squeue (MinJobAge), so that tests can ask what they had.
CONFIG = """
ClusterName=fplbench
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MinJobAge=3600
JobRequeue=0
KillWait=5
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs() -> list[str]:
    """The programs of Slurm that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


@contextmanager
def running_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start the two daemons, wait until the node is idle, and end them with all of their jobs whatever happens.

    Args:
        folder: an empty folder for configuration, state and logs.

    Yields:
        The environment variables with which programs find this cluster.
    """
    variables = _write_files(folder)
    environment = {**os.environ, **variables}
    daemons: list[subprocess.Popen] = []
    try:
        for name in ("slurmctld", "slurmd"):
            program = shutil.which(name, path=SEARCHED)
            assert program is not None, f"{name} is missing: {PACKAGES}"
            command = [program, "-D", "-c"]
            with open(folder / f"{name}.out", "w") as output:
                daemons.append(
                    subprocess.Popen(command, env=environment, stdout=output, stderr=output, preexec_fn=_end_with_parent)
                )
        _wait_until_idle(folder, daemons, environment)
        yield variables
    finally:
        _end(daemons, environment)


def jobs_of(variables: dict[str, str]) -> list[dict[str, str]]:
    """Every job that the cluster has had, as scontrol shows it: its fields by their names."""
    environment = {**os.environ, **variables}
    output = subprocess.run(["scontrol", "--oneliner", "show", "job"], env=environment, capture_output=True, text=True).stdout
    lines = [line for line in output.splitlines() if line.startswith("JobId=")]
    return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]


def _write_files(folder: Path) -> dict[str, str]:
    """Write the configuration, and an srun that finds it; returns the environment variables that lead there."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    config = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    config.write_text(CONFIG.format(host=host, user=_user(), folder=folder, ports=_free_ports(2)))
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")  # without a file, the node would be invalid
    # Inside of a job, the executor plugin (jobstep 0.6.1) drops SLURM_CONF before it calls srun, which a cluster with its
    # configuration in /etc/slurm does not notice.
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF="{config}" exec "{shutil.which("srun", path=SEARCHED)}" "$@"\n')
    srun.chmod(0o755)
    return {"SLURM_CONF": str(config), "PATH": os.pathsep.join([str(srun.parent), SEARCHED])}


def _user() -> str:
    """Name of the user who runs the tests."""
    return pwd.getpwuid(os.getuid()).pw_name


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _end_with_parent() -> None:
    """Have the kernel end this process when its parent dies, so that killed tests leave no daemons."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _wait_until_idle(folder: Path, daemons: list[subprocess.Popen], environment: dict[str, str]) -> None:
    """Wait for the node.

    Raises:
        RuntimeError: a daemon ended, or the node is not idle after two minutes; with the ends of the logs.
    """
    deadline = time.monotonic() + 120
    state = ""
    while time.monotonic() < deadline and all(daemon.poll() is None for daemon in daemons):
        answer = subprocess.run(["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True)
        state = (answer.stdout + answer.stderr).strip()
        if answer.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    paths = sorted([*folder.glob("*.log"), *folder.glob("*.out")])
    logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in paths)
    raise RuntimeError(f"Slurm did not start; its node is {state!r}.\n{logs}")


def _end(daemons: list[subprocess.Popen], environment: dict[str, str]) -> None:
    """Cancel what still runs and wait for its end, as jobs outlive the daemons; then end these."""
    if len(daemons) == 2 and all(daemon.poll() is None for daemon in daemons):
        subprocess.run(["scancel", f"--user={_user()}"], env=environment, capture_output=True, timeout=60)
        deadline = time.monotonic() + 60
        queue = ["squeue", "--noheader"]
        while subprocess.run(queue, env=environment, capture_output=True).stdout and time.monotonic() < deadline:
            time.sleep(0.5)
    for daemon in reversed(daemons):
        daemon.terminate()
        try:
            daemon.wait(timeout=15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
