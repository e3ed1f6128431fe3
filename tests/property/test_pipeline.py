"""Random histories of a line, with a crash or a failed commit between any two steps: none lost, none twice."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Cumulation
from gateway.errors import StoreError
from gateway.signals.sample import Message
from tests.unit.pipeline.plant import CASE, GOOD, REJECT, Plant, make_model

windows = (None, Cumulation(window=timedelta(seconds=10)), Cumulation(units=Decimal(60), lot_change=True))
pieces = st.integers(0, 40)
steps = st.one_of(
    st.tuples(st.just("fill"), pieces),
    st.tuples(st.just("reject"), pieces),
    st.tuples(st.just("torn"), st.integers(30_000, 60_000)),
    st.tuples(st.just("seal"), st.booleans()),
    st.tuples(st.just("seal_unheard"), st.none()),
    st.tuples(st.just("deliver_late"), st.none()),
    st.tuples(st.just("deliver_twice"), st.integers(0, 20)),
    st.tuples(st.just("stage"), st.tuples(st.sampled_from(("BOTTLE-500", "CARTON-12")), st.integers(1, 60))),
    st.tuples(st.just("turn"), st.none()),
    st.tuples(st.just("fail"), st.booleans()),
    st.tuples(st.just("crash"), st.none()),
)


@dataclass
class History:
    """What the machines really made, and a broker that keeps what is not acknowledged."""

    plant: Plant
    good: int = 0
    rejected: int = 0
    sealed: int = 0
    stagings: int = 0
    unheard: list[int] = field(default_factory=list)  # sealed, but the broker lost the message
    delivered: list[int] = field(default_factory=list)
    unacknowledged: dict[int, int] = field(default_factory=dict)  # receipt: number of the case

    async def fill(self, count: int) -> None:
        self.good += count
        self.plant.read(good=self.good)

    async def reject(self, count: int) -> None:
        self.rejected += count
        self.plant.read(reject=self.rejected)

    async def torn(self, value: int) -> None:
        self.plant.read(good=value)
        self.plant.read(good=self.good)

    async def seal(self, heard: bool) -> None:
        self.sealed += 1
        self.plant.clock.advance(1)
        self.plant.made[CASE, _message(self.sealed)] = self.plant.clock.now().wall
        if heard or self.sealed == 1:
            await self._deliver(self.sealed)
        else:
            self.unheard.append(self.sealed)

    async def seal_unheard(self, _: None) -> None:
        await self.seal(heard=False)

    async def deliver_late(self, _: None) -> None:
        if self.unheard:
            await self._deliver(self.unheard.pop(0))

    async def deliver_twice(self, which: int) -> None:
        if self.delivered:
            await self._deliver(self.delivered[which % len(self.delivered)])

    async def stage(self, what: tuple[str, int]) -> None:
        item, quantity = what
        self.stagings += 1
        await self.plant.stage(f"S-{self.stagings}", str(quantity), item=item, lot=f"{item}-{self.stagings % 3}")

    async def turn(self, _: None) -> None:
        await self.plant.turn()
        await self.plant.check()

    async def fail(self, too_late: bool) -> None:
        self.plant.store.failing, self.plant.store.too_late = 1, too_late
        try:
            await self.plant.turn()
        except StoreError as error:
            await self.plant.pipeline._recover(error)
        self.plant.store.failing = 0
        await self._redeliver()

    async def crash(self, _: None) -> None:
        await self.plant.crash()
        await self._redeliver()

    async def _redeliver(self) -> None:
        acknowledged = set(self.plant.drivers["PACKER-1"].acknowledged)
        waiting = [number for receipt, number in self.unacknowledged.items() if receipt not in acknowledged]
        self.unacknowledged.clear()
        for number in waiting:
            await self._deliver(number)
        self.plant.read(good=self.good, reject=self.rejected)

    async def _deliver(self, number: int) -> None:
        receipt = await self.plant.send(id=f"case-{number}", sequence=number)
        self.unacknowledged[receipt] = number
        if number not in self.delivered:
            self.delivered.append(number)


def _message(number: int) -> Message:
    return Message(id=f"case-{number}", sequence=number)


@asynccontextmanager
async def running(path, cumulate):
    plant = Plant(path, make_model(cumulate=cumulate))
    await plant.open(queue=1000)
    try:
        history = History(plant)
        await history.fill(0)
        await history.reject(0)
        await history.turn(None)
        yield history
    finally:
        await plant.close()


@given(st.sampled_from(windows), st.lists(steps, min_size=20, max_size=40))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_every_unit_is_posted_or_held_exactly_once(tmp_path_factory, cumulate, happened):
    async def live() -> None:
        async with running(tmp_path_factory.mktemp("plant") / "gateway.db", cumulate) as history:
            for name, argument in happened:
                await getattr(history, name)(argument)
            await history.crash(None)
            await history.turn(None)
            await _compare(history)
            await history.stage(("BOTTLE-500", 100_000))
            await history.stage(("CARTON-12", 100_000))
            await _nothing_waits(history)

    asyncio.run(live())


async def _compare(history: History) -> None:
    counted = {signal: tally.counted for signal, tally in history.plant.state.tallies.items()}

    assert history.good == counted.get(GOOD, 0)
    assert history.rejected == counted.get(REJECT, 0)
    assert max(history.delivered, default=0) == counted.get(CASE, 0)
    assert (
        len(set(history.delivered))
        == (await history.plant.rows("SELECT count(*) FROM event WHERE kind = 'case_sealed'"))[0][0]
    )


async def _nothing_waits(history: History) -> None:
    plant = history.plant
    await plant.check()

    assert [] == plant.exceptions(ExceptionKind.TRIGGER)
    assert [] == plant.exceptions(ExceptionKind.COUNTER)

    posted = await plant.rows("SELECT operation, rule, id FROM trigger_log ORDER BY operation, rule, document_id, id")

    assert sorted(posted) == posted  # nothing overtook what waited

    lost = {number for number in history.unheard if number < max(history.delivered, default=0)}
    gaps = plant.exceptions(ExceptionKind.GAP)

    assert len(lost) == sum((one.quantity for one in gaps), Decimal(0))
    assert plant.tally(GOOD) == (str(history.good), str(history.good), "0", "0")
    assert plant.tally(REJECT) == (str(history.rejected), "0", str(history.rejected), "0")
