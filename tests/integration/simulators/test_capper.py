"""CAPPER-1 with a plain Modbus client."""

import asyncio

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from simulators.ledger import Ledger, read
from simulators.machine import Output
from simulators.modbus_plc import CapperPlc, CapperSettings


@pytest.fixture
async def capper(tmp_path):
    plc = CapperPlc(Ledger(tmp_path / "truth"), CapperSettings(capped=65535))
    await plc.start()
    yield plc
    await plc.stop()


@pytest.fixture
async def client(capper):
    client = AsyncModbusTcpClient("127.0.0.1", port=capper.link.port, timeout=30, retries=0)
    await client.connect()
    yield client
    client.close()


async def poll(client):
    return (await client.read_holding_registers(0, count=3, device_id=1)).registers


async def test_the_count_is_two_words_with_the_low_one_first(capper, client, tmp_path):
    await capper.produce(Output(capped=3))

    assert [2, 1, 1] == await poll(client)
    assert 3 == read(tmp_path / "truth")["CAPPER-1", "capped"].total


async def test_the_machine_knows_when_it_was_polled_first(capper, client):
    before = capper.has_been_read
    await poll(client)

    assert (False, True) == (before, capper.has_been_read)


async def test_a_torn_read_happens_once(capper, client):
    await capper.produce(Output(capped=3))
    capper.torn_once()

    assert [[2, 0, 1], [2, 1, 1]] == [await poll(client), await poll(client)]


async def test_a_reset_counts_the_boot_up_and_the_count_from_zero(capper, client):
    await capper.reset()

    assert [0, 0, 2] == await poll(client)


async def test_a_counter_cannot_be_written(capper, client):
    assert (await client.write_registers(0, [7, 7], device_id=1)).isError()
    assert [65535, 0, 1] == await poll(client)


async def test_a_silent_device_accepts_the_connection_and_answers_later(capper, client):
    client.ctx.comm_params.timeout_connect = 0.2
    silence = asyncio.ensure_future(capper.link.silent(2))
    with pytest.raises(ModbusIOException):
        await poll(client)
    await silence
    await client.connect()

    assert [65535, 0, 1] == await poll(client)
