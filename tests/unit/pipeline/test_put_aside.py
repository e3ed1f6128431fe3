"""Messages that were read but couldn't be done: kept in a form of their own, which no device can forge."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.command import RedriveLetter
from gateway.domain.event import EventKind, SignalId
from gateway.domain.material import Units
from gateway.errors import CommandRefused, DataError
from gateway.pipeline import put_aside
from gateway.pipeline.image import Context
from gateway.pipeline.model import Point
from gateway.signals.sample import Message, Sample, Scan, Unreadable
from tests.factories import NOON
from tests.unit.pipeline.office import Office, make_packed, make_packers
from tests.unit.pipeline.plant import CASE, make_rule
from tests.unit.pipeline.test_letters import ReadingDriver, closed, packing

STAGED = SignalId("SCALE-1", "staged")


def make_staging_line(**stocked):
    """Return the packers beside a scanner that stages lots."""
    model = make_packers(make_packed(**stocked))
    rule = make_rule(STAGED, EventKind.LOT_STAGED, "0030")
    return replace(model, points={**model.points, STAGED: Point(STAGED, "L1", rule=rule, is_event=True)})


async def scanned(shop: Office, **said) -> None:
    message = Message(**{"id": "T-1", "quantity": Decimal(7), "uom": "box", "item": "CARTON-12", "lot": "C-9", **said})
    await shop.pipeline.intake.put(Scan("SCALE-1", shop.clock.now(), (Sample("staged", message),)))
    await shop.turn()


async def test_what_the_pipeline_put_aside_is_done_once_it_can_be(tmp_path):
    async with packing(tmp_path, make_staging_line()) as shop:
        await scanned(shop)
        with pytest.raises(CommandRefused, match="box"):
            await shop.ask(RedriveLetter(1))
        await shop.change(units=Units({("CARTON-12", "box", "EA"): Fraction(10)}))
        await shop.ask(RedriveLetter(1))

        assert Decimal(70) == shop.left("C-9")
        assert [(1, "read again", "anna")] == await closed(shop)


async def test_bytes_that_look_like_what_the_pipeline_puts_aside_are_read_as_the_devices_own(tmp_path):
    forged = put_aside.written(Sample("case_sealed", Message(id="c-1", quantity=Decimal(100), uom="EA")), Context())
    async with packing(tmp_path) as shop:
        letter = Unreadable("case_sealed", forged, "$.nr is missing")
        await shop.pipeline.intake.put(Scan("PACKER-1", shop.clock.now(), unreadable=letter))
        await shop.turn()
        await shop.ask(RedriveLetter(1))

        assert ("1", "1", "0", "0") == shop.tally(CASE)


async def test_what_was_put_aside_of_a_signal_that_is_gone_is_not_read_as_bytes_of_its_device(tmp_path):
    async with packing(tmp_path, make_staging_line()) as shop:
        await scanned(shop)
        shop.drivers["SCALE-1"] = shop.pipeline.commands.desk.drivers["SCALE-1"] = ReadingDriver()
        points = {name: point for name, point in shop.model.points.items() if name != STAGED}
        await shop.asked(shop.pipeline.commands.activate(replace(shop.model, points=points)))
        with pytest.raises(CommandRefused, match=r"SCALE-1\.staged is no signal of the configuration"):
            await shop.ask(RedriveLetter(1))

        assert [] == await closed(shop)


def test_what_is_put_aside_keeps_the_devices_time_and_its_order_of_that_moment():
    sample = Sample("staged", Message(id="T-1", quantity=Decimal("0.10"), expires_at=NOON), source_time=NOON)
    said = put_aside.written(sample, Context(epoch="plc-1", order="100045"))

    assert (sample, Context(order="100045")) == put_aside.read("staged", said)


def test_what_an_earlier_version_put_aside_lacks_the_members_that_came_since():
    said = b'{"id": "T-1", "quantity": "2"}'

    assert (Sample("staged", Message(id="T-1", quantity=Decimal(2))), Context()) == put_aside.read("staged", said)


@pytest.mark.parametrize("payload", [b"{", b"[]", b"\xff", b'{"quantity": []}', b'{"source_time": 5}'])
def test_what_was_put_aside_and_damaged_says_so(payload):
    with pytest.raises(DataError, match="what was put aside of staged can't be read"):
        put_aside.read("staged", payload)


def test_only_messages_are_put_aside():
    with pytest.raises(TypeError):
        put_aside.written(Sample("staged", 5), Context())
