"""The daemon's own verification: it signs what is sound, and raises an alarm where anything isn't."""

import asyncio
import logging
from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.errors import StoreError
from gateway.runtime.verification import Verification, VerificationCollector
from gateway.store import verify as verifying
from gateway.store.checkpoints import newest
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.pipeline.plant import VirtualClock
from tests.unit.store.making import Line
from tests.unit.store.vouching import introduced


class Desk:
    """Takes commands down."""

    def __init__(self):
        self.commands = []
        self.failing = False

    async def execute(self, command, author):
        if self.failing:
            raise StoreError("the disk is full")
        self.commands.append((type(command), author.person))


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "line.db", "G")
    yield opened
    await opened.close()


@pytest.fixture
async def verification(store):
    return Verification(store, await introduced(store), VirtualClock(), Desk(), 3600.0, 7200.0)


@pytest.fixture
async def line(store, verification):
    made = await Line.on(store, components=2)
    for batch in (made.staged(), made.posted(5)):
        await store.commit(batch)
    return made


async def signed(store):
    return await store.transact(newest)


async def test_a_sound_store_is_signed_and_the_next_time_only_what_came_since_is_read(
    store, line, verification, caplog
):
    caplog.set_level(logging.INFO)
    await verification.once()
    await store.commit(line.posted(2))
    await verification.once()

    assert 7 == (await signed(store)).seq
    assert ["verified from its beginning to seq 5", "verified since position 7 to seq 7"] == [
        one.partition(", in")[0] for one in caplog.messages
    ]


async def test_an_unsound_store_is_not_signed_and_raises_an_alarm_until_it_is_sound_again(store, line, verification):
    tally = "UPDATE tally SET posted = '{}'"
    await store.transact(lambda raw: raw.execute(tally.format(4)))
    await verification.once()
    before = await signed(store)
    await store.transact(lambda raw: raw.execute(tally.format(5)))
    await verification.once()

    assert before is None
    assert 5 == (await signed(store)).seq
    assert [(RaiseAlarm, "gateway"), (ClearAlarm, "gateway")] == verification.commands.commands


async def test_what_changed_before_the_checkpoint_is_found_when_everything_is_verified_again(store, line, verification):
    await verification.once()
    await store.transact(lambda raw: raw.execute("UPDATE posting SET body = CAST('{}' AS BLOB) WHERE seq = 2"))
    verification.clock.advance(3600)
    await verification.once()
    hourly = verification.found
    verification.clock.advance(3600)
    await verification.once()

    assert "" == hourly
    assert "chain: " in verification.found


async def test_while_everything_is_unsound_no_part_of_it_is_said_to_be_sound(store, line, verification):
    await verification.once()
    await store.transact(lambda raw: raw.execute("UPDATE posting SET body = CAST('{}' AS BLOB) WHERE seq = 2"))
    verification.clock.advance(7200)
    await verification.once()
    verification.clock.advance(3600)
    await verification.once()

    assert "chain: " in verification.found
    assert (RaiseAlarm, "gateway") == verification.commands.commands[-1]


async def test_when_everything_was_verified_is_kept_over_a_restart(store, line, verification, caplog):
    caplog.set_level(logging.INFO)
    await verification.once()
    await replace(verification).once()

    assert ["from its beginning", "since position"] == [
        one.removeprefix("verified ").partition(" to seq")[0].rstrip(" 0123456789") for one in caplog.messages
    ]


async def test_a_clock_that_was_ahead_then_puts_nothing_off(store, line, verification, caplog):
    verification.clock.advance(86400)
    await verification.once()
    verification.clock.advance(-86400)
    caplog.set_level(logging.INFO)
    await verification.once()

    assert "from its beginning" in caplog.text


async def test_an_alarm_that_could_not_be_written_is_raised_the_next_time(store, line, verification):
    await store.transact(lambda raw: raw.execute("DELETE FROM tally"))
    verification.commands.failing = True
    await verification.once()
    verification.commands.failing = False
    await verification.once()

    assert [(RaiseAlarm, "gateway")] == verification.commands.commands


async def test_metrics_say_whether_the_store_is_sound_and_how_old_the_checkpoint_is(store, line, verification):
    before = generate_latest(VerificationCollector(verification))
    await verification.once()
    after = generate_latest(VerificationCollector(verification)).decode()

    assert b"" == before
    assert "backflush_store_sound 1.0" in after
    assert "backflush_verified_age_seconds 0.0" in after


async def test_it_rests_between_two_pieces_and_ends_soon_when_it_is_cancelled(
    store, line, verification, monkeypatch, caplog
):
    reading = asyncio.Event()
    loop = asyncio.get_running_loop()
    walk = verifying.Walk.piece
    monkeypatch.setattr(verifying, "_PIECE", 1)
    monkeypatch.setattr("gateway.runtime.verification._REST", 1e9)
    monkeypatch.setattr(
        verifying.Walk, "piece", lambda *given: (loop.call_soon_threadsafe(reading.set), walk(*given))[1]
    )
    task = asyncio.create_task(verification.once())
    await reading.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await signed(store) is None


def test_a_verification_that_is_told_to_stop_ends_with_an_error(tmp_path):
    async def make():
        store = await Store.open(tmp_path / "line.db", "G")
        made = await Line.on(store, components=2)
        await store.commit(made.staged())
        await store.commit(made.posted(50))
        await store.close()

    asyncio.run(make())
    asked = []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "_OFTEN", 10)
        with pytest.raises(StoreError, match="interrupted"):
            verify(tmp_path / "line.db", stopped=lambda: len(asked) > 20 or asked.append(1))
