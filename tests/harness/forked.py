"""`python -m …` of this project, forked from a process that has imported it all: those seconds are spent once.

What runs is the same program, in a process, a session and an environment of its own.
"""

import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from tests.harness import network

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.harness.preloaded"])
ROOT = Path(__file__).parents[2]
MODULES = frozenset({"gateway", "simulators", "tests.harness.launcher"})
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG: when the server that forked it ends
_LONGEST = 60.0  # seconds that a killed process may take to be gone


class Forked:
    """As much of `subprocess.Popen` as a test needs."""

    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        log.touch()
        reader, self._stdin = _SERVER.Pipe(duplex=False)
        self._process = _SERVER.Process(
            target=_run, args=(arguments, reader, log, dict(environment), str(ROOT)), daemon=True
        )
        self._process.start()
        reader.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, -N for signal N; None while it runs."""
        return self._process.exitcode

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        self._process.join(_LONGEST)
        assert self._process.exitcode is not None, f"{self.pid} does not end"
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def write(self, text: bytes) -> None:
        """Write to its standard input."""
        os.write(self._stdin.fileno(), text)

    def kill(self) -> None:
        """Kill it now and wait for its end."""
        self.send_signal(signal.SIGKILL)
        self.wait()
        self._stdin.close()


def _run(arguments: list[str], stdin: Connection, log: Path, environment: dict[str, str], folder: str) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)  # tests that are killed leave no process behind
    if network.NAMESPACE in environment:
        network.enter(Path(environment[network.NAMESPACE]))
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number, source in enumerate((stdin.fileno(), output, output)):
        os.dup2(source, number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process lives
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
