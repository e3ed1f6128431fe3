"""What people say of orders and lines, what they enter by hand, and what they sign."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.bom import Method
from gateway.domain.clock import ClockTrust
from gateway.domain.command import (
    Activate,
    AllowOverrun,
    ApproveLabel,
    ClearLine,
    EditedLine,
    EnterOutput,
    IssueLot,
    PinBom,
    StartOrder,
    TrustClock,
)
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Line
from gateway.domain.order import OrderStatus, Pin
from gateway.domain.signature import Author, Signature
from gateway.errors import CommandRefused
from tests.factories import NOON, day, make_bom, make_component, make_order
from tests.unit.pipeline.plant import GOOD, Plant, VirtualClock, make_line_master, make_model

OPERATOR = Author("operator")
SIGNER = Author("anna", Signature("anna", "Anna Huber", "quality", "approved", NOON, "sha256:00"))
OTHER = make_order(order="100046", active=False, finished_lot="C261121-2")


class DoubtfulClock(VirtualClock):
    """A clock that is trusted once it was synchronised, or a person said so."""

    trusted = ClockTrust("kernel", 8)

    def trust(self) -> ClockTrust:
        return self.trusted

    def believe(self) -> None:
        self.trusted = ClockTrust("person", 0)


def make_plant_model(**changes):
    """Return a line with two orders, a scan-issued glue and an approved second version of the bill."""
    master = make_line_master()
    glue = make_component("GLUE", "2", line="0040", operation="0030", method=Method.SCAN)
    ((key, bom),) = master.boms.items()
    boms = {key: replace(bom, components=(*bom.components, glue)), (bom.bom, "4"): replace(bom, version="4")}
    boms[bom.bom, "5"] = replace(make_bom(), version="5", approved=False)
    items = {**master.items, "GLUE": replace(master.items["CARTON-12"], item="GLUE")}
    orders = {**master.orders, OTHER.order: OTHER}
    lines = {"L1": Line("L1", line_clearance=True)}
    master = replace(master, boms=boms, orders=orders, lines=lines, items=items)
    return replace(make_model(master), **changes)


@pytest.fixture
async def plant(tmp_path):
    plant = Plant(tmp_path / "gateway.db", make_plant_model())
    plant.clock = DoubtfulClock()
    await plant.open()
    await plant.stage("S-1", "1000")
    await plant.stage("S-2", "100", item="CARTON-12", lot="C-1")
    await plant.stage("S-3", "50", item="GLUE", lot="G-1")
    plant.read(good=100)
    await plant.turn()
    try:
        yield plant
        await plant.check()
    finally:
        await plant.close()


async def give(plant, command, author=OPERATOR):
    return await plant.asked(plant.pipeline.commands.execute(command, author))


async def entries(plant, kind: str) -> list[str]:
    rows = await plant.rows(f"SELECT body ->> 'person' FROM journal WHERE kind = '{kind}' ORDER BY position")
    return [person for (person,) in rows]


def waits(plant) -> list[tuple[str, str]]:
    return [(one.code, "/".join(one.scope)) for one in plant.exceptions(ExceptionKind.TRIGGER)]


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


# --- activation ---------------------------------------------------------------------------------


async def test_an_unsigned_configuration_holds_until_it_is_signed(plant):
    unsigned = replace(plant.model, activated=False, configuration="sha256:b")
    await plant.asked(plant.pipeline.commands.activate(unsigned))
    plant.read(good=110)
    await plant.turn()
    before = waits(plant)
    await give(plant, Activate("sha256:b"), SIGNER)

    assert [("not-activated", "100045/0010")] == before
    assert [] == waits(plant)
    assert ["anna"] == await entries(plant, "activated")


async def test_a_signed_configuration_stays_in_force_over_a_restart_and_a_reload(plant):
    plant.model = replace(plant.model, activated=False, configuration="sha256:b")
    await plant.asked(plant.pipeline.commands.activate(plant.model))
    await give(plant, Activate("sha256:b"), SIGNER)
    await plant.crash()
    seen = [plant.pipeline.writer.model.activated]
    await plant.asked(plant.pipeline.commands.activate(replace(plant.model, configuration="sha256:c")))
    seen.append(plant.pipeline.writer.model.activated)

    assert [True, False] == seen


async def test_only_the_loaded_configuration_can_be_signed(plant):
    with pytest.raises(CommandRefused, match="configuration sha256:c is not the one that is loaded"):
        await give(plant, Activate("sha256:c"), SIGNER)


# --- entries ------------------------------------------------------------------------------------

ENTRY = EnterOutput("E-1", "100045", "0010", good=Decimal(10), scrap=Decimal(2))


async def made(plant) -> tuple[str, ...]:
    rows = await plant.rows("SELECT good, scrap, rework FROM order_progress")
    return rows[0] if rows else ()


async def test_an_operators_entry_is_booked_like_a_machines_units(plant):
    await give(plant, ENTRY)

    assert ("10", "2", "0") == await made(plant)
    assert [("operator", "L1", "operator")] == await plant.rows(
        "SELECT DISTINCT device, signal, detail ->> 3 FROM event WHERE device = 'operator'"
    )


async def test_an_entry_is_booked_once(plant):
    answers = [await give(plant, ENTRY) for _ in range(2)]

    assert [True, False] == answers
    assert ("10", "2", "0") == await made(plant)


@pytest.mark.parametrize(
    "other", [{"good": Decimal(11)}, {"scrap": Decimal(0)}, {"rework": Decimal(1)}, {"at": NOON - timedelta(hours=1)}]
)
async def test_an_entry_that_comes_again_with_other_content_is_refused(plant, other):
    await give(plant, ENTRY)
    with pytest.raises(CommandRefused, match="entry E-1 was made before with other content"):
        await give(plant, replace(ENTRY, **other))

    assert ("10", "2", "0") == await made(plant)


async def test_an_edited_line_is_issued_as_entered_with_the_standard_beside_it(plant):
    await give(plant, replace(ENTRY, scrap=Decimal(0), lines=(EditedLine("0010", Decimal(11)),)))

    assert [("11", "10")] == await plant.rows("SELECT quantity, standard FROM posting_line WHERE item = 'BOTTLE-500'")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"good": Decimal(0), "scrap": Decimal(0)}, "is no output"),
        ({"good": Decimal(-1)}, "is no output"),
        ({"at": day(1)}, "is yet to come"),
        ({"order": "7"}, "order 7 is not in the master data"),
        ({"operation": "0099"}, "has no operation 0099"),
        ({"lines": (EditedLine("0099", Decimal(1)),)}, "operation 0010 draws no BOM line 0099"),
        ({"lines": (EditedLine("0010", Decimal(-1)),)}, "less than nothing"),
    ],
)
async def test_an_entry_that_cannot_be_is_refused(plant, changes, why):
    with pytest.raises(CommandRefused, match=why):
        await give(plant, replace(ENTRY, **changes))

    assert () == await made(plant)


async def test_an_entry_of_a_held_order_waits_like_a_machines_units(plant):
    held = replace(plant.model.master.orders["100045"], status=OrderStatus.HELD)
    master = replace(plant.model.master, orders={**plant.model.master.orders, "100045": held})
    await plant.asked(plant.pipeline.commands.activate(replace(plant.model, master=master)))
    await give(plant, replace(ENTRY, lines=(EditedLine("0010", Decimal(11)),)))

    assert [("order-status", "100045/0010")] == waits(plant)


ISSUE = IssueLot("I-1", "100045", "0030", "GLUE", "G-1", Decimal(5), "EA")


async def test_a_scanned_lot_is_issued_once(plant):
    answers = [await give(plant, ISSUE) for _ in range(2)]

    assert [True, False] == answers
    assert [("G-1", "5", "scan")] == await plant.rows("SELECT lot, quantity, method FROM posting_line")


async def test_an_issue_that_comes_again_with_other_content_is_refused(plant):
    await give(plant, ISSUE)
    with pytest.raises(CommandRefused, match="issue I-1 was made before with other content"):
        await give(plant, replace(ISSUE, quantity=Decimal(6)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"item": "PAINT"}, "item PAINT is not in the master data"),
        ({"quantity": Decimal(0)}, "quantity 0 is not above zero"),
        ({"order": "7"}, "order 7 is not in the master data"),
        ({"operation": "0099"}, "has no operation 0099"),
    ],
)
async def test_an_issue_that_cannot_be_is_refused(plant, changes, why):
    with pytest.raises(CommandRefused, match=why):
        await give(plant, replace(ISSUE, **changes))


async def test_an_issue_of_a_lot_that_is_not_there_waits_with_its_reason(plant):
    await give(plant, replace(ISSUE, lot="G-9"))

    assert ["100045/0030 scan"] == [scope for _, scope in waits(plant)]
    assert {GOOD} >= set(plant.state.tallies)
