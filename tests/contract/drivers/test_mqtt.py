"""What only MQTT has: acknowledgement after the commit, redelivery, retained messages, back-pressure."""

from decimal import Decimal

import pytest

from gateway.domain.clock import Instant
from gateway.domain.health import Health, Link
from gateway.errors import DataError
from gateway.signals.sample import Message, Unreadable
from tests.contract.drivers.harness import make_driver
from tests.contract.drivers.servers import MqttBench
from tests.factories import NOON


@pytest.fixture
async def bench(tmp_path):
    bench = MqttBench(tmp_path)
    yield bench
    await bench.stop()


def case(number: int) -> dict:
    return {"id": f"PACKER-1-1-{number}", "seq": number, "units": 12}


def ids(desk) -> list[str]:
    return [message.id for message in desk.values("case_sealed")]


async def test_an_unacknowledged_message_comes_again_after_redeliver(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", case(1))
        await desk.until(lambda: ids(desk) == ["PACKER-1-1-1"])
        driver.redeliver()
        await desk.until(lambda: ids(desk) == ["PACKER-1-1-1"] * 2)


async def test_an_acknowledged_message_does_not_come_again(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", case(1))
        await desk.until(lambda: len(ids(desk)) == 1)
        driver.acknowledge([scan.receipt for scan in desk.scans])
        await bench.publish("packer/case", case(2))
        await desk.until(lambda: len(ids(desk)) == 2)
        driver.redeliver()
        await desk.until(lambda: len(ids(desk)) == 3)

        expected = ["PACKER-1-1-1", "PACKER-1-1-2", "PACKER-1-1-2"]

        assert expected == ids(desk)


async def test_a_receipt_of_an_earlier_connection_acknowledges_nothing(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", case(1))
        await desk.until(lambda: len(ids(desk)) == 1)
        old = [scan.receipt for scan in desk.scans]
        driver.redeliver()
        await desk.until(lambda: len(ids(desk)) == 2)
        driver.acknowledge(old)
        driver.redeliver()
        await desk.until(lambda: len(ids(desk)) == 3)


async def test_what_is_published_while_the_gateway_is_down_comes_when_it_is_back(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
    await bench.publish("packer/case", case(1))
    async with running(bench.settings()):
        await desk.until(lambda: ids(desk) == ["PACKER-1-1-1"])


async def test_what_the_broker_held_survives_its_restart(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", case(1))
        await desk.until(lambda: len(ids(desk)) == 1)
        await bench.stop()
        await desk.linked(driver, Link.DISCONNECTED)
        await bench.start_broker()
        await desk.until(lambda: len(ids(desk)) == 2)


async def test_a_retained_message_is_marked_as_replay(bench, desk, running):
    await bench.start_broker()
    await bench.publish("packer/case", case(1), retain=True)
    async with running(bench.settings()):
        await desk.until(lambda: len(desk.scans) == 1)

        assert desk.scans[0].replay


async def test_a_live_message_is_no_replay(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", case(1), retain=True)
        await desk.until(lambda: len(desk.scans) == 1)

        assert not desk.scans[0].replay


async def test_an_unreadable_message_comes_with_its_bytes_and_a_receipt(bench, desk, running):
    await bench.start_broker()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("packer/case", b'{"id": "x", "seq": -1}')
        await desk.until(lambda: len(desk.scans) == 1)
        scan = desk.scans[0]

        expected = Unreadable("packer/case", b'{"id": "x", "seq": -1}', "$.seq: -1 is negative")

        assert expected == scan.unreadable
        assert scan.receipt


async def test_an_unstable_weight_is_no_sample_but_has_a_receipt(bench, desk, running):
    await bench.start_broker()
    settings = bench.settings()
    settings["signals"] = {
        "net_weight": {
            "topic": "scale",
            "event": {"id": "$.id", "quantity": "$.net", "uom": "$.uom", "stable": "$.stable"},
        }
    }
    async with running(settings) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("scale", {"id": "a", "net": 6.1, "uom": "kg", "stable": False})
        await desk.until(lambda: len(desk.scans) == 1)

        assert not desk.scans[0].samples
        assert desk.scans[0].receipt


async def test_an_unstable_weight_brings_its_number_with_the_total_in_its_unit(bench, desk, running):
    await bench.start_broker()
    settings = bench.settings()
    paths = {"sequence": "$.seq", "total": "$.total", "quantity": "$.net", "uom": "$.uom", "stable": "$.stable"}
    settings["signals"] = {"net_weight": {"topic": "scale", "event": {"id": "$.id", **paths, "decimals": 2}}}
    said = b'{"id":"W-7","seq":7,"total":124.85000000000001,"net":5.5,"uom":"kg","stable":false}'
    async with running(settings) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish("scale", said)
        await desk.until(lambda: len(desk.scans) == 1)
        [sample] = desk.scans[0].samples
        expected = Message(sequence=7, total=Decimal("124.85"), quantity=Decimal(0), uom="kg", stable=False)

        assert expected == sample.value


async def test_nothing_is_lost_while_the_intake_is_full(bench, desk, running):
    bench.options.append("max_inflight_messages 0")
    await bench.start_broker()
    desk.room.clear()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        messages = [("packer/case", case(number)) for number in range(1000)]
        await bench.publish_all(messages)
        held = len(driver._connection._inbox)
        desk.room.set()
        await desk.until(lambda: len(ids(desk)) >= 1000)

        assert held <= 200
        assert [message["id"] for _, message in messages] == ids(desk)


async def test_a_refused_subscription_is_named(bench):
    driver = make_driver(bench.settings())
    driver._subscribed(["packer/case"])

    assert Health(Link.DEGRADED, "the broker refuses the subscription to packer/case") == driver.health


# Security.


def mqtts(bench, authority) -> dict:
    settings = bench.settings()
    return {
        **settings,
        "broker": settings["broker"].replace("mqtt://", "mqtts://"),
        "tls": {"ca": str(authority.certificate)},
    }


def serve_tls(bench, issuer, **certificate) -> None:
    pem, key = issuer.issue("broker", **certificate)
    bench.options += [f"certfile {pem}", f"keyfile {key}"]
    bench.publishing = {"tls": {"ca_certs": str(issuer.certificate)}}


async def test_tls_takes_messages_from_a_broker_of_the_trusted_authority(bench, desk, running, authority):
    serve_tls(bench, authority)
    await bench.start_broker()
    async with running(mqtts(bench, authority)) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await bench.publish_all([("packer/case", case(number)) for number in range(100)])
        await desk.until(lambda: len(ids(desk)) == 20)  # what Mosquitto sends before the first acknowledgement
        driver.acknowledge([scan.receipt for scan in desk.scans])
        await desk.until(lambda: len(ids(desk)) == 100)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"host": "127.0.0.9"}, "IP address mismatch"), ({"days": -1}, "expired")],
)
async def test_tls_refuses_a_wrong_certificate(bench, desk, running, authority, wrong, reason):  # noqa: PLR0917 - fixtures and parameters
    serve_tls(bench, authority, **wrong)
    await bench.start_broker()
    async with running(mqtts(bench, authority)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert reason in driver.health.detail


async def test_tls_refuses_another_authority(bench, desk, running, authority, stranger):
    serve_tls(bench, stranger)
    await bench.start_broker()
    async with running(mqtts(bench, authority)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert "CERTIFICATE_VERIFY_FAILED" in driver.health.detail


async def test_a_broker_that_wants_a_certificate_refuses_a_client_without(bench, desk, running, authority):
    serve_tls(bench, authority)
    bench.options += [f"cafile {authority.certificate}", "require_certificate true"]
    await bench.start_broker()
    async with running(mqtts(bench, authority)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)


async def test_a_broker_that_wants_a_certificate_takes_ours(bench, desk, running, authority):
    serve_tls(bench, authority)
    bench.options += [f"cafile {authority.certificate}", "require_certificate true"]
    await bench.start_broker()
    certificate, key = authority.issue("gateway")
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "private_key": str(key)}
    async with running({**mqtts(bench, authority), "tls": tls}) as driver:
        await desk.linked(driver, Link.CONNECTED)


async def test_a_wrong_password_is_refused_and_shown_without_it(bench, desk, running, authority, tmp_path):
    serve_tls(bench, authority)
    (tmp_path / "passwords").write_text("")
    bench.options = [option for option in bench.options if option != "allow_anonymous true"]
    bench.options += ["allow_anonymous false", f"password_file {tmp_path / 'passwords'}"]
    (tmp_path / "secret").write_text("correct horse\n")
    await bench.start_broker()
    user = {"name": "backflush", "password": {"file": str(tmp_path / "secret")}}
    async with running({**mqtts(bench, authority), "user": user}) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert "Not authorized" in driver.health.detail
        assert "correct horse" not in driver.health.detail


def test_a_kept_message_is_read_again_as_it_would_be_now(bench):
    received = Instant(NOON, 0, "")
    scan = make_driver(bench.settings()).reread("packer/case", b'{"id": "x", "seq": 3, "units": 12}', received)

    assert received == scan.received
    assert [("case_sealed", "x")] == [(one.signal, one.value.id) for one in scan.samples]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("packer/case", b'{"id": "x", "seq": -1}', r"\$\.seq: -1 is negative"),
        ("packer/case", b"{", "the payload is no JSON"),
        ("nobody/hears", b"{}", "no signal of FILLER-1 has a topic that nobody/hears is one of"),
    ],
)
def test_a_kept_message_that_still_cannot_be_read_says_why(bench, topic, payload, reason):
    driver = make_driver(bench.settings())
    with pytest.raises(DataError, match=reason):
        driver.reread(topic, payload, Instant(NOON, 0, ""))
