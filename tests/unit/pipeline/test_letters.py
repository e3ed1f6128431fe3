"""Dead letters read again: what their messages would have done at their time, once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from gateway.counting.counter import Counts
from gateway.domain.clock import Instant
from gateway.domain.command import DiscardLetter, RedriveLetter
from gateway.domain.event import SignalId
from gateway.domain.quantity import text
from gateway.errors import CommandRefused, DataError
from gateway.pipeline.model import Point
from gateway.signals.sample import Message, Sample, Scan, Unreadable
from tests.property.replaying import lines_of, replayed, replayed_with
from tests.unit.pipeline.office import ANNA, Office, make_packers, office
from tests.unit.pipeline.plant import CASE, FakeDriver, make_counter

TOPIC = "line1/packer"
COUNT = SignalId("PACKER-1", "count")


class ReadingDriver(FakeDriver):
    """Reads JSON with the members of a message; `path` is where the configuration says that its id is."""

    path = "id"

    def reread(self, _: str, payload: bytes, received: Instant) -> Scan:
        said = json.loads(payload)
        if self.path not in said:
            raise DataError(f"$.{self.path} is missing")
        message = Message(
            id=said[self.path],
            sequence=said.get("seq"),
            total=None if said.get("total") is None else Decimal(said["total"]),
            quantity=Decimal(said.get("units") or 1),
            uom="EA",
        )
        samples = [Sample("case_sealed", message)]
        if "count" in said:
            samples.append(Sample("count", said["count"]))
        return Scan("PACKER-1", received, tuple(samples))


@asynccontextmanager
async def packing(folder, model=None) -> AsyncIterator[Office]:
    """Return an office with cartons, whose packer's driver can read letters again."""
    async with office(folder, model, {"quantity": "50"}) as shop:
        shop.drivers["PACKER-1"] = ReadingDriver()
        shop.pipeline.attach("PACKER-1", shop.drivers["PACKER-1"])
        yield shop


async def unread(shop: Office, *, retained: bool = False, **said) -> None:
    """Have a message come that can't be read; later it says this."""
    letter = Unreadable(TOPIC, orjson.dumps(said), "$.nr is missing")
    shop.clock.advance(1)
    await shop.pipeline.intake.put(Scan("PACKER-1", shop.clock.now(), unreadable=letter, replay=retained))
    await shop.turn()


async def cases(shop: Office, *numbers: int) -> None:
    """Have the packer count cases that it numbers."""
    for number in numbers:
        shop.clock.advance(1)
        message = Message(id=f"c-{number}", sequence=number, uom="EA")
        await shop.pipeline.intake.put(Scan("PACKER-1", shop.clock.now(), (Sample("case_sealed", message),)))
        await shop.turn()


async def closed(shop: Office) -> list[tuple]:
    return await shop.rows(
        "SELECT id, close_reason, closed_by FROM dead_letter WHERE closed_at IS NOT NULL ORDER BY id"
    )


async def bodies(shop: Office) -> list[bytes]:
    return [body for (body,) in await shop.rows("SELECT body FROM posting ORDER BY seq")]


async def test_what_the_message_says_is_posted_with_the_time_it_came(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        came = text(Decimal(1)), shop.clock.now().wall.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        shop.clock.advance(3600)
        outcome = await shop.ask(RedriveLetter(1))

        assert "read again" == outcome
        assert [came] == await shop.rows("SELECT quantity, received_time FROM event")
        assert ("1", "1", "0", "0") == shop.tally(CASE)
        assert [(1, "read again", "anna")] == await closed(shop)


async def test_a_letter_that_is_closed_is_not_read_a_second_time(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        await shop.ask(RedriveLetter(1))
        with pytest.raises(CommandRefused, match="there is no open dead letter 1"):
            await shop.ask(RedriveLetter(1))

        assert ("1", "1", "0", "0") == shop.tally(CASE)


async def test_what_still_cannot_be_read_says_why_now_and_stays_open(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, number="c-1")
        with pytest.raises(CommandRefused, match=r"^\$\.id is missing$"):
            await shop.ask(RedriveLetter(1))
        shop.drivers["PACKER-1"].path = "number"  # the engineer corrects the path
        await shop.ask(RedriveLetter(1))

        assert ("1", "1", "0", "0") == shop.tally(CASE)


async def test_a_message_that_was_booked_meanwhile_is_not_booked_twice(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1", seq=1)
        await cases(shop, 1)
        outcome = await shop.ask(RedriveLetter(1))

        assert "came again by itself" == outcome
        assert ("1", "1", "0", "0") == shop.tally(CASE)


async def test_a_retained_message_is_no_event_when_it_can_be_read(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, retained=True, id="c-1")

        assert "read again: a retained message is no event" == await shop.ask(RedriveLetter(1))
        assert [] == await shop.rows("SELECT * FROM event")


async def test_a_letter_of_a_device_that_is_gone_stays_open(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        del shop.pipeline.commands.desk.drivers["PACKER-1"]
        with pytest.raises(CommandRefused, match="PACKER-1 is no device of the configuration"):
            await shop.ask(RedriveLetter(1))

        assert [] == await closed(shop)


async def test_a_counters_old_value_waits_for_a_newer_one_and_is_not_counted(tmp_path):
    model = make_packers()
    counter = Point(COUNT, "L1", replace(make_counter(Counts.GOOD), has_epoch=False))
    async with packing(tmp_path, replace(model, points={**model.points, COUNT: counter})) as shop:
        await unread(shop, id="c-1", count=100)
        with pytest.raises(CommandRefused, match=r"PACKER-1\.count was not read since"):
            await shop.ask(RedriveLetter(1))
        shop.clock.advance(5)
        shop.pipeline.intake.offer(Scan("PACKER-1", shop.clock.now(), (Sample("count", 120),)))
        await shop.turn()
        await shop.ask(RedriveLetter(1))

        assert ("1", "1", "0", "0") == shop.tally(CASE)
        assert ("0", "0", "0", "0") == shop.tally(COUNT)


async def test_a_discarded_letter_keeps_its_bytes(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        await shop.ask(DiscardLetter(1, "a test message"))

        assert [(b'{"id":"c-1"}', "a test message")] == await shop.rows("SELECT payload, close_reason FROM dead_letter")
        assert [("letter-discarded",)] == await shop.rows("SELECT kind FROM journal WHERE kind LIKE 'letter%'")


async def test_a_letter_is_only_discarded_with_a_signature(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        with pytest.raises(CommandRefused, match="discarding a message needs a signature"):
            await shop.ask(DiscardLetter(1, "a test message"), ANNA._replace(signature=None))

        assert [] == await closed(shop)


async def test_a_crash_before_the_commit_leaves_the_letter_and_its_units_as_they_were(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        shop.store.failing = 1
        with pytest.raises(Exception, match="disk I/O error"):
            await shop.ask(RedriveLetter(1))
        await shop.crash()
        shop.pipeline.attach("PACKER-1", shop.drivers["PACKER-1"])

        assert ([], []) == (await closed(shop), await shop.rows("SELECT * FROM event"))

        await shop.ask(RedriveLetter(1))

        assert ("1", "1", "0", "0") == shop.tally(CASE)


async def test_a_replay_does_it_at_the_same_place_once(tmp_path):
    async with packing(tmp_path) as shop:
        await cases(shop, 1)
        await unread(shop, id="c-2", seq=2)
        await cases(shop, 3)
        await unread(shop, number="x")
        await shop.ask(RedriveLetter(1))
        await shop.ask(DiscardLetter(2, "a test message"))
        with pytest.raises(CommandRefused):
            await shop.ask(DiscardLetter(2, "a test message"))
        await cases(shop, 4)
        again = await replayed(shop, tmp_path / "again.db", state := {})

        assert await bodies(shop) == again
        assert shop.state.tallies == state["tallies"]
        assert shop.state.exceptions == state["exceptions"]


async def test_a_replay_under_another_configuration_books_the_letter_too(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="c-1")
        await shop.ask(RedriveLetter(1))
        again, warnings = await replayed_with(shop, make_packers(), tmp_path / "again.db")

        assert ([], ["1"]) == (warnings, [one["output"]["good"] for one in again])
        assert (
            "entry" == [kind for one in await lines_of(shop) if (kind := one.get("kind")) in {"entry", "command"}][-1]
        )
