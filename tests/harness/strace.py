"""System calls of a running process watched, or failing: strace attached to it for a while."""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.harness.process import Process
from tests.harness.required import required
from tests.harness.until import until

# What changes a file, or makes a change last. SQLite's shared memory is mapped and never outlives a crash.
WRITES = (
    "write", "writev", "pwrite64", "pwritev", "ftruncate", "fallocate",
    "fsync", "fdatasync", "sync_file_range",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat",
)  # fmt: skip
KILL = "signal=KILL"
_DETACHED = 3.0  # s
_INJECTED = "(INJECTED)"
_KILLED = "+++ killed by SIGKILL +++"
_CALL = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<arguments>.*)")


class Point(NamedTuple):
    """The `number`-th time (from 1) that a thread makes this call while it is watched."""

    call: str
    number: int


def error(name: str) -> str:
    """Return the fault that a call fails with, such as ENOSPC, without having done anything."""
    return f"error={name}"


class Trace:
    """What strace wrote down of one process and all its threads."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def points(self, folder: Path) -> set[Point]:
        """Return the calls on files in `folder`, numbered as an injection counts: all calls of a name by a thread."""
        times: Counter[tuple[str, str]] = Counter()
        found: set[Point] = set()
        for thread, name, arguments in self._calls():
            times[thread, name] += 1
            if str(folder) in arguments:
                found.add(Point(name, times[thread, name]))
        return found

    @property
    def injected(self) -> bool:
        """Whether the fault happened."""
        return _INJECTED in self._text() or self.killed

    @property
    def killed(self) -> bool:
        """Whether the process was killed."""
        return _KILLED in self._text()

    def _calls(self) -> Iterator[tuple[str, str, str]]:
        for found in filter(None, map(_CALL.match, self._text().splitlines())):
            yield found["thread"], found["name"], found["arguments"]

    def _text(self) -> str:
        return self._log.read_text("utf-8", errors="replace")


@contextmanager
def traced(pid: int, log: Path, fault: str = "") -> Iterator[Trace]:
    """Watch the process, its threads and those to come until the end of the block.

    `fault`: how a point of it fails (see `injection`), or every call of some names. Each thread counts its calls from
    the beginning, also one that recovers from the fault: so leave the block as soon as the fault was injected.
    """
    log.unlink(missing_ok=True)
    inject = ("-e", f"inject={fault}") if fault else ()
    calls = ",".join(WRITES)
    program = (required("strace"), "-f", "-y", "-o", log, "-e", f"trace={calls}", *inject, "-p", pid)
    with Process(program, log.with_suffix(".err")) as strace:
        until(lambda: _attached(pid) or not strace.running, what=f"strace at {pid}")
        yield Trace(log)
        strace.signal(signal.SIGINT)
        with suppress(AssertionError):  # at a thread that was just ending it hangs; then the kernel detaches it
            strace.ended(within=_DETACHED)


def injection(point: Point, fault: str) -> str:
    """Return the fault at one point, once."""
    return f"{point.call}:{fault}:when={point.number}"


def _attached(pid: int) -> bool:
    tracers = set()
    with suppress(FileNotFoundError, ProcessLookupError):  # a thread, or the process, that ended meanwhile
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            tracers |= {line.split()[1] for line in status.read_text().splitlines() if line.startswith("TracerPid")}
    return bool(tracers) and "0" not in tracers
