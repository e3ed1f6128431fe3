"""A recording done again: everything that came in, at the moments it had, whatever happened between."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.command import CloseException, EnterOutput, Reverse
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Cumulation
from gateway.errors import CommandRefused, StoreError
from gateway.pipeline.replay import Entry, units
from tests.factories import NOON, make_component
from tests.property.replaying import lines_of, replayed, replayed_with
from tests.unit.pipeline.office import ANNA, make_packed, make_packers, office


async def bodies(plant) -> list[bytes]:
    return [body for (body,) in await plant.rows("SELECT body FROM posting ORDER BY seq")]


async def test_counters_gaps_notices_and_held_segments_are_done_again(plant, tmp_path):
    plant.read(good=130, reject=4)
    await plant.turn()
    plant.read(good=60_000)  # held: too fast
    await plant.turn()
    plant.read(good=60_001)
    await plant.turn()
    await plant.send(id="case-1", sequence=1, sscc="340123450000000018")
    await plant.send(id="case-4", sequence=4, sscc="wrong")
    await plant.send(id="case-4", sequence=4, quantity=Decimal(7))  # says something else
    await plant.send(id="case-3", sequence=3)
    await plant.turn()
    again = await replayed(plant, tmp_path / "again.db", state := {})

    assert await bodies(plant) == again
    assert plant.state.exceptions == state["exceptions"]
    assert plant.state.tallies == state["tallies"]
    assert {"trigger", "gap", "notice", "counter"} >= {one.kind for one in plant.state.exceptions.values()} != set()


async def test_a_crash_between_a_command_and_what_it_released_comes_at_the_same_place(tmp_path):
    async with office(tmp_path) as shop:
        await shop.pack("3", "4")
        shop.clock.advance(5)
        shop.store.failing = 0
        commit, done = shop.store.commit, []

        async def breaks_after_the_first(batch):
            if done:
                raise StoreError("store gateway.db: disk I/O error")
            done.append(batch)
            await commit(batch)

        shop.store.commit = breaks_after_the_first
        with pytest.raises(StoreError):
            await shop.put("S-1", "100")
        await shop.close()
        shop.clock.advance(60)
        await shop.open()

        assert ["2026-11-21T12:01:05.000Z"] * 2 == [(await shop.posting(seq))["posted_at"] for seq in (1, 2)]
        assert await bodies(shop) == await replayed(shop, tmp_path / "again.db")


async def test_commands_entries_and_refusals_are_done_again(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        await shop.ask(EnterOutput("E-1", "100045", "0030", good=Decimal(3)))
        await shop.pack("2")
        await shop.ask(Reverse(2, "miscount"))
        with pytest.raises(CommandRefused, match="already reversed"):
            await shop.ask(Reverse(2, "miscount"))
        with pytest.raises(CommandRefused, match="needs a signature"):
            await shop.ask(Reverse(1, "miscount"), ANNA._replace(signature=None))
        await shop.asked(shop.pipeline.commands.audit(Reverse(1, "miscount"), ANNA, "the password is wrong"))
        await shop.pack("1")

        assert await bodies(shop) == await replayed(shop, tmp_path / "again.db")


async def test_a_configuration_that_changed_meanwhile_changes_again(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        first = shop.model.master
        await shop.pack("2")
        second = replace(make_packed(make_component("CARTON-12", "2", operation="0030")), hash="sha256:second")
        await shop.asked(shop.pipeline.commands.activate(replace(shop.model, master=second)))
        await shop.pack("2")
        masters = {one.hash: one for one in (first, second)}

        assert await bodies(shop) == await replayed(shop, tmp_path / "again.db", masters=masters)
        assert [("consumed", "CARTON-12", "C-1", "4")] == (await shop.lines(2))[1:]


async def test_under_another_configuration_a_reversal_means_the_posting_of_the_same_event(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        await shop.pack("1", "2", "3")
        await shop.ask(Reverse(3, "miscount"))
        windows = make_packers(cumulate=Cumulation(units=Decimal(3)))
        again, warnings = await replayed_with(shop, windows, tmp_path / "again.db")

    assert [] == warnings
    assert ["3", "3", "-3"] == [one["output"]["good"] for one in again]  # 1 and 2 are one document
    assert {"seq": 2} == again[2]["reverses"]


async def test_under_another_configuration_a_reversal_finds_no_posting_in_an_open_window(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        await shop.pack("1")
        await shop.ask(Reverse(1, "miscount"))
        windows = make_packers(cumulate=Cumulation(units=Decimal(3)))
        again, warnings = await replayed_with(shop, windows, tmp_path / "again.db")

    assert [] == again
    assert 1 == len(warnings)
    assert "PACKER-1.case_sealed m-1 is in document 1, which is still open here" in warnings[0]


async def test_under_another_configuration_what_waits_elsewhere_is_named(tmp_path):
    async with office(tmp_path) as shop:
        await shop.pack("1")
        (waiting,) = shop.exceptions(ExceptionKind.TRIGGER)
        await shop.ask(CloseException(waiting.id, "miscount"))
        master = make_packed(bom={"components": ()})
        again, warnings = await replayed_with(shop, make_packers(master), tmp_path / "again.db")

        assert ["1"] == [one["output"]["good"] for one in again]
        assert 1 == len(warnings)
        assert "CloseException is refused: no trigger exception of 100045/0030 is open here" in warnings[0]


def test_what_stands_before_the_first_tick_happens_at_its_moment():
    tick = {"at": NOON.isoformat(), "trust": "assume", "error_ms": 0, "retried": 3}
    happened = list(units([Entry(2, "gap", {}), Entry(3, "tick", tick), Entry(4, "tick", {**tick, "trust": "none"})]))

    assert [(NOON, "scans"), (NOON, "retry"), (NOON, "retry")] == [(one.at, one.kind) for one in happened]
    assert (Entry(2, "gap", {}),) == happened[0].entries


async def test_a_recording_says_in_what_order_everything_happened(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        await shop.pack("2")
        await shop.ask(Reverse(1, "miscount"))
        header, *lines = await lines_of(shop)

    assert {"postings": 0, "events": 0} == header["missing"]
    assert ["snapshot", "activation", "tick", "command", "tick", "event", "tick", "command", "end"] == [
        one["kind"] for one in lines if one is not lines[0]
    ]
    assert {"event": ["PACKER-1", "case_sealed", "m-1"]} == lines[-2]["about"]
