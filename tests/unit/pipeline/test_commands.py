"""What the API, the ERP and the sinks ask of the one writer."""

import asyncio
from dataclasses import replace
from fractions import Fraction

import pytest

from gateway.domain.lot import LotStatus, Owner
from gateway.domain.material import Units
from gateway.errors import CommandRefused, StoreError, TransientError
from gateway.store.batch import ConsumerKind
from tests.factories import NOON, day, make_staging
from tests.unit.pipeline.plant import Plant, make_line_master, make_model


async def through(plant) -> dict[tuple[str, str], int]:
    return {(one.kind.value, one.name): one.through for one in await plant.log.consumers()}


async def test_a_staging_is_applied_once(empty):
    answers = [await empty.stage("S-1", "10") for _ in range(2)]

    assert [True, False] == answers
    assert [("10",)] == await empty.rows("SELECT staged FROM lot_balance")


async def test_a_staging_is_kept_in_the_items_stock_unit(empty):
    await empty.stage("S-1", "3", uom="tray")

    assert [("60", "EA")] == await empty.rows("SELECT staged, uom FROM lot_balance")


async def test_a_staging_is_known_after_a_restart(empty):
    await empty.stage("S-1", "10")
    await empty.crash()

    assert False is await empty.stage("S-1", "10")


async def test_stagings_of_the_master_data_are_applied_once_however_often_it_is_read(tmp_path):
    model = make_model(make_line_master(stagings=(make_staging("S-1", "10"), make_staging("S-2", "5", lot="B-2"))))
    plant = Plant(tmp_path / "gateway.db", model)
    await plant.open()
    await plant.asked(plant.pipeline.commands.activate(model))
    await plant.crash()

    assert [("B-1", "10"), ("B-2", "5")] == await plant.rows("SELECT lot, staged FROM lot_balance")

    await plant.close()


@pytest.mark.parametrize(
    ("staging", "why"),
    [
        (make_staging("S-1", "11"), "was applied before with other content"),
        (make_staging("S-2", "1", item="LABEL"), "item LABEL is not in the master data"),
        (make_staging("S-2", "1", owner=Owner("order", "7")), "there is no order 7"),
        (make_staging("S-2", "1", owner=Owner("line", "L9")), "there is no line L9"),
        (make_staging("S-2", "0"), "quantity 0 is not above zero"),
        (make_staging("S-2", "1", uom="kg"), "no conversion from kg to EA"),
        (make_staging("S-2", "1", expires_at=day(1)), "lot B-1 has expires_at None in the store"),
        (make_staging("S-2", "1", status=LotStatus.QUARANTINE), "lot B-1 has status unrestricted in the store"),
    ],
)
async def test_a_staging_that_contradicts_what_is_known_is_refused_and_changes_nothing(empty, staging, why):
    await empty.stage("S-1", "10")
    head = empty.state.head
    with pytest.raises(CommandRefused, match=why):
        await empty.asked(empty.pipeline.commands.stage(staging, "operator"))

    assert head == empty.state.head


async def test_a_model_whose_stagings_contradict_the_store_is_refused_as_a_whole(empty):
    await empty.stage("S-1", "10")
    stagings = (make_staging("S-2", "5", lot="B-2"), make_staging("S-1", "11"))
    before = empty.pipeline.writer.model
    with pytest.raises(CommandRefused):
        await empty.asked(empty.pipeline.commands.activate(make_model(make_line_master(stagings=stagings))))

    assert before is empty.pipeline.writer.model
    assert [("10",)] == await empty.rows("SELECT staged FROM lot_balance")


async def test_a_model_whose_stagings_cant_be_written_is_not_in_force(empty):
    before = empty.pipeline.writer.model
    model = make_model(make_line_master(stagings=(make_staging("S-1", "5"),)))
    empty.store.failing = 1
    with pytest.raises(StoreError):
        await empty.pipeline.commands.activate_now(model)

    assert before is empty.pipeline.writer.model


async def test_an_acknowledgement_moves_only_that_consumer(plant):
    plant.read(good=101)
    await plant.turn()
    answer = await plant.asked(plant.pipeline.commands.acknowledge("erp", plant.store.store, 1))

    assert 1 == answer
    assert {("puller", "erp"): 1} == await through(plant)


async def test_a_watermark_never_goes_back(plant):
    plant.read(good=101)
    await plant.turn()
    answers = [await plant.asked(plant.pipeline.commands.acknowledge("erp", plant.store.store, to)) for to in (1, 0)]

    assert [1, 1] == answers


@pytest.mark.parametrize(
    ("store", "seq", "why"), [("OTHER", 0, "not OTHER"), (None, 1, "seq 1 is beyond the last one, 0")]
)
async def test_an_acknowledgement_of_what_isnt_there_is_refused(plant, store, seq, why):
    with pytest.raises(CommandRefused, match=why):
        await plant.asked(plant.pipeline.commands.acknowledge("erp", store or plant.store.store, seq))


async def test_a_sinks_watermark_is_its_own_and_what_it_refused_is_kept(plant):
    plant.read(good=101)
    await plant.turn()
    await plant.asked(plant.pipeline.commands.deliver("erp", 1, {1: "unknown material"}))

    assert {(ConsumerKind.SINK.value, "erp"): 1} == await through(plant)
    assert [("erp", 1, "unknown material")] == await plant.rows("SELECT sink, seq, reason FROM sink_rejection")


async def test_an_answer_comes_after_the_commit(plant):
    plant.store.failing = 1
    with pytest.raises(StoreError):
        await plant.asked(plant.pipeline.commands.deliver("erp", 0, {}))


async def test_a_command_whose_caller_went_away_is_carried_out(empty):
    caller = asyncio.ensure_future(empty.pipeline.commands.stage(make_staging("S-1", "10"), "operator"))
    refused = asyncio.ensure_future(empty.pipeline.commands.acknowledge("erp", "OTHER", 0))
    await asyncio.sleep(0)
    caller.cancel()
    refused.cancel()
    await empty.turn()

    assert [("10",)] == await empty.rows("SELECT staged FROM lot_balance")


async def test_a_command_that_breaks_off_does_not_keep_its_caller_waiting(empty, monkeypatch):
    monkeypatch.setattr(empty.pipeline.writer, "commit", None)
    waiting = asyncio.ensure_future(empty.pipeline.commands.acknowledge("erp", empty.store.store, 0))
    await asyncio.sleep(0)
    with pytest.raises(TypeError):
        await empty.turn()

    with pytest.raises(TransientError, match="broken off"):
        await waiting


async def test_health_says_that_a_batch_broke_off_until_one_is_committed(empty, monkeypatch):
    commit = empty.pipeline.writer.commit
    monkeypatch.setattr(empty.pipeline.writer, "commit", None)
    empty.read(good=1)
    with pytest.raises(TypeError):
        await empty.pipeline.run()
    broken = empty.pipeline.failure
    monkeypatch.setattr(empty.pipeline.writer, "commit", commit)
    empty.run()
    await empty.settled()

    assert broken.startswith("the batch broke off: TypeError")
    assert "" == empty.pipeline.failure


async def test_what_waits_and_what_comes_after_the_end_is_refused(empty):
    commands = empty.pipeline.commands
    waiting = [asyncio.ensure_future(commands.acknowledge("erp", empty.store.store, 0)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    commands.refuse("the gateway is stopping")
    with pytest.raises(TransientError, match="the gateway is stopping"):
        await waiting[1]
    with pytest.raises(TransientError, match="the gateway is stopping"):
        await commands.acknowledge("erp", empty.store.store, 0)


async def test_what_is_asked_while_the_store_is_broken_is_refused_until_it_is_not(empty):
    commands = empty.pipeline.commands
    commands.refuse("disk full")
    with pytest.raises(TransientError, match="not carried out: disk full"):
        await commands.acknowledge("erp", empty.store.store, 0)
    commands.accept()

    assert 0 == await empty.asked(commands.acknowledge("erp", empty.store.store, 0))


async def test_what_is_committed_is_announced_to_the_readers_of_the_log(plant):
    plant.read(good=101)
    await plant.turn()

    assert await plant.log.wait_beyond(0, timeout=0)


async def test_a_staging_names_who_did_it_in_the_chain(empty):
    await empty.stage("S-1", "10", received_at=NOON)
    (body,) = (await empty.rows("SELECT body FROM journal"))[0]

    assert b'"person":"operator"' in body


async def test_a_conversion_that_never_ends_is_refused(empty):
    master = replace(make_line_master(), units=Units({("BOTTLE-500", "third", "EA"): Fraction(1, 3)}))
    await empty.asked(empty.pipeline.commands.activate(make_model(master)))
    with pytest.raises(CommandRefused, match="never ends as a decimal"):
        await empty.stage("S-1", "1", uom="third")
