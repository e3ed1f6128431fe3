from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.counter import Checkpoint, Counter, Counts, Decision, Reading
from gateway.counting.decide import decide
from gateway.domain.clock import Instant

START = datetime(2026, 11, 21, 10, tzinfo=UTC)


def make_counter(**settings):
    return Counter(**{"counts": Counts.GOOD, "modulus": 65536, "max_rate": Decimal(20), "has_epoch": True, **settings})


@dataclass
class Feed:
    """A counter that is read again and again; each decision's checkpoint is the next one's."""

    counter: Counter
    checkpoint: Checkpoint | None = None
    wall: datetime = START
    boottime: int = 1_000_000_000_000
    boot: str = "boot-a"

    def read(self, value, *, after=1.0, epoch="7", source=None, order=None) -> Decision:
        """Read `after` seconds later; `source` is the device's time in seconds."""
        self.pass_by(after)
        source_time = None if source is None else START + timedelta(seconds=source)
        at = Instant(self.wall, self.boottime, self.boot)
        decision = decide(self.counter, self.checkpoint, Reading(value, at, epoch, source_time, order))
        self.checkpoint = decision.checkpoint
        return decision

    def pass_by(self, seconds):
        self.wall += timedelta(seconds=seconds)
        self.boottime += int(seconds * 1_000_000_000)

    def reboot(self, *, wall=0.0):
        """Restart the gateway's computer, with its clock set by so many seconds."""
        self.boot, self.boottime = "boot-b", 5_000_000_000
        self.wall += timedelta(seconds=wall)


@pytest.fixture
def feed():
    """Return a feed whose first reading was `first`, long enough ago that it surely wasn't late: slack is used up."""

    def make(first=100, **settings):
        made = Feed(make_counter(**settings))
        made.read(first)
        made.read(first, after=10)
        return made

    return make
