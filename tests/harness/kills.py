"""A gateway that is killed and started again, quickly: forked by a launcher that has imported everything."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Self

from tests.harness.site import Site

NOTHING: Mapping[str, str] = MappingProxyType({})


class Killable:
    """One gateway at a time. `way` is `run`, or how it is run otherwise (see broken.py)."""

    def __init__(self, site: Site, environment: Mapping[str, str] = NOTHING) -> None:
        self._site = site
        self._launcher = site.run("tests.harness.launcher", site.config, name="gateway", environment=dict(environment))
        self._starts = 0
        self._pid = 0

    def start(self, way: str = "run") -> None:
        """Fork a gateway; it may not be ready yet."""
        self._starts += 1
        self._launcher.type(way)
        self._launcher.said("started ", times=self._starts)
        self._pid = int(self._launcher.lines("started ")[-1].split()[1])

    @property
    def pid(self) -> int:
        """The process of the latest start."""
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the latest one has not ended."""
        return len(self._launcher.lines("ended")) < self._starts

    @property
    def output(self) -> str:
        """What all of them wrote, and the launcher."""
        return self._launcher.output

    def ready(self) -> None:
        """Wait until its intake runs."""
        self._site.ready(self._launcher)

    def kill(self) -> None:
        """Kill it, at whatever it is doing, and wait until it is gone."""
        self._end()
        self.gone()

    def signal(self, number: int) -> None:
        os.kill(self._pid, number)

    def gone(self) -> None:
        """Wait until it ended by itself."""
        self._launcher.said("ended", times=self._starts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid and self.running:
            self._end()

    def _end(self) -> None:
        with suppress(ProcessLookupError):  # on a disk without power it may end by itself at this moment
            self.signal(signal.SIGKILL)
