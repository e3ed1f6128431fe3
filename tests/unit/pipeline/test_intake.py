"""The bounded queue between drivers and pipeline."""

import asyncio
from dataclasses import replace

from gateway.domain.clock import Instant
from gateway.pipeline.intake import IntakeQueue
from gateway.signals.sample import Sample, Scan, Unreadable
from tests.factories import NOON


def make_scan(device: str = "FILLER-1", **values) -> Scan:
    return Scan(device, Instant(NOON, 0, "boot"), tuple(Sample(name, value) for name, value in values.items()))


def taken(queue: IntakeQueue, most: int = 100) -> list[dict]:
    return [{one.signal: one.value for one in scan.samples} for scan in queue.take(most)]


async def test_scans_are_taken_in_the_order_they_came_at_most_so_many():
    queue = IntakeQueue()
    for value in (1, 2, 3):
        queue.offer(make_scan(good=value))

    assert [{"good": 1}, {"good": 2}] == taken(queue, 2)
    assert [{"good": 3}] == taken(queue, 2)
    assert not queue.arrived.is_set()


async def test_a_full_queue_keeps_the_newest_value_of_each_signal():
    queue = IntakeQueue(limit=1)
    queue.offer(make_scan(good=1))
    queue.offer(make_scan(good=2, reject=7))
    queue.offer(make_scan(good=3))
    queue.offer(make_scan("CAPPER-1", capped=5))

    assert 3 == len(queue)
    assert [{"good": 1}, {"good": 3, "reject": 7}, {"capped": 5}] == taken(queue)


async def test_what_was_coalesced_is_not_overtaken_by_its_devices_newer_scans():
    queue = IntakeQueue(limit=2)
    for value in (1, 2, 3):
        queue.offer(make_scan(good=value))
    queue.take(1)
    queue.offer(make_scan(good=4))

    assert [{"good": 2}, {"good": 4}] == taken(queue)


async def test_coalesced_scans_wait_until_the_others_are_taken():
    queue = IntakeQueue(limit=2)
    for value in (1, 2, 3):
        queue.offer(make_scan(good=value))

    assert [{"good": 1}, {"good": 2}] == taken(queue, 2)
    assert [{"good": 3}] == taken(queue, 2)


async def test_an_event_waits_while_the_queue_is_full_and_is_never_dropped():
    queue = IntakeQueue(limit=1)
    await queue.put(make_scan(sealed=1))
    waiting = asyncio.ensure_future(queue.put(make_scan(sealed=2)))
    await asyncio.sleep(0)

    assert not waiting.done()
    assert [{"sealed": 1}] == taken(queue)

    await waiting

    assert [{"sealed": 2}] == taken(queue)


async def test_a_closed_queue_takes_nothing_more_and_gives_out_what_waits():
    queue = IntakeQueue()
    queue.offer(make_scan(good=1))
    queue.close()
    queue.offer(make_scan(good=2))
    waiting = asyncio.ensure_future(queue.put(make_scan(sealed=1)))
    await asyncio.sleep(0)

    assert [{"good": 1}] == taken(queue)
    assert not waiting.done()

    waiting.cancel()


async def test_a_few_huge_messages_are_as_full_as_many_small_ones():
    queue = IntakeQueue()
    huge = replace(make_scan("PACKER-1"), unreadable=Unreadable("line1/packer", bytes(8 << 20), "no JSON"))
    await queue.put(huge)
    await queue.put(huge)
    waiting = asyncio.create_task(queue.put(huge))
    await asyncio.sleep(0)

    assert not waiting.done()

    queue.take(1)
    await waiting

    assert 2 == len(queue)
