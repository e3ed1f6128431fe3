"""FILLER-1 with a plain OPC UA client."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asyncua import Client, ua

from simulators.ledger import Ledger, read
from simulators.machine import Output
from simulators.opcua_plc import FillerPlc, FillerSettings
from simulators.until import until


@pytest.fixture
async def filler(tmp_path):
    plc = FillerPlc(Ledger(tmp_path / "truth"), FillerSettings(good=65530))
    await plc.start()
    yield plc
    await plc.stop()


@pytest.fixture
async def client(filler):
    async with Client(filler.endpoint, timeout=60) as connected:
        yield connected


async def values(client, *names):
    return [await client.get_node(f"ns=2;s=Filler.{name}").read_value() for name in names]


async def test_the_nodes_have_the_documented_types(client):
    kinds = [
        await client.get_node(f"ns=2;s=Filler.{name}").read_data_type_as_variant_type()
        for name in ("Good", "Reject", "Boot", "Order")
    ]

    kind = ua.VariantType
    assert [kind.UInt16, kind.UInt16, kind.UInt32, kind.String] == kinds
    assert "urn:backflush:simulator" == (await client.get_namespace_array())[2]


async def test_the_counter_rolls_over_and_the_ledger_goes_on(filler, client, tmp_path):
    await filler.produce(Output(good=10, rejected=1))

    assert [4, 1] == await values(client, "Good", "Reject")
    assert 10 == read(tmp_path / "truth")["FILLER-1", "good"].total


async def test_a_value_carries_the_time_at_which_it_was_made(filler, client):
    await filler.produce(Output(good=1))
    value = await client.get_node("ns=2;s=Filler.Good").read_data_value()

    assert abs(datetime.now(UTC) - value.SourceTimestamp.replace(tzinfo=UTC)) < timedelta(seconds=60)


async def test_a_reset_counts_the_boot_up_and_the_counters_from_zero(filler, client):
    await filler.reset()

    assert [2, 0, 0, "100045"] == await values(client, "Boot", "Good", "Reject", "Order")


async def test_the_machine_knows_which_counters_a_client_has_read(filler, client):
    before = filler.has_been_read
    await values(client, "Good")

    assert (False, True, False) == (before, filler.has_been_read, filler.all_read)


async def test_a_subscription_counts_as_read(filler, client):
    class Handler:
        def datachange_notification(self, node, value, data):
            pass

    subscription = await client.create_subscription(50, Handler())
    nodes = [client.get_node(f"ns=2;s=Filler.{name}") for name in ("Good", "Reject")]
    await subscription.subscribe_data_change(nodes, queuesize=20)

    assert filler.all_read


async def test_bad_quality_shows_as_a_status_and_goes_away(filler, client):
    seen = []

    class Handler:
        def datachange_notification(self, _node, _value, data):
            seen.append(data.monitored_item.Value.StatusCode.is_good())

    subscription = await client.create_subscription(50, Handler())
    await subscription.subscribe_data_change(client.get_node("ns=2;s=Filler.Good"), queuesize=20)
    await filler.bad_quality(0.2)
    assert await until(lambda: len(seen) == 3, within=60)

    assert [True, False, True] == seen


async def test_after_a_dropped_link_the_port_and_the_count_are_the_same(filler):
    endpoint = filler.endpoint
    await filler.link.cut()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", filler.link.port)
    await filler.produce(Output(good=3))
    await filler.link.open()

    async with Client(endpoint, timeout=60) as client:
        assert [65533] == await values(client, "Good")
