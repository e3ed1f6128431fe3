"""What people say of orders, lines and the clock."""

from decimal import Decimal

import pytest

from gateway.domain.clock import ClockTrust
from gateway.domain.command import AllowOverrun, ApproveLabel, ClearLine, PinBom, StartOrder, TrustClock
from gateway.domain.exception import ExceptionKind
from gateway.domain.order import Pin
from gateway.errors import CommandRefused
from tests.factories import NOON, day
from tests.unit.pipeline.panel import OPERATOR, SIGNER, entries, give, panel, waits


@pytest.fixture
async def plant(tmp_path):
    async with panel(tmp_path) as plant:
        yield plant


# --- orders and lines ---------------------------------------------------------------------------


async def test_a_started_order_gets_the_lines_units_once_it_was_cleared(plant):
    await give(plant, StartOrder("L1", "100046"))
    plant.read(good=110)
    await plant.turn()
    before = waits(plant)
    await give(plant, ClearLine("L1", "100046"))

    assert [("line-clearance", "100046/0010")] == before
    assert [("100046", "10")] == await plant.rows("SELECT order_no, good FROM order_progress")


async def test_the_clearance_is_an_entry_of_the_work_list_until_somebody_confirms_it(plant):
    await give(plant, StartOrder("L1", "100046"))
    asked = [one.reason for one in plant.exceptions(ExceptionKind.CLEARANCE)]
    await give(plant, ClearLine("L1", "100046"))

    assert ["line L1 changed from order 100045 to 100046: it has to be cleared of what 100045 left"] == asked
    assert [] == plant.exceptions(ExceptionKind.CLEARANCE)
    assert ["operator"] == await entries(plant, "line-cleared")


async def test_a_started_order_and_an_asked_clearance_are_known_after_a_restart(plant):
    await give(plant, StartOrder("L1", "100046"))
    await plant.crash()
    plant.read(good=100)
    plant.read(good=110)
    await plant.turn()

    assert [("line-clearance", "100046/0010")] == waits(plant)
    await give(plant, ClearLine("L1", "100046"))
    assert [] == waits(plant)


@pytest.mark.parametrize(
    ("command", "author"),
    [(StartOrder("L1", "100045"), OPERATOR), (ApproveLabel("100045"), OPERATOR), (PinBom("100045", "4", NOON), SIGNER)],
)
async def test_what_was_said_already_changes_nothing(plant, command, author):
    await give(plant, command, author)
    position = plant.state.head.position

    assert False is await give(plant, command, author)
    assert position == plant.state.head.position


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (StartOrder("L1", "7"), "order 7 is not in the master data"),
        (StartOrder("L1", "100046", day(1)), r"is yet to come"),
        (ApproveLabel("7"), "order 7 is not in the master data"),
        (ClearLine("L9", "100045"), "there is no line L9"),
        (PinBom("100045", "9", NOON), "version 9 is missing"),
        (PinBom("100045", "5", NOON), "version 5 is not approved"),
        (PinBom("7", "4", NOON), "order 7 is not in the master data"),
        (AllowOverrun("7", Decimal(1)), "order 7 is not in the master data"),
        (AllowOverrun("100045", Decimal(0)), "0 EA is no quantity to produce"),
    ],
)
async def test_what_names_something_unknown_is_refused(plant, command, why):
    with pytest.raises(CommandRefused, match=why):
        await give(plant, command, SIGNER)


@pytest.mark.parametrize("command", [PinBom("100045", "4", NOON), AllowOverrun("100045", Decimal(9)), TrustClock()])
async def test_what_needs_a_signature_is_refused_without_one_and_audited(plant, command):
    with pytest.raises(CommandRefused, match="needs a signature"):
        await give(plant, command)

    assert ["operator"] == await entries(plant, "refused")


async def test_a_pinned_version_counts_from_its_event_time_on(plant):
    await give(plant, PinBom("100045", "4", day(1)), SIGNER)
    await give(plant, PinBom("100045", "3", NOON), SIGNER)

    assert (Pin(NOON, "3"), Pin(day(1), "4")) == plant.state.order_states["100045"].pins


async def test_a_signed_overrun_is_the_orders_quantity_from_then_on(plant):
    await give(plant, AllowOverrun("100045", Decimal(1200)), SIGNER)

    assert Decimal(1200) == plant.state.order_states["100045"].overrun
    assert ["anna"] == await entries(plant, "overrun")


# --- the clock ----------------------------------------------------------------------------------


async def test_without_a_trusted_clock_units_wait_and_keep_their_time(plant):
    plant.clock.trusted = ClockTrust("none", 75_000, "the clock may be wrong by 75 s, more than 60 s")
    plant.read(good=110)
    await plant.turn()
    (waiting,) = plant.exceptions(ExceptionKind.TRIGGER)

    assert ("clock", "the clock may be wrong by 75 s, more than 60 s") == (waiting.code, waiting.reason)
    assert waiting.first_event == plant.clock.now().wall


async def test_an_assumed_clock_needs_nobodys_trust(plant):
    plant.clock.trusted = ClockTrust("assume", 0)

    assert False is await give(plant, TrustClock(), SIGNER)
    assert [] == await entries(plant, "clock-trusted")


async def test_a_person_who_trusts_the_clock_releases_what_waits_at_the_next_try(plant):
    plant.clock.trusted = ClockTrust("none", None, "the clock was not synchronised since the last boot")
    plant.read(good=110)
    await plant.turn()
    await give(plant, TrustClock(), SIGNER)
    await give(plant, ApproveLabel("100045"))  # whatever is tried next

    assert [] == waits(plant)
    assert [("person",)] == await plant.rows("SELECT body ->> '$.clock.trust' FROM posting")
    assert ["anna"] == await entries(plant, "clock-trusted")
