"""The whole line over Mosquitto under load, and a gateway that a test maltreats meanwhile."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from tests.harness.balance import settle
from tests.harness.broker import Mosquitto
from tests.harness.kills import NOTHING, Killable
from tests.harness.site import Site, run_empty, running_line

_READ_EACH = 10  # faults
_PATIENCE = 300.0  # s to catch up after hours of faults; a short test is there within a few
Told = Callable[[int], object]  # gets how many of a run's faults are done


class Moments(NamedTuple):
    """Seconds between two faults, at least and at most."""

    shortest: float = 0.05
    longest: float = 1.0


def nobody(_: int) -> None:
    """Tell nobody how far a run has come."""


class Load:
    """Made with everything but the gateway running; the filler is at rest until `begin`."""

    def __init__(self, site: Site, *, speed: float = 10, environment: Mapping[str, str] = NOTHING) -> None:
        self.site = site
        self.broker = Mosquitto(site)
        self.line = running_line(site, speed=speed, options=("--broker", self.broker.url))
        self.gateway = site.keep(Killable(site, environment))

    def plenty(self, times: int) -> None:
        """Release and stage so many times what the example has: hours of load must not run short of anything."""
        for name, entries in (("orders", "orders"), ("stagings", "stagings")):
            with self.site.changed(f"masterdata/{name}.yaml") as data:
                for entry in data[entries]:
                    entry["quantity"] = str(times * Decimal(str(entry["quantity"])))

    def begin(self, way: str = "run") -> None:
        """Let the machines run once every counter has its baseline: what was made before belongs to nobody."""
        self.gateway.start(way)
        self.site.connected()
        self.line.type("FILLER-1 resume")
        self.site.counted("PACKER-1", "case_sealed", 1)

    def faults(self, times: int, chance: random.Random, moments: Moments) -> Iterator[int]:
        """Yield the number of each fault at its moment, after the gateway had so long to live.

        Now and then it lives until every device was read: a 16-bit counter has to be within its longest safe outage.
        """
        for number in range(1, times + 1):
            if number % _READ_EACH == 0:
                self.site.connected()
            time.sleep(chance.uniform(*moments))  # the moment is the input: nothing is waited for
            yield number

    def end(self) -> None:
        """Stop production and wait until all that was made is at the ERP."""
        self.gateway.ready()
        run_empty(self.line)
        settle(self.site, within=_PATIENCE)
