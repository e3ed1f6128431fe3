"""A gateway that is killed and started again, quickly: forked by a launcher that has imported everything."""

import os
import signal
from typing import Self

from tests.harness.site import Site


class Killable:
    """One gateway at a time. `way` is `run`, or how it is broken on purpose (see broken.py)."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._launcher = site.run("tests.harness.launcher", site.config, name="gateway")
        self._starts = 0
        self._pid = 0

    def start(self, way: str = "run") -> None:
        """Fork a gateway; it may not be ready yet."""
        self._starts += 1
        self._launcher.type(way)
        self._launcher.said("started ", times=self._starts)
        self._pid = int(self._launcher.lines("started ")[-1].split()[1])

    def ready(self) -> None:
        """Wait until its intake runs."""
        self._site.ready(self._launcher)

    def kill(self) -> None:
        """Kill it, at whatever it is doing, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.gone()

    def signal(self, number: int) -> None:
        os.kill(self._pid, number)

    def gone(self) -> None:
        """Wait until it ended by itself."""
        self._launcher.said("ended", times=self._starts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if len(self._launcher.lines("ended")) < self._starts:
            os.kill(self._pid, signal.SIGKILL)
