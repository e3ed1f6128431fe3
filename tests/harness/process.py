"""A program under test. Its output is a file: nothing blocks on a pipe, and a failure can show it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from tests.harness import forked
from tests.harness.until import until

_TAIL = 3000  # characters of output in a failure's message
ROOT = Path(__file__).parents[2]


class Child(Protocol):
    """What runs: spawned, or forked."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def write(self, text: bytes) -> None: ...
    def kill(self) -> None: ...


class Process:
    """Runs until it ends or is killed; `with` kills what is left."""

    def __init__(self, arguments: Sequence[object], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._child = self._start([str(one) for one in arguments], {**os.environ, **(environment or {})})

    @classmethod
    def python(cls, arguments: Sequence[object], log: Path, environment: Mapping[str, str] | None = None) -> "Process":
        """Run `python -m …`; one that shall find other modules is not forked from what has found them."""
        if arguments[0] in forked.MODULES and "PYTHONPATH" not in (environment or {}):
            return _Forked(arguments, log, environment)
        return cls([sys.executable, "-m", *arguments], log, environment)

    def _start(self, arguments: list[str], environment: Mapping[str, str]) -> Child:
        return _Spawned(arguments, self.log, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def lines(self, beginning: str) -> list[str]:
        """Return what it printed, line by line, that begins so."""
        return [line for line in self.output.splitlines() if line.startswith(beginning)]

    def said(self, beginning: str, *, times: int = 1, within: float = 60.0) -> None:
        """Wait until it printed such a line so often; an ended process fails at once."""
        until(
            lambda: len(self.lines(beginning)) >= times or not self.running,
            within=within,
            what=lambda: f"{beginning!r} in {self.output[-_TAIL:]}",
        )
        assert len(self.lines(beginning)) >= times, self.output[-_TAIL:]

    def type(self, line: str) -> None:
        """Write a line to its standard input."""
        self._child.write(f"{line}\n".encode())

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def ended(self, *, within: float = 60.0) -> int:
        """Wait for the end; return the exit code, -N for signal N."""
        until(lambda: not self.running, within=within, what=lambda: f"end of {self.pid}: {self.output[-_TAIL:]}")
        return self._child.wait()

    def kill(self) -> None:
        """Kill it now and wait for its end."""
        self._child.kill()


class _Forked(Process):
    def _start(self, arguments: list[str], environment: Mapping[str, str]) -> Child:
        return forked.Forked(arguments, self.log, environment)


class _Spawned:
    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )
        assert self._popen.stdin is not None
        self._stdin = self._popen.stdin
        self.poll, self.wait, self.send_signal = self._popen.poll, self._popen.wait, self._popen.send_signal

    @property
    def pid(self) -> int:
        return self._popen.pid

    def write(self, text: bytes) -> None:
        self._stdin.write(text)
        self._stdin.flush()

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._stdin.close()
