"""Whatever happened before and behind a checkpoint: going on from it finds what verifying everything finds."""

import asyncio
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test as run

from gateway.store import verify as verifying
from gateway.store.connection import connect_reader
from gateway.store.store import Registration, ScratchStore
from gateway.store.totals import Totals
from gateway.store.verified import parsed, reached
from gateway.store.verify import verify
from tests.property.damaging import statements
from tests.property.test_engine_machine import Engine
from tests.property.test_store import ERP, STEP
from tests.unit.store.making import Line
from tests.unit.store.samples import START
from tests.unit.store.vouching import faults, introduced, vouched

STEPS = st.lists(st.tuples(st.sampled_from([name for name in STEP if name != "fail"]), st.integers(1, 4)), max_size=8)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # shrinking takes many minutes: ask for it by hand
@given(data=st.data())
def test_going_on_from_a_checkpoint_finds_what_verifying_everything_finds(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        seen = asyncio.run(_run(path, data.draw(STEPS), data.draw(STEPS), data.draw(STEPS)))

        assert {} == faults(path, since=True)
        assert {} == faults(path, since=False)

        damages = st.lists(st.sampled_from(statements(path, seen)), min_size=1, max_size=12, unique=True)
        for damage in data.draw(damages):
            _compare(path, damage)


def _compare(path: Path, damage: str) -> None:
    copy = path.with_name("damaged.db")
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        try:
            connection.execute(damage)
        except sqlite3.IntegrityError:  # a row can't be there twice
            return

    full, since = faults(copy, since=False), faults(copy, since=True)

    assert full.keys() == since.keys(), (damage, full, since)


async def _run(path, *parts):
    """Do the first steps, sign; more and sign behind the first checkpoint; then the last ones."""
    store = await ScratchStore.found(path, "G", "S")
    try:
        return await _produce(store, parts)
    finally:
        await store.close()


async def _produce(store, parts):
    await store.register([Registration(ERP, required=True)], START)
    key = await introduced(store)
    line = await Line.on(store, components=4)
    await store.commit(line.staged())
    seen = None
    for number, steps in enumerate(parts):
        if number:
            await vouched(store, key, since=number > 1)
            seen = verify(store.path).reached
        for name, count in steps:
            await STEP[name](store, line, count)
    return seen


class Verified(Engine):
    """The engine at work; now and then what came since is verified, from where the last verification ended."""

    seed = 0

    def __init__(self):
        super().__init__()
        self.random = Random(self.seed)
        self.seen = None
        Verified.seed += 1

    def _add_up(self):
        super()._add_up()
        if self.random.random() < 0.2:
            since, whole = self._reached(self.seen), self._reached(None)

            assert whole == since

            if self.random.random() < 0.5:
                self.seen = parsed(since.head, since.state, since.totals)

    def _reached(self, seen):
        with closing(connect_reader(self.shop.path)) as connection:
            totals = Totals()
            checks = verifying._checks(connection, seen, totals, lambda *_: None)
            assert [] == [one for one in checks if not one.ok]
            end = reached(connection, totals)
        return end._replace(totals={key: quantity for key, quantity in end.totals.items() if quantity})


def test_whatever_the_engine_did_going_on_ends_where_verifying_everything_ends():
    run(
        Verified,
        settings=settings(
            max_examples=4,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
