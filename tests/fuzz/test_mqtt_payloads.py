"""MQTT payloads that nobody should send, through the real decoding, pipeline and store: kept, and nobody else harmed.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_mqtt_payloads.py` (see budget.py).
"""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.signals.sample import Message
from tests.fuzz.budget import PATIENCE, budget
from tests.fuzz.line import FuzzedLine, decode
from tests.fuzz.payloads import CASE, VALID, garbage

pytestmark = pytest.mark.timeout(PATIENCE)

_SEEN = 60 << 10  # bytes of a message that is always kept whole
topics = st.sampled_from(sorted(VALID))
anything = topics.flatmap(lambda topic: st.tuples(st.just(topic), garbage(VALID[topic]), st.booleans()))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return FuzzedLine(tmp_path_factory.mktemp("line") / "gateway.db").sources


@given(anything)
@example(("scale", b'{"id": "a", "seq": 1, "total": 1, "net": [0, [1, 2], 0], "stable": true}', False))
@budget(300)
def test_a_message_is_either_read_or_kept_with_its_bytes_and_the_reason(sources, sent):
    topic, payload, retain = sent
    scan = decode(sources[topic], topic, payload, retain=retain)

    assert scan.receipt
    assert retain == scan.replay
    if scan.unreadable:
        assert payload[:_SEEN] == scan.unreadable.payload[:_SEEN]
        assert scan.unreadable.reason
    elif not scan.samples:
        assert not json.loads(payload)["stable"]
    for sample in scan.samples:
        assert sample.value is None or isinstance(sample.value, int | str | Message)
        assert not isinstance(sample.value, Message) or 0 <= sample.value.quantity < Decimal("1e12")


@pytest.mark.parametrize(("topic", "name"), [("case", "id"), ("scale", "net"), ("state", "good"), ("staged", "item")])
def test_however_deep_a_value_is_nested_the_message_is_kept(sources, topic, name):
    for depth in range(700, 1050):  # the deepest that Python reads depends on who calls
        members = (f'"{key}": {json.dumps(value)}' for key, value in VALID[topic].items() if key != name)
        payload = f'{{"{name}": {"[" * depth}{"]" * depth}, {", ".join(members)}}}'.encode()

        assert payload == decode(sources[topic], topic, payload).unreadable.payload


@asynccontextmanager
async def running(path):
    line = FuzzedLine(path)
    await line.plant.open(queue=1000)
    try:
        for staging, item, lot, uom in (("S-1", "BOTTLE-500", "B-0", "EA"), ("S-2", "DRINK", "D-0", "kg")):
            await line.plant.stage(staging, "100000", item=item, lot=lot, uom=uom)
        await line.plant.stage("S-3", "100000", item="CARTON-12", lot="C-0")
        yield line
    finally:
        await line.plant.close()


def good(number: int) -> bytes:
    return json.dumps(CASE | {"id": f"good-{number}", "seq": number, "ts": "2026-11-21T10:00:00Z"}).encode()


@given(st.lists(anything, min_size=5, max_size=30))
@budget(8)
def test_a_batch_with_messages_that_nobody_should_send_counts_the_good_ones_and_keeps_the_rest(tmp_path_factory, sent):
    async def live() -> None:
        async with running(tmp_path_factory.mktemp("line") / "gateway.db") as line:
            for number, (topic, payload, retain) in enumerate(sent, 1):
                await line.deliver(topic, payload, retain=retain)
                await line.deliver("case", good(number))
                if not number % 5:
                    await line.plant.turn()
            await line.plant.turn()
            await line.accounted()
            counted = await line.plant.rows("SELECT key FROM event WHERE key LIKE 'good-%' AND quantity = '1'")
            await line.plant.crash()
            await line.plant.check()

            assert {f"good-{number}" for number in range(1, len(sent) + 1)} == {key for (key,) in counted}

    asyncio.run(live())
