"""A program `fplbench` that starts at once: each of its commands is forked from a process that has imported torch already.

Most of the time of a tiny job is the start of Python and the import of torch. A command runs the same code in a process of its
own, but does not see whether Snakemake is still there, libraries do not see the variables that Snakemake sets for their threads,
and a signal that ends it is status 1: tests of signals and of lost processes use the real program.
"""

import contextlib
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    message = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(message).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(message)
    sys.exit((server.recv(1) or b"\\1")[0])
"""


@contextlib.contextmanager
def prestarted(repository: Path | None = None) -> Iterator[list[str]]:
    """Context with the folder that holds the program, to be put first in PATH; with none where processes cannot be forked safely.

    Args:
        repository: a copy of the repository whose package it runs.
    """
    if sys.platform != "linux":
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="fplbench-") as name:
        folder = Path(name)
        address, program = folder / "socket", folder / "bin" / "fplbench"
        program.parent.mkdir()
        (folder / "client.py").write_text(CLIENT)
        client = [sys.executable, "-IS", str(folder / "client.py"), str(address)]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n')
        program.chmod(0o755)
        variables = {**os.environ, "PYTHONPATH": str(repository)} if repository else None
        command = [sys.executable, "-P", __file__, str(address)]
        server = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert server.stdout.readline() == b"ready\n"
            yield [str(program.parent)]
        finally:
            server.stdin.close()  # it ends then, as it does when the tests are killed
            server.wait()


def serve(address: str) -> None:
    """Fork a process for each command, until nobody holds the other end of the standard input."""
    import torch  # noqa: F401

    import fplbench.cli

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the commands
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    listening.close()
                    os._exit(_run(connection, fplbench.cli.main))


def _run(connection: socket.socket, main) -> int:
    """Run the command that a client asks for as if it had started it; the exit status, which the client gets too."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    start, files, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as stream:
        words, folder, variables = json.loads(stream.read(int.from_bytes(start, "big")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["fplbench", *words]
    threading.Thread(target=_end_with_client, args=(connection,), daemon=True).start()
    status = _status_of(main)
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([status & 255]))
    return status


def _end_with_client(connection: socket.socket) -> None:
    """Wait until the client is gone, who says nothing more."""
    connection.recv(1)
    os._exit(1)


def _status_of(main) -> int:
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
