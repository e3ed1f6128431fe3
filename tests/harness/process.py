"""A program under test. Its output is a file: nothing blocks on a pipe, and a failure can show it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.harness.until import until

_TAIL = 3000  # characters of output in a failure's message
ROOT = Path(__file__).parents[2]


class Process:
    """Runs until it ends or is killed; `with` kills what is left."""

    def __init__(self, arguments: Sequence[object], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [str(one) for one in arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @classmethod
    def python(cls, arguments: Sequence[object], log: Path, environment: Mapping[str, str] | None = None) -> Self:
        """Run `python -m …`."""
        return cls([sys.executable, "-m", *arguments], log, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def lines(self, beginning: str) -> list[str]:
        """Return what it printed, line by line, that begins so."""
        return [line for line in self.output.splitlines() if line.startswith(beginning)]

    def said(self, beginning: str, *, times: int = 1, within: float = 40.0) -> None:
        """Wait until it printed such a line so often; an ended process fails at once."""
        until(
            lambda: len(self.lines(beginning)) >= times or not self.running,
            within=within,
            what=lambda: f"{beginning!r} in {self.output[-_TAIL:]}",
        )
        assert len(self.lines(beginning)) >= times, self.output[-_TAIL:]

    def type(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{line}\n".encode())
        self._popen.stdin.flush()

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def ended(self, *, within: float = 30.0) -> int:
        """Wait for the end; return the exit code, -N for signal N."""
        until(lambda: not self.running, within=within, what=lambda: f"end of {self.pid}: {self.output[-_TAIL:]}")
        return self._popen.wait()

    def kill(self) -> None:
        """Kill it now and wait for its end."""
        self._popen.kill()
        self._popen.wait()
        if self._popen.stdin:
            self._popen.stdin.close()
