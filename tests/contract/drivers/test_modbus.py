"""What only Modbus has: requests that combine registers, exceptions, units behind one host, plain or TLS."""

import asyncio
import contextlib
import ssl

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.domain.health import Link
from tests.contract.drivers.harness import Desk, make_driver
from tests.contract.drivers.proxy import Proxy
from tests.contract.drivers.servers import COUNTER, ModbusBench
from tests.harness.ports import free_port


@pytest.fixture
async def bench(tmp_path):
    bench = ModbusBench(tmp_path)
    yield bench
    await bench.stop()


async def test_adjacent_registers_come_by_one_request(bench, desk, running):
    await bench.start()
    async with running(bench.settings()):
        await desk.shows("good", 100)

        assert {(0, 3)} == set(bench.requests)


async def test_one_invalid_register_is_named_and_the_others_go_on_together(bench, desk, running):
    await bench.start()
    settings = bench.settings()
    settings["signals"]["reject"] = {"register": "holding", "address": 3, "counter": COUNTER}
    async with running(settings) as driver:
        await desk.linked(driver, Link.DEGRADED)
        await bench.show(good=105)
        await desk.shows("good", 105)

        assert "reject (holding 3): Bad: exception 2 ILLEGAL_ADDRESS" in driver.health.detail
        assert {(0, 3)} <= set(bench.requests[-2:])


async def test_a_gap_that_the_device_refuses_is_read_around(desk, running):
    port = free_port()
    data = [SimData(0, values=[7], datatype=DataType.REGISTERS), SimData(4, values=[1], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=data), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    signals = {
        "good": {"register": "holding", "address": 0, "counter": COUNTER},
        "boot": {"register": "holding", "address": 4},
    }
    try:
        async with running(
            {"kind": "modbus", "controller": f"tcp://127.0.0.1:{port}", "signals": signals, "poll_interval": "50ms"}
        ) as driver:
            await desk.linked(driver, Link.CONNECTED)

            assert 7 == desk.values("good")[-1]
    finally:
        await server.shutdown()


async def test_a_silent_unit_does_not_slow_another(bench, desk, running):
    await bench.start()
    async with Proxy(bench.port) as proxy:
        proxy.silent = True
        waits = running(bench.settings(proxy.port), device="SILENT-1", timeout="60s")
        async with waits as silent, running(bench.settings()):
            await desk.until(lambda: proxy.sent > 0, proxy.changed)
            polled = len(desk.scans)
            await desk.until(lambda: len(desk.scans) >= polled + 10)

            assert "SILENT-1" not in {scan.device for scan in desk.scans}
            assert Link.CONNECTING is silent.health.link


async def test_a_unit_that_its_gateway_does_not_reach_is_disconnected(bench, desk, running):
    await bench.start()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        bench.exception = 11
        await desk.linked(driver, Link.DISCONNECTED)

        assert "device_id 1: the gateway says exception 11 GATEWAY_NO_RESPONSE" in driver.health.detail


async def test_a_cancellation_that_meets_an_answer_ends_the_driver(bench, desk, running, monkeypatch):
    await bench.start()
    read = AsyncModbusTcpClient.read_holding_registers

    async def answered(client, *arguments, **options):
        answer = await read(client, *arguments, **options)
        asyncio.current_task().cancel()
        with contextlib.suppress(asyncio.CancelledError):  # as wait_for does when both come at once
            await asyncio.sleep(0)
        return answer

    monkeypatch.setattr(AsyncModbusTcpClient, "read_holding_registers", answered)
    driver = make_driver(bench.settings())
    task = asyncio.create_task(driver.run(desk))
    await asyncio.wait([task], timeout=60)

    assert task.cancelled()


async def test_a_single_bit_is_a_context(desk, running):
    port = free_port()
    bits, registers = SimData(0, values=[True] * 16, datatype=DataType.BITS), SimData(0, datatype=DataType.REGISTERS)
    device = SimDevice(1, simdata=([bits], [bits], [registers], [registers]))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    signals = {"running": {"register": "discrete", "address": 3}}
    try:
        async with running({"kind": "modbus", "controller": f"tcp://127.0.0.1:{port}", "signals": signals}):
            await desk.shows("running", 1)
    finally:
        await server.shutdown()


async def test_only_reading_functions_are_ever_sent(bench, desk, running):
    await bench.start()
    seen: set[int] = set()
    async with Proxy(bench.port) as proxy:
        proxy.tap = lambda data: seen.add(data[7])
        async with running(bench.settings(proxy.port)):
            await desk.shows("good", 100)

    assert {3} == seen


def server_tls(certificate, key) -> dict:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return {"sslctx": context}


def tls_settings(bench, authority) -> dict:
    settings = bench.settings()
    controller = settings["controller"].replace("tcp://", "tls://")
    return {**settings, "controller": controller, "tls": {"ca": str(authority.certificate)}}


async def test_tls_reads_a_unit_of_the_trusted_authority(bench, desk, running, authority):
    bench.tls = server_tls(*authority.issue("plc"))
    await bench.start()
    async with running(tls_settings(bench, authority)) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await desk.shows("good", 100)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"host": "127.0.0.9"}, "IP address mismatch"), ({"days": -1}, "expired")],
)
async def test_tls_refuses_a_wrong_certificate(bench, desk, running, authority, wrong, reason):  # noqa: PLR0917 - fixtures and parameters
    bench.tls = server_tls(*authority.issue("plc", **wrong))
    await bench.start()
    async with running(tls_settings(bench, authority)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert reason in driver.health.detail
        assert not desk.scans


async def test_tls_refuses_another_authority(bench, desk, running, authority, stranger):
    bench.tls = server_tls(*stranger.issue("plc"))
    await bench.start()
    async with running(tls_settings(bench, authority)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert "CERTIFICATE_VERIFY_FAILED" in driver.health.detail
        assert not desk.scans


async def test_health_before_anything_happened_is_connecting(bench):
    driver = make_driver(bench.settings())

    assert Link.CONNECTING is driver.health.link
    assert not Desk().scans
