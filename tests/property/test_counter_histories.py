"""Whatever a counter does, and is configured as: a verification takes none of it for somebody's change of the file."""

import asyncio
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.counting.counter import Counts, GapPolicy
from gateway.store.verify import verify
from tests.unit.pipeline.held import HeldPlant, make_held_model
from tests.unit.pipeline.plant import GOOD

values = st.integers(0, 65_535)
kinds = st.fixed_dictionaries(
    {
        "has_epoch": st.booleans(),
        "retentive": st.booleans(),
        "strict": st.booleans(),
        "modulus": st.sampled_from((65_536, 65_536, 10_000)),
        "counts": st.sampled_from((Counts.GOOD, Counts.GOOD, Counts.TOTAL)),
        "gap": st.sampled_from(GapPolicy),
    }
)
steps = st.one_of(
    st.tuples(st.just("make"), st.integers(0, 80)),
    st.tuples(st.just("fall"), st.integers(0, 5_000)),
    st.tuples(st.just("preset"), values),
    st.tuples(st.just("torn"), values),
    st.tuples(st.just("restart"), st.sampled_from((0, 1, 25, None))),
    st.tuples(st.just("wait"), st.sampled_from((1, 60, 5_000))),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("configure"), kinds),
)


class History:
    """A counter at its line, and what becomes of both."""

    def __init__(self, line: HeldPlant) -> None:
        self.line, self.value, self.boots = line, 100, 1
        self.before = line.model

    async def make(self, units: int) -> None:
        await self.preset((self.value + units) % 65_536)

    async def fall(self, units: int) -> None:
        await self.preset(max(0, self.value - units))

    async def preset(self, value: int) -> None:
        self.value = value
        for _ in range(2):
            await self._read(value)

    async def torn(self, value: int) -> None:
        await self._read(value)
        await self._read(self.value)

    async def restart(self, value: int | None) -> None:
        self.boots += 1
        await self.preset(self.value if value is None else value)

    async def wait(self, seconds: int) -> None:
        await self._read(self.value, seconds)

    async def crash(self, _: None) -> None:
        await self.line.crash()

    async def configure(self, kind: dict) -> None:
        point = self.before.points[GOOD]
        changed = replace(
            point,
            counter=replace(point.counter, **kind),
            epoch_signal=point.epoch_signal if kind["has_epoch"] else None,
            rule=point.rule if kind["counts"] is Counts.GOOD else None,
        )
        self.line.model = replace(self.before, points={**self.before.points, GOOD: changed})
        await self.line.crash()

    async def _read(self, value: int, seconds: int = 2) -> None:
        self.line.read(good=value, epoch=f"plc-{self.boots}", seconds=seconds)
        await self.line.turn()


@given(st.lists(steps, min_size=15, max_size=30))
@settings(max_examples=25, deadline=None)
def test_no_verification_and_no_start_takes_what_a_counter_did_for_damage(tmp_path_factory, happened):
    async def live() -> None:
        line = HeldPlant(tmp_path_factory.mktemp("line") / "gateway.db", make_held_model())
        await line.open(queue=1000)
        try:
            await line.begin()
            history = History(line)
            for name, argument in happened:
                await getattr(history, name)(argument)
                failed = [one for one in verify(line.path).checks if not one.ok]

                assert not failed
            await line.crash()
        finally:
            await line.close()

    asyncio.run(live())
