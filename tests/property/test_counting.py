"""A machine with a true count against the decision table: whatever happens on the way, no verdict is wrong."""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.counting.counter import Checkpoint, Counter, Counts, GapPolicy, Reading, Verdict
from gateway.counting.decide import decide, key, refresh_due
from gateway.domain.clock import Instant

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
WAITING = (Verdict.SUSPECT, Verdict.STALE, Verdict.BAD_QUALITY)
HONEST_HOLDS = {Verdict.MULTIWRAP, Verdict.GAP_HELD}
WORD = 1 << 16


@dataclass
class World:
    """A machine that never breaks its max_rate, a link that does what it likes, and a gateway that crashes.

    `made` is the truth. Every reading goes with the truth of its moment, so every segment that a decision closes
    can be judged by itself; the segments join without a seam, so nothing is counted twice or lost between them.
    """

    counter: Counter
    first: int
    timestamps: bool
    now: Fraction = Fraction(1000)  # seconds
    wall_error: int = 0
    boot: int = 1
    epoch: int = 7
    made: int = 0
    offset: int = 0  # what `made` was when the counter showed 0
    checkpoint: Checkpoint | None = None
    truth: int = 0  # of the checkpoint
    stored: tuple[Checkpoint, int] | None = None
    keys: set[str] = field(default_factory=set)
    history: deque = field(default_factory=lambda: deque(maxlen=8))

    def __post_init__(self):
        self.offset = -self.first
        self.read()

    def take(self, error=0):
        value = (self.made - self.offset + error) % self.counter.modulus
        source_time = START + timedelta(microseconds=int(self.now * 10**6)) if self.timestamps else None
        return value, str(self.epoch), source_time, self.made

    def deliver(self, taken, *, believable=True):
        value, epoch, source_time, truth = taken
        wall = START + timedelta(microseconds=int(self.now * 10**6), seconds=self.wall_error)
        at = Instant(wall, int(self.now * 10**9), f"boot-{self.boot}")
        before = self.checkpoint
        decision = decide(self.counter, before, Reading(value, at, epoch, source_time))
        self.checkpoint = decision.checkpoint
        if before and decision.verdict not in WAITING:
            assert believable, decision
            self.judge(decision, truth - self.truth)
            self.remember(key(before, decision), decision)
        if decision.verdict not in WAITING:
            self.truth = truth
        if decision.verdict is not Verdict.IDLE or refresh_due(self.counter, self.stored[0], self.checkpoint):
            self.stored = (self.checkpoint, self.truth)
        return decision

    def judge(self, decision, segment):
        if "before the restart" in decision.notice:
            units = decision.held.quantity if decision.held else decision.delta
            bound = re.search(r"0 … (\d+) units", decision.notice)
            assert 0 <= segment - units
            assert bound is None or segment - units <= int(bound[1])
        elif decision.held:
            assert decision.verdict in HONEST_HOLDS or self.counter.retentive
            assert segment in decision.held.candidates or segment > decision.held.candidates[-1]
        else:
            assert segment == decision.delta

    def remember(self, identity, decision):
        if decision.delta or decision.held:
            assert identity not in self.keys
            self.keys.add(identity)

    def run(self, seconds, load=1):
        """Let the machine work at a share of its max_rate."""
        seconds = Fraction(seconds)
        self.now += seconds
        self.made += int(Fraction(self.counter.max_rate) * seconds * Fraction(load))

    def read(self):
        taken = self.take()
        self.history.append(taken)
        return self.deliver(taken)

    def read_late(self, delay):
        """Deliver a changed value late; an unchanged one that comes late may cost a hold, never a wrong count."""
        taken = self.take()
        self.history.append(taken)
        if taken[0] != self.checkpoint.value:
            self.run(delay)
        self.deliver(taken)

    def read_burst(self, values):
        """Deliver what was sampled over a while at once."""
        burst = []
        for _ in range(values):
            self.run(Fraction(1, 4))
            burst.append(self.take())
        self.history.extend(burst)
        for taken in burst:
            self.deliver(taken)

    def read_torn(self, words):
        """Deliver one torn reading, and the next one as it is."""
        if self.counter.modulus > WORD:
            self.deliver(self.take(words * WORD), believable=False)
            self.run(Fraction(1, 10))
            self.read()

    def redeliver(self, count):
        """Deliver old readings once more, as brokers and servers do after a new connection reads everything."""
        self.read()
        for taken in list(self.history)[-count:]:
            self.deliver(taken)
        self.read()

    def read_badly(self):
        before = self.checkpoint
        _, epoch, source_time, truth = self.take()

        assert self.deliver((None, epoch, source_time, truth)).checkpoint is before

    def restart_machine(self):
        self.epoch += 1
        if not self.counter.retentive:
            self.offset = self.made

    def crash(self):
        """Kill the gateway's process: what only memory had is gone."""
        self.checkpoint, self.truth = self.stored

    def reboot(self, wall_error):
        """Restart the gateway's computer, its clock being set meanwhile."""
        self.crash()
        self.boot += 1
        self.wall_error += wall_error

    def idle(self, reads):
        for _ in range(reads):
            self.run(10, 0)
            self.read()

    def settle(self):
        """Read an idle machine until nothing is in doubt."""
        for _ in range(5):
            self.run(3, 0)
            self.read()


def op(name, *arguments):
    return st.tuples(st.just(name), *arguments)


SHARES = st.sampled_from([0, Fraction(1, 10), Fraction(1, 2), 1])
OPERATIONS = st.one_of(
    op("run", st.sampled_from([Fraction(1, 100), Fraction(1, 4), 1, 7, 29, 31, 600]), SHARES),
    op("run", st.integers(1000, 20_000), SHARES),  # an outage
    op("read"),
    op("read"),
    op("read_late", st.sampled_from([Fraction(1, 10), 1, 4])),
    op("read_burst", st.integers(2, 12)),
    op("read_torn", st.sampled_from([-1, 1])),
    op("redeliver", st.integers(1, 8)),
    op("read_badly"),
    op("restart_machine"),
    op("crash"),
    op("reboot", st.integers(-20, 20)),
    op("idle", st.integers(1, 30)),
)


@st.composite
def worlds(draw):
    modulus = draw(st.sampled_from([9999, 32768, 65536, 2**32]))
    counter = Counter(
        Counts.GOOD,
        modulus,
        max_rate=draw(st.sampled_from([Decimal("0.5"), Decimal(20), Decimal("33.4")])),
        retentive=draw(st.booleans()),
        has_epoch=True,
        gap=draw(st.sampled_from(GapPolicy)),
    )
    first = draw(st.one_of(st.integers(0, 50), st.integers(modulus - 200, modulus - 1), st.integers(0, modulus - 1)))
    return World(counter, first, timestamps=draw(st.booleans()))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.lists(OPERATIONS, max_size=40))
def test_with_a_known_epoch_every_automatic_verdict_is_true(world, operations):
    for name, *arguments in operations:
        getattr(world, name)(*arguments)
    world.settle()

    assert world.checkpoint.suspect is None
    assert world.truth == world.made
    assert world.checkpoint.value == (world.made - world.offset) % world.counter.modulus


@settings(max_examples=100, deadline=None)
@given(worlds(), SHARES)
def test_an_idle_hour_holds_nothing_and_the_next_unit_counts(world, share):
    world.run(20, share)
    world.read()
    for _ in range(360):
        world.run(10, 0)
        assert world.read().verdict is Verdict.IDLE

    world.made += 1
    world.run(10, 0)
    decision = world.read()

    assert (decision.verdict in (Verdict.COUNT, Verdict.ROLLOVER), decision.delta) == (True, 1)
