"""PACKER-1 and SCALE-1 with a plain MQTT subscriber at the embedded broker."""

import asyncio
import json
from decimal import Decimal

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.broker import EmbeddedBroker
from simulators.ledger import Ledger, read
from simulators.machine import Output, Weighing
from simulators.packer import SEAL_TOPIC, Packer, Scale, sscc
from simulators.until import until


class Subscriber:
    """Collects (topic, payload) of line1/#."""

    def __init__(self, port):
        self.heard = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test", clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe("line1/#", qos=1)
        self.client.on_message = lambda _client, _data, message: self.heard.append(message.payload)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def messages(self):
        return [json.loads(payload, parse_float=Decimal) for payload in self.heard]


@pytest.fixture
async def broker():
    broker = EmbeddedBroker()
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def subscriber(broker):
    subscriber = Subscriber(broker.link.port)
    assert await until(lambda: broker.has_subscriber(SEAL_TOPIC), within=60)
    yield subscriber
    subscriber.client.disconnect()
    await asyncio.to_thread(subscriber.client.loop_stop)


@pytest.fixture
async def packer(broker, tmp_path):
    packer = Packer(Ledger(tmp_path))
    await packer.start(broker.url)
    yield packer
    await packer.stop()


@pytest.fixture
async def scale(broker, tmp_path):
    scale = Scale(Ledger(tmp_path))
    await scale.start(broker.url)
    yield scale
    await scale.stop()


async def test_a_preset_may_name_the_signal(packer, scale, tmp_path):
    await packer.preset(7, "case_sealed")
    await scale.preset(9)
    made = [
        (tmp_path / name).read_text().splitlines()[-1]
        for name in ("PACKER-1.case_sealed.jsonl", "SCALE-1.net_weight.jsonl")
    ]

    assert [7, 9] == [json.loads(text)["value"] for text in made]


async def test_a_sealed_case_is_published_with_everything_that_names_it(subscriber, packer):
    await packer.produce(Output(sealed=1))
    assert await until(lambda: subscriber.heard, within=60)
    [message] = subscriber.messages()
    del message["ts"]

    assert {
        "id": "PACKER-1-1-1",
        "seq": 1,
        "sscc": sscc(1, 1),
        "units": 12,
        "total": 1,
        "order": "100045",
    } == message


async def test_cases_arrive_in_order_and_equal_the_ledger(subscriber, packer, tmp_path):
    await packer.produce(Output(sealed=50))
    assert await until(lambda: packer.drained and len(subscriber.heard) == 50, within=60)

    assert read(tmp_path)["PACKER-1", "case_sealed"].ids == tuple(message["id"] for message in subscriber.messages())


async def test_weights_have_three_decimals_and_an_exact_total(subscriber, scale):
    await scale.produce(Output(weighed=(Weighing(6300), Weighing(6312))))
    assert await until(lambda: len(subscriber.heard) == 2, within=60)

    assert b'"net":6.300' in subscriber.heard[0]
    assert Decimal("12.612") == subscriber.messages()[1]["total"]


async def test_an_unsettled_reading_comes_first_and_is_not_in_the_ledger(subscriber, scale, tmp_path):
    await scale.produce(Output(weighed=(Weighing(6300, unsettled=6100),)))
    assert await until(lambda: len(subscriber.heard) == 2, within=60)

    assert [False, True] == [message["stable"] for message in subscriber.messages()]
    assert [1, 2] == [message["seq"] for message in subscriber.messages()]
    assert Decimal(0) == subscriber.messages()[0]["total"]
    assert Decimal("6.300") == read(tmp_path)["SCALE-1", "net_weight"].total


async def test_what_was_made_without_a_link_is_published_afterwards(subscriber, packer, tmp_path):
    await packer.produce(Output(sealed=5))
    await packer.link.cut()
    await packer.produce(Output(sealed=40))
    during = packer.drained
    await packer.link.open()
    assert await until(lambda: packer.drained, within=60)
    made = read(tmp_path)["PACKER-1", "case_sealed"].ids
    assert await until(lambda: len({message["id"] for message in subscriber.messages()}) == 45, within=60)

    assert not during
    # an unacknowledged message may come twice
    assert list(made) == list(dict.fromkeys(message["id"] for message in subscriber.messages()))
