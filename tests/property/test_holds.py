"""Random holds settled as random parts: every unit is where the totals say, and a replay comes to the same."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.domain.command import CloseException, Reverse, SettledPart, SettleHold
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.signals.sample import Message
from gateway.store.log import PostingLog
from tests.property.direct import DirectFaultyStore
from tests.property.replaying import replayed
from tests.unit.pipeline.held import OTHER, HeldPlant, make_held_model
from tests.unit.pipeline.office import ANNA
from tests.unit.pipeline.plant import CASE, GOOD

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking takes minutes: ask for it by hand
HOLDS = (ExceptionKind.COUNTER, ExceptionKind.GAP)
part = st.tuples(st.integers(0, 40), st.sampled_from(("", "100045", OTHER, "100099")), st.integers(-60, 3))
steps = st.one_of(
    st.tuples(st.just("count"), st.integers(0, 50)),
    st.tuples(st.just("leap"), st.integers(2_000, 60_000)),
    st.tuples(st.just("gap"), st.integers(0, 200)),
    st.tuples(st.just("lose"), st.integers(0, 4)),
    st.tuples(st.just("late"), st.integers(0, 20)),
    st.tuples(st.just("start"), st.sampled_from(("100045", OTHER))),
    st.tuples(st.just("settle"), st.tuples(st.integers(0, 20), st.lists(part, max_size=3))),
    st.tuples(st.just("settle"), st.tuples(st.integers(0, 20), st.lists(part, max_size=3))),
    st.tuples(st.just("close"), st.integers(0, 20)),
    st.tuples(st.just("reverse"), st.integers(1, 10)),
    st.tuples(st.just("crash"), st.none()),
)


class DirectPlant(HeldPlant):
    """Over a store that never waits for the disk."""

    async def open(self, batch: int = 500, queue: int = 1000) -> None:
        self.store = await DirectFaultyStore.open(self.path, "PLANT1-L1")
        self.store.seen = lambda _: None
        self.log = await PostingLog.open(self.path)
        writer = await Writer.load(self.store, self.log, self.clock, self.model)
        self.pipeline = Pipeline(writer, IntakeQueue(queue), batch=batch)
        for name, driver in self.drivers.items():
            self.pipeline.attach(name, driver)
        await self.pipeline.commands.activate_now(self.model)


@dataclass
class History:
    """What happened, and how many units there were by what everybody said."""

    plant: DirectPlant
    value: int = 100
    sequence: int = 0
    lost: list[tuple[int, datetime]] = field(default_factory=list)
    truth: dict = field(default_factory=lambda: {GOOD: Decimal(0), CASE: Decimal(0)})
    settled: int = 0

    async def count(self, units: int) -> None:
        self.value = (self.value + units) % 65_536
        self.truth[GOOD] += units
        await self._read(1)

    async def gap(self, units: int) -> None:
        self.value = (self.value + units) % 65_536
        self.truth[GOOD] += units
        await self._read(60)

    async def leap(self, units: int) -> None:
        self.value = (self.value + units) % 65_536
        before = self._holds()
        for _ in range(3):
            await self._read(1)
        held = [one.quantity for one in self._holds() if one not in before]
        self.truth[GOOD] += sum(held) if held else units  # after a long pause it is no leap

    async def lose(self, messages: int) -> None:
        now = self.plant.clock.now().wall
        self.lost += [(self.sequence + one + 1, now) for one in range(messages)] if self.sequence else []
        self.truth[CASE] += messages if self.sequence else 0
        self.sequence += messages + 1
        self.truth[CASE] += 1
        await self._send(self.sequence)

    async def late(self, which: int) -> None:
        if not self.lost:
            return
        number, made = self.lost.pop(which % len(self.lost))
        self.plant.made[CASE, Message(sequence=number, id=f"case-{number}")] = made
        before = self.plant.state.tallies[CASE].counted
        await self._send(number)
        came = self.plant.state.tallies[CASE].counted - before

        assert came in (0, 1)  # it was missing and held, or it is held now beside what was settled

        self.truth[CASE] += came

    async def start(self, order: str) -> None:
        self.plant.clock.advance(5)
        await self.plant.start(order)

    async def settle(self, what: tuple) -> None:
        which, said = what
        if not (holds := self._holds()):
            return
        record, now = holds[which % len(holds)], self.plant.clock.now().wall
        parts = tuple(
            SettledPart(Decimal(quantity), order, now + timedelta(seconds=at) if at < 0 or at == 3 else None)
            for quantity, order, at in said
        )
        before = self.plant.state.tallies
        with suppress(CommandRefused):
            await self.plant.ask(SettleHold(record.id, "COUNT", parts), ANNA)
            self.settled += 1
            self.truth[_signal(record)] += sum(one.quantity for one in parts) - record.quantity
            return

        assert before == self.plant.state.tallies

    async def close(self, which: int) -> None:
        if holds := self._holds():
            await self.plant.ask(CloseException(holds[which % len(holds)].id, "COUNT"), ANNA)

    async def reverse(self, seq: int) -> None:
        with suppress(CommandRefused):
            await self.plant.ask(Reverse(seq, "COUNT"), ANNA)

    async def crash(self, _: None) -> None:
        await self.plant.crash()

    def _holds(self):
        return [one for one in self.plant.state.exceptions.values() if one.kind in HOLDS]

    async def _read(self, seconds: int) -> None:
        self.plant.read(good=self.value, seconds=seconds)
        await self.plant.turn()

    async def _send(self, number: int) -> None:
        await self.plant.send(sequence=number, id=f"case-{number}")
        await self.plant.turn()


def _signal(record):
    return next(one for one in (GOOD, CASE) if tuple(one) == tuple(record.scope))


@asynccontextmanager
async def running(path):
    plant = DirectPlant(path, make_held_model(reported=False))
    await plant.open()
    try:
        await plant.begin()
        yield History(plant)
    finally:
        await plant.close()


def test_whatever_a_hold_is_settled_as_every_unit_is_one_thing(tmp_path_factory):
    settled: list[int] = []

    @given(st.lists(steps, min_size=10, max_size=40))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    def runs(happened) -> None:
        settled.append(asyncio.run(_live(tmp_path_factory.mktemp("held"), happened)))

    runs()

    assert any(settled)  # or nothing was tried


async def _live(folder, happened) -> int:
    async with running(folder / "gateway.db") as history:
        for name, argument in happened:
            await getattr(history, name)(argument)
            _adds_up(history)
        await history.plant.check()
        bodies = [body for (body,) in await history.plant.rows("SELECT body FROM posting ORDER BY seq")]

        assert bodies == await replayed(history.plant, folder / "again.db", again := {})
        assert (history.plant.state.exceptions, history.plant.state.tallies) == tuple(again.values())

        return history.settled


def _adds_up(history: History) -> None:
    for signal, tally in history.plant.state.tallies.items():
        assert tally.counted == tally.posted + tally.scrapped + tally.held + tally.reversed, signal
        assert min(tally[1:]) >= 0, signal
        assert history.truth[signal] == tally.counted, signal
