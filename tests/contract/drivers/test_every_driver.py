"""What any driver has to do, whatever its protocol; run over every PLUGIN against a real server."""

import asyncio

import pytest

from gateway.domain.health import Link
from tests.contract.drivers.harness import PLUGINS
from tests.contract.drivers.proxy import Proxy
from tests.contract.drivers.servers import BENCHES


@pytest.fixture(params=sorted(PLUGINS))
async def bench(request, tmp_path):
    bench = BENCHES[request.param](tmp_path)
    await bench.start()
    yield bench
    await bench.stop()


async def test_reads_every_signal_when_it_connects(bench, desk, running):
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await desk.shows("good", 100)

        assert {1} == set(desk.values("boot"))


async def test_hands_in_a_change(bench, desk, running):
    async with running(bench.settings()):
        await desk.shows("good", 100)
        await bench.show(good=107)
        await desk.shows("good", 107)


async def test_every_scan_of_a_counter_carries_the_boot_id(bench, desk, running):
    async with running(bench.settings()):
        await desk.shows("good", 100)
        await bench.show(good=0, boot=2)
        await desk.shows("good", 0)

        beside = [{sample.signal: sample.value for sample in scan.samples} for scan in desk.scans]

        assert {(100, 1), (0, 2)} == {(scan["good"], scan["boot"]) for scan in beside}


async def test_connects_to_a_server_that_starts_later(bench, desk, running):
    await bench.stop()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.DISCONNECTED)
        await bench.start()
        await desk.linked(driver, Link.CONNECTED)
        await desk.shows("good", 100)


async def test_notices_a_server_that_stops_and_reads_again_when_it_is_back(bench, desk, running):
    async with running(bench.settings()) as driver:
        await desk.shows("good", 100)
        await desk.linked(driver, Link.CONNECTED)
        await bench.stop()
        await desk.linked(driver, Link.DISCONNECTED)
        bench.good = 140
        await bench.start()
        await desk.shows("good", 140)
        await desk.linked(driver, Link.CONNECTED)


async def test_an_idle_machine_keeps_its_connection(bench, desk, running):
    async with (
        Proxy(bench.port) as proxy,
        running(bench.settings(proxy.port), **{**bench.impatient, "timeout": "60s"}) as driver,
    ):
        await desk.shows("good", 100)
        await desk.linked(driver, Link.CONNECTED)
        before = proxy.connections
        asked = proxy.sent
        await desk.until(lambda: proxy.sent >= asked + 3, proxy.changed)

        assert before == proxy.connections
        assert driver.health.link is Link.CONNECTED


async def test_a_cut_connection_is_made_anew(bench, desk, running):
    async with Proxy(bench.port) as proxy, running(bench.settings(proxy.port)) as driver:
        await desk.shows("good", 100)
        await desk.linked(driver, Link.CONNECTED)
        proxy.cut()
        await desk.linked(driver, Link.DISCONNECTED)
        await desk.linked(driver, Link.CONNECTED)
        await bench.show(good=111)
        await desk.shows("good", 111)


async def test_a_silent_server_is_noticed_and_left_when_it_answers_again(bench, desk, running):
    async with (
        Proxy(bench.port) as proxy,
        running(bench.settings(proxy.port), **bench.impatient) as driver,
    ):
        await desk.shows("good", 100)
        await desk.linked(driver, Link.CONNECTED)
        proxy.silent = True
        await desk.linked(driver, Link.DISCONNECTED)
        proxy.silent = False
        await desk.linked(driver, Link.CONNECTED)


async def test_a_bad_value_is_told_and_the_next_good_one_is_read(bench, desk, running):
    async with running(bench.settings()) as driver:
        await desk.shows("good", 100)
        await bench.break_good()
        await desk.until(lambda: desk.statuses("good")[-1] != "Good" or desk.scans[-1].unreadable)
        await bench.mend_good()
        await desk.until(lambda: desk.values("good")[-1] == 100 and not desk.scans[-1].unreadable)
        await desk.linked(driver, Link.CONNECTED)


async def test_ends_cleanly_whenever_it_is_cancelled(bench, desk, running):
    async with running(bench.settings()):
        before = asyncio.all_tasks()

    assert asyncio.all_tasks() <= before


async def test_what_means_nothing_to_a_driver_does_no_harm(bench, desk, running):
    async with running(bench.settings()) as driver:
        driver.read_again("good")
        driver.redeliver()
        driver.acknowledge(["stranger's receipt"])
        await desk.shows("good", 100)
        driver.read_again("good")
        await bench.show(good=103)
        await desk.shows("good", 103)
