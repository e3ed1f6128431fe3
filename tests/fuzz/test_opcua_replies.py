"""OPC UA servers that answer nonsense, and nodes that hold what is no count: nothing is taken, and the driver goes on.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_opcua_replies.py` (see budget.py).
"""

import asyncio
import logging
import random
import struct
from datetime import UTC, datetime
from uuid import UUID

import pytest
from asyncua import ua

from gateway.domain.health import Link
from tests.contract.drivers.harness import Desk, make_driver
from tests.contract.drivers.servers import COUNTER, OpcUaBench
from tests.fuzz.budget import NIGHTLY, PATIENCE, times

pytestmark = pytest.mark.timeout(PATIENCE)

QUICK = {"timeout": "200ms", "retry_after": "1ms", "retry_at_most": "5ms", "freshness": "300ms"}
ACKNOWLEDGE = struct.pack("<4sIIIIII", b"ACKF", 28, 0, 65536, 65536, 0, 0)
NONSENSE = (
    *(b"", b"\x00", b"ACKF", b"ACKF\x00\x00\x00\x00", b"ACKF\xff\xff\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    *(b"ERRF" + struct.pack("<II", 16, 0x80820000) + b"\xff" * 4, b"ERRF\x08\x00\x00\x00", ACKNOWLEDGE[:20]),
    *(ACKNOWLEDGE + b"OPNF\x20\x00\x00\x00" + b"\xff" * 24, ACKNOWLEDGE + b"MSGF\x18\x00\x00\x00" + b"\x00" * 16),
    *(ACKNOWLEDGE + ACKNOWLEDGE, ACKNOWLEDGE + b"OPNF\xff\xff\xff\x7f", b"XXXX" + b"\x10\x00\x00\x00" + b"\x00" * 8),
)
NO_COUNT = {
    "a text": ("100", ua.VariantType.String),
    "an empty text": ("", ua.VariantType.String),
    "a long text": ("9" * 100_000, ua.VariantType.String),
    "bytes": (b"\xff\x00", ua.VariantType.ByteString),
    "a flag": (True, ua.VariantType.Boolean),
    "a time": (datetime(2026, 11, 21, tzinfo=UTC), ua.VariantType.DateTime),
    "no number": (float("nan"), ua.VariantType.Double),
    "infinity": (float("-inf"), ua.VariantType.Double),
    "a part": (100.5, ua.VariantType.Float),
    "too large a float": (1e300, ua.VariantType.Double),
    "numbers": ([101, 102], ua.VariantType.UInt16),
    "no numbers": ([], ua.VariantType.UInt16),
    "nothing": (None, ua.VariantType.Null),
    "an id": (UUID(int=7), ua.VariantType.Guid),
    "a node": (ua.NodeId("Good", 2), ua.VariantType.NodeId),
    "a local text": (ua.LocalizedText("101"), ua.VariantType.LocalizedText),
    "a status": (ua.StatusCode(ua.StatusCodes.BadInternalError), ua.VariantType.StatusCode),
}


@pytest.fixture
def desk():
    heard = Desk()
    logging.getLogger("gateway.drivers").addHandler(heard)
    yield heard
    logging.getLogger("gateway.drivers").removeHandler(heard)


@pytest.fixture
async def bench(tmp_path):
    bench = OpcUaBench(tmp_path)
    yield bench
    await bench.stop()


async def test_a_server_that_answers_nonsense_is_read_as_soon_as_it_makes_sense(bench, desk):
    seed = random.randrange(2**32) if NIGHTLY else 4711
    answers = Nonsense(random.Random(seed))
    server = await asyncio.start_server(answers.serve, "127.0.0.1", bench.port)
    driver = make_driver(bench.settings(), **QUICK)
    task = asyncio.create_task(driver.run(desk))
    await desk.until(lambda: task.done() or answers.given >= times(40))
    server.close()
    answers.close()
    told = desk.values("good")
    await bench.start()
    await desk.until(lambda: task.done() or driver.health.link is Link.CONNECTED)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled(), f"seed {seed}: {task.exception()!r}"
    assert [] == told
    assert {100} == set(desk.values("good"))


class Nonsense:
    """Answers each connection with the next nonsense, and hangs up or doesn't."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.given = 0
        self._ended = asyncio.Event()

    def close(self) -> None:
        """Hang up where that didn't happen, and on everybody who still comes."""
        self._ended.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(100)
            writer.write(self._chance.choice((*NONSENSE, self._chance.randbytes(self._chance.randrange(300)))))
            self.given += 1
            if self._chance.random() < 0.2:
                await self._ended.wait()
        finally:
            writer.close()


async def test_nodes_that_hold_no_count_are_bad_values_and_the_counter_beside_them_is_followed(bench, desk):
    await bench.start()
    settings = bench.settings()
    for number, (name, (value, kind)) in enumerate(NO_COUNT.items()):
        await bench.server.nodes.objects.add_variable(ua.NodeId(f"Odd{number}", 2), name, value, kind)
        settings["signals"][name] = {"node": f"ns=2;s=Odd{number}", "counter": COUNTER}
    driver = make_driver(settings, **QUICK)
    task = asyncio.create_task(driver.run(desk))
    await desk.until(lambda: task.done() or driver.health.link is Link.DEGRADED)
    await bench.show(good=101)
    await desk.until(lambda: task.done() or desk.values("good")[-1:] == [101])
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled(), repr(task.exception())
    assert {name: {None} for name in NO_COUNT} == {name: set(desk.values(name)) for name in NO_COUNT}
    assert {100, 101} == set(desk.values("good"))
