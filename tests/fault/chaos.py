"""Every fault that can be made from outside, mixed under load: a schedule that one seed decides."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from tests.fault.runs import cut_power, powered
from tests.harness.clocks import FakeClock
from tests.harness.kills import Killable
from tests.harness.load import Load
from tests.harness.power import Disk
from tests.harness.site import Site
from tests.harness.strace import error, traced
from tests.harness.until import until

HOUR = 3600
_PAUSE = (0.1, 3.0)  # s between two faults
_LONG = (0.5, 3.0)  # s that a fault lasts
_TAIL = 3000  # characters of output in a failure's message
_SLOW = "delay_exit=150000"  # µs that each synchronisation takes longer


class Chaos:
    """The line under load with every means to disturb it; `disturb` does one thing."""

    def __init__(self, site: Site, seed: int, *, speed: float = 2) -> None:
        self.done: Counter[str] = Counter()
        self._site = site
        self._was_up = True  # when its disk last began to fail
        self._chance = random.Random(seed)
        self._clock = FakeClock(site.root)
        self._disk: Disk = powered(site)
        self.load = Load(site, speed=speed, environment=self._clock.environment)

    def disturb(self) -> str:
        """Wait a moment, do what comes next, and let it pass; return what it was."""
        time.sleep(self._chance.uniform(*_PAUSE))
        self._start_again()
        name = self._chance.choice(list(_FAULTS))
        _FAULTS[name](self)
        self.done[name] += 1
        return name

    def calm(self) -> None:
        """Put right what stays: the clock, and a gateway that met a failing disk at its start."""
        self._clock.set(0)
        until(lambda: self._site.answers("/readyz") or not self.gateway.running, what=self._site.status)
        self._start_again()

    def _start_again(self) -> None:
        """Do what a service manager does: a start may fail on a failing disk, but nothing that ran may end."""
        if not self.gateway.running:
            assert not self._was_up, self.gateway.output[-_TAIL:]
            self.gateway.start()
            self.done["refused start"] += 1

    @property
    def gateway(self) -> Killable:
        """What suffers most of it."""
        return self.load.gateway

    def kill(self) -> None:
        """Kill the gateway, ready or not, and start it again."""
        self.gateway.kill()
        self.gateway.start()

    def cut_power(self) -> None:
        """Cut the power: what the ERP acknowledged is still there."""
        assert not cut_power(self.load, self._disk), "the ERP acknowledged what the disk hasn't"

    def stop_and_continue(self) -> None:
        """Let the gateway stand still for a while."""
        self.gateway.signal(signal.SIGSTOP)
        self._last()
        self.gateway.signal(signal.SIGCONT)

    def restart_broker(self) -> None:
        """End the broker as a service manager does; it keeps what it holds."""
        self.load.broker.stop()
        self._last()
        self.load.broker.start()

    def erp_away(self) -> None:
        """Let the ERP neither take nor pull anything for a while."""
        self.load.line.type("ERP pause")
        self._last()
        self.load.line.type("ERP resume")

    def cut_link(self, device: str, how: str) -> None:
        """Cut a device's cable for a while, or let it answer nothing."""
        self.load.line.type(f"{device} {how} {self._chance.uniform(*_LONG):.1f}")

    def failing(self, fault: str) -> None:
        """Let the store's calls fail, or take long, for a while; the gateway recovers by itself."""
        self._was_up = self._site.answers("/healthz") is not None
        with traced(self.gateway.pid, self._site.root / "strace.log", fault):
            self._last()

    def set_clock(self) -> None:
        """Put the clock an hour ahead, an hour back, or right again."""
        self._clock.set(self._chance.choice((HOUR, -HOUR, 0)))

    def _last(self) -> None:
        time.sleep(self._chance.uniform(*_LONG))


_FAULTS: dict[str, Callable[[Chaos], None]] = {
    "kill": Chaos.kill,
    "power cut": Chaos.cut_power,
    "pause": Chaos.stop_and_continue,
    "broker restart": Chaos.restart_broker,
    "ERP away": Chaos.erp_away,
    "filler unplugged": partial(Chaos.cut_link, device="FILLER-1", how="drop"),
    "filler silent": partial(Chaos.cut_link, device="FILLER-1", how="silent"),
    "capper unplugged": partial(Chaos.cut_link, device="CAPPER-1", how="drop"),
    "capper silent": partial(Chaos.cut_link, device="CAPPER-1", how="silent"),
    "packer unplugged": partial(Chaos.cut_link, device="PACKER-1", how="drop"),
    "disk full": partial(Chaos.failing, fault=f"pwrite64,fallocate,ftruncate:{error('ENOSPC')}"),
    "disk failing": partial(Chaos.failing, fault=f"fdatasync,fsync:{error('EIO')}"),
    "disk slow": partial(Chaos.failing, fault=f"fdatasync:{_SLOW}"),
    "clock": Chaos.set_clock,
}
