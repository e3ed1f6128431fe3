from datetime import timedelta

import pytest

from gateway.domain.event import EventKind
from gateway.store import forget
from gateway.store.batch import Batch, Closing, ConsumerKey, ConsumerKind, EventRow, InputRow, Mark, Rejection, Snapshot
from gateway.store.log import PostingLog
from gateway.store.retention import prune
from gateway.store.store import Registration
from gateway.store.verify import verify
from tests.unit.store.samples import GOOD, START, make_event

ERP = ConsumerKey(ConsumerKind.SINK, "erp")
KEEP = timedelta(days=90)
LATER = START + KEEP + timedelta(seconds=1)


@pytest.fixture
async def acknowledged(store, line):
    """Ten postings, six of them acknowledged by the one required consumer."""
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(Batch(consumers={ERP: Mark(6, START)}))
    return line


async def test_what_is_old_and_acknowledged_is_deleted(store, path, acknowledged):
    assert await prune(store, KEEP, LATER) == 6

    log = await PostingLog.open(path)
    page = await log.page(0, None, 100)
    assert ([one.seq for one in page.documents], await log.first_available()) == ([7, 8, 9, 10], 7)
    await log.close()


async def test_the_rest_is_still_verified(store, path, acknowledged):
    await prune(store, KEEP, LATER)
    await store.commit(acknowledged.posted(3))
    await store.commit(Batch(consumers={ERP: Mark(12, START)}))
    await prune(store, KEEP, LATER)

    report = verify(path)
    assert [one for one in report.checks if not one.ok] == []


async def test_tampering_shows_after_retention_too(store, path, acknowledged):
    await prune(store, KEEP, LATER)
    await store.transact(lambda raw: raw.execute("DELETE FROM posting WHERE seq = 7"))

    assert {"sequence", "chain"} <= {one.name for one in verify(path).checks if not one.ok}


async def test_nothing_is_deleted_while_no_consumer_is_required(store, line):
    await store.commit(Batch(consumers={ERP: Mark(6, START)}))

    assert await prune(store, KEEP, LATER) == 0


async def test_nothing_is_deleted_before_its_time(store, acknowledged):
    assert await prune(store, KEEP, LATER - timedelta(seconds=2)) == 0


async def test_a_refused_posting_and_what_follows_it_stay(store, acknowledged):
    await store.commit(Batch(rejections=[Rejection("erp", 3, "unknown lot", START)]))

    assert await prune(store, KEEP, LATER) == 2


async def test_retention_goes_on_once_a_refusal_is_closed(store, acknowledged):
    await store.commit(Batch(rejections=[Rejection("erp", 3, "unknown lot", START)]))
    await store.commit(Batch(closed_rejections={("erp", 3): Closing(START, "booked by hand", "eva")}))

    assert await prune(store, KEEP, LATER) == 6


async def test_event_keys_stay_known_as_long_as_their_posting(store, acknowledged):
    keys = [(*GOOD, make_event(number).key) for number in (6, 7)]
    await prune(store, KEEP, LATER)

    assert {keys[1]: None} == await store.known_events(keys)


async def test_ids_are_never_given_again(store, line):
    await store.commit(line.released(await store.held_triggers(1, 10)))
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(Batch(consumers={ERP: Mark(13, START)}))
    before = await store.load()
    assert await prune(store, KEEP, LATER) == 13

    after = await store.load()
    assert (before.ids.event, before.ids.trigger, before.head) == (after.ids.event, after.ids.trigger, after.head)


async def test_a_trigger_stays_while_a_later_document_speaks_of_it(store, path, acknowledged):
    await store.commit(acknowledged.reversed(1003))
    await prune(store, KEEP, LATER)
    kept = [(one.trigger, one.document) for one in await store.links_of_triggers([2, 3])]
    sound = verify(path).ok
    await store.commit(Batch(consumers={ERP: Mark(11, START)}))
    await prune(store, KEEP, LATER)

    assert [(3, 1003), (3, 1011)] == kept
    assert sound
    assert [] == await store.links_of_triggers([3])
    assert [one for one in verify(path).checks if not one.ok] == []
    assert [] == await store.triggers([3])


async def test_a_trigger_stays_while_it_is_owed_something(store, path, line):
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(line.short(3))
    await store.commit(Batch(consumers={ERP: Mark(11, START)}))
    await prune(store, KEEP, LATER)
    await store.commit(line.settled(1))

    assert [make_event(14)] == [one.event for one in await store.triggers([13, 14]) if one.id == 14]
    assert [one for one in verify(path).checks if not one.ok] == []


async def test_an_open_document_stays_whole(store, path, acknowledged):
    await store.commit(acknowledged.gathered_in(2))
    await store.commit(acknowledged.posted(1))
    await store.commit(Batch(consumers={ERP: Mark(11, START)}))
    await prune(store, KEEP, LATER)

    assert [14, 15] == [one.trigger for one in await store.links_of_document(acknowledged.documents - 1)]
    assert [one for one in verify(path).checks if not one.ok] == []


async def test_a_kept_triggers_mark_is_no_way_to_hide_a_deleted_posting(store, path, acknowledged):
    await store.transact(lambda raw: raw.execute("UPDATE trigger_log SET retained = 1 WHERE id = 8"))
    await store.transact(lambda raw: raw.execute("DELETE FROM posting WHERE seq = 8"))

    assert {"sequence", "chain"} <= {one.name for one in verify(path).checks if not one.ok}


async def test_what_the_engine_was_told_goes_with_the_events_it_stood_before(store, acknowledged):
    started = make_event(14, EventKind.ORDER_STARTED)
    inputs = [InputRow(number, after, "tick", b"{}") for number, after in enumerate((1, 5, 6, 7), 1)]
    await store.commit(Batch(events=[EventRow(14, started, "NEW")], inputs=inputs))
    await prune(store, KEEP, LATER)

    left = await store.transact(lambda raw: raw.execute("SELECT id FROM input ORDER BY id").fetchall())
    assert [(3,), (4,)] == left
    assert {(*GOOD, started.key): None} == await store.known_events([(*GOOD, started.key)])
    assert (await store.load()).ids.input == 5


async def test_units_on_trial_go_with_the_events_they_stood_before(store, path, acknowledged):
    for key in ("tried-1", "tried-2"):
        acknowledged.events += 1
        tried = make_event(acknowledged.events, EventKind.TRIED)._replace(key=key)
        await store.commit(Batch(events=[EventRow(acknowledged.events, tried, "NEW")]))
        await store.commit(acknowledged.posted(1))
    await store.commit(Batch(consumers={ERP: Mark(11, START)}))
    await prune(store, KEEP, LATER)

    known = await store.known_events([(*GOOD, "tried-1"), (*GOOD, "tried-2")])
    assert [(*GOOD, "tried-2")] == list(known)
    assert [] == [one for one in verify(path).checks if not one.ok]
    assert [("1",)] == await store.transact(
        lambda raw: raw.execute("SELECT quantity FROM retained WHERE kind = 'tried'").fetchall()
    )


async def test_a_long_past_goes_in_many_transactions(store, path, acknowledged):
    await store.commit(acknowledged.posted(900))
    await store.commit(Batch(consumers={ERP: Mark(910, START)}))

    assert await prune(store, KEEP, LATER) == 910
    assert [one for one in verify(path).checks if not one.ok] == []


OLD, NEW = "sha256:9f2c", "sha256:77aa"  # the first one is what every posting and document here names
_HASHES = "SELECT hash FROM snapshot ORDER BY hash"


async def keep_snapshots(store) -> None:
    """First the one that the postings name, then the one that is in use from now on."""
    for name in (OLD, NEW):
        await store.commit(Batch(snapshots=[Snapshot(name, b"{}", START)]))


async def snapshots(store) -> list[str]:
    return [name for (name,) in await store.transact(lambda raw: raw.execute(_HASHES).fetchall())]


async def test_a_snapshot_goes_with_the_last_posting_that_names_it(store, acknowledged):
    await keep_snapshots(store)
    await prune(store, KEEP, LATER)
    between = await snapshots(store)
    await store.commit(Batch(consumers={ERP: Mark(10, START)}))
    await prune(store, KEEP, LATER)

    assert ([NEW, OLD], [NEW]) == (between, await snapshots(store))


async def test_a_snapshot_stays_while_an_open_document_or_an_activation_names_it(store, acknowledged):
    await keep_snapshots(store)
    activation = InputRow(1, 13, "activation", b'{"master_data": "sha256:66bb"}')
    await store.commit(Batch(snapshots=[Snapshot("sha256:66bb", b"{}", START)], inputs=[activation]))
    await store.commit(Batch(snapshots=[Snapshot(NEW, b"{}", START)]))
    await store.commit(acknowledged.gathered_in(2))
    await store.commit(Batch(consumers={ERP: Mark(10, START)}))
    await prune(store, KEEP, LATER)

    assert ["sha256:66bb", NEW, OLD] == await snapshots(store)


async def test_the_inputs_to_delete_are_found_by_their_index(store):
    rows = await store.transact(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {forget._LAST_INPUT}", (5,)).fetchall())

    assert ["SEARCH input USING COVERING INDEX input_after (after_event<?)"] == [row[3] for row in rows]
