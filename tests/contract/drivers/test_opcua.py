"""What only OPC UA has: subscriptions, nodes that don't exist, and servers to be believed or not."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from gateway.domain.health import Link
from tests.contract.drivers.proxy import Proxy
from tests.contract.drivers.servers import COUNTER, OpcUaBench


@pytest.fixture
async def bench(tmp_path):
    bench = OpcUaBench(tmp_path)
    yield bench
    await bench.stop()


def with_signal(settings: dict, name: str, signal: dict) -> dict:
    return {**settings, "signals": {**settings["signals"], name: signal}}


async def test_every_value_of_a_burst_comes_in_order(bench, desk, running):
    await bench.start()
    async with running(bench.settings(), sampling_interval="300ms") as driver:
        await desk.linked(driver, Link.CONNECTED)
        expected = list(range(101, 116))
        begin = datetime.now(UTC)
        for step, value in enumerate(expected):
            moment = begin + timedelta(milliseconds=step)
            await bench._good.write_value(
                ua.DataValue(ua.Variant(value, ua.VariantType.UInt16), SourceTimestamp=moment)
            )
        await desk.shows("good", 115)

        assert expected == [value for value in desk.values("good") if value > 100]


async def test_one_invalid_node_is_named_and_the_others_go_on(bench, desk, running):
    await bench.start()
    settings = with_signal(bench.settings(), "reject", {"node": "ns=2;s=Reject", "counter": COUNTER})
    async with running(settings, freshness="200ms") as driver:
        await desk.linked(driver, Link.DEGRADED)
        await bench.show(good=105)
        await desk.shows("good", 105)

        assert "reject (ns=2;s=Reject): BadNodeIdUnknown" in driver.health.detail


async def test_a_node_that_appears_later_is_followed(bench, desk, running):
    await bench.start()
    settings = with_signal(bench.settings(), "reject", {"node": "ns=2;s=Reject", "counter": COUNTER})
    async with running(settings, freshness="200ms") as driver:
        await desk.linked(driver, Link.DEGRADED)
        objects = bench.server.nodes.objects
        reject = await objects.add_variable(ua.NodeId("Reject", 2), "Reject", 3, ua.VariantType.UInt16)
        await desk.linked(driver, Link.CONNECTED)
        await bench.write(reject, 4, ua.VariantType.UInt16)
        await desk.shows("reject", 4)


async def test_a_subscription_that_says_nothing_while_values_change_is_rebuilt(bench, desk, running):
    await bench.start()
    async with (
        Proxy(bench.port) as proxy,
        running(bench.settings(proxy.port), freshness="200ms") as driver,
    ):
        await desk.linked(driver, Link.CONNECTED)
        service = bench.server.iserver.subscription_service
        for subscription in service.subscriptions.values():
            subscription.monitored_item_srv.delete_all_monitored_items()
        await bench.show(good=120)
        await desk.linked(driver, Link.DISCONNECTED)

        assert "silent while good changes" in driver.health.detail

        await desk.linked(driver, Link.CONNECTED)
        await bench.show(good=121)
        await desk.shows("good", 121)

        assert 2 == proxy.connections


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 12.5])
async def test_a_float_that_is_no_count_is_a_bad_value(bench, desk, running, value):
    await bench.start()
    node = await bench.server.nodes.objects.add_variable(ua.NodeId("Float", 2), "Float", value, ua.VariantType.Double)
    settings = with_signal(bench.settings(), "good", {"node": "ns=2;s=Float", "counter": COUNTER})
    async with running(settings) as driver:
        await desk.linked(driver, Link.DEGRADED)
        await bench.write(node, 12.0, ua.VariantType.Double)
        await desk.shows("good", 12)


# Whom to believe.


class OneUser(UserManager):
    def get_user(self, _server, username=None, password=None, certificate=None):  # noqa: ARG002 - asyncua's signature
        return User(role=UserRole.User) if (username, password) == ("backflush", "correct horse") else None


@pytest.fixture
def secure(tmp_path, authority, bench):
    """Return settings for a server of `issuer` (default: the plant's authority), which `trust` holds."""
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "plant-ca.pem").write_bytes(authority.certificate.read_bytes())
    certificate, key = authority.issue("gateway", uri="urn:test:gateway")

    def settings(issuer=authority, **more) -> dict:
        bench.certificate = issuer.issue("server", **more)
        return {
            **bench.settings(),
            "security_policy": "Basic256Sha256",
            "certificate": str(certificate),
            "private_key": str(key),
            "trust": str(trust),
        }

    return settings


async def test_a_server_of_the_trusted_authority_is_read(bench, desk, running, secure):
    settings = secure()
    await bench.start()
    async with running(settings) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await desk.shows("good", 100)


async def test_an_untrusted_server_is_refused(bench, desk, running, secure, stranger):
    settings = secure(stranger)
    await bench.start()
    async with running(settings) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert "BadCertificateUntrusted" in driver.health.detail
        assert not desk.scans


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"days": -1}, "BadCertificateTimeInvalid"), ({"uri": "urn:test:another"}, "BadCertificateUriInvalid")],
)
async def test_a_server_with_a_wrong_certificate_is_refused(bench, desk, running, secure, wrong, reason):  # noqa: PLR0917 - fixtures and parameters
    settings = secure(**wrong)
    await bench.start()
    async with running(settings) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert reason in driver.health.detail
        assert not desk.scans


async def test_the_pinned_server_is_read(bench, desk, running, secure, stranger):
    settings = secure(stranger)
    await bench.start()
    async with running({**settings, "trust": None, "server_certificate": str(bench.certificate[0])}) as driver:
        await desk.linked(driver, Link.CONNECTED)


async def test_another_server_than_the_pinned_one_is_refused(bench, desk, running, secure, authority):
    settings = secure()
    pinned, _ = authority.issue("another")
    await bench.start()
    async with running({**settings, "trust": None, "server_certificate": str(pinned), "timeout": "500ms"}) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert not desk.scans


async def test_an_empty_trust_folder_trusts_nobody(bench, desk, running, secure, tmp_path):
    (tmp_path / "nobody").mkdir()
    settings = secure()
    await bench.start()
    async with running({**settings, "trust": str(tmp_path / "nobody")}) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

        assert "has no usable certificate" in driver.health.detail


@pytest.mark.parametrize(("password", "link"), [("correct horse", Link.CONNECTED), ("wrong", Link.DISCONNECTED)])
async def test_the_user_is_let_in_with_the_right_password(bench, desk, running, secure, tmp_path, password, link):  # noqa: PLR0917 - fixtures and parameters
    settings = secure()
    bench.user_manager = OneUser()
    (tmp_path / "secret").write_text(f"{password}\n")
    await bench.start()
    user = {"name": "backflush", "password": {"file": str(tmp_path / "secret")}}
    async with running({**settings, "user": user}) as driver:
        await desk.linked(driver, link)

        assert password not in driver.health.detail.replace("wrong certificate", "")


async def test_read_again_reads_all_nodes(bench, desk, running):
    await bench.start()
    async with running(bench.settings()) as driver:
        await desk.linked(driver, Link.CONNECTED)
        before = len(desk.scans)
        driver.read_again("good")
        await desk.until(lambda: len(desk.scans) > before)

        assert {"good", "boot"} == {sample.signal for sample in desk.scans[-1].samples}


async def test_cancelling_while_the_server_is_silent_does_not_take_long(bench, desk, running):
    await bench.start()
    async with Proxy(bench.port) as proxy:
        async with running(bench.settings(proxy.port), timeout="100s") as driver:
            await desk.linked(driver, Link.CONNECTED)
            proxy.silent = True
            begin = asyncio.get_running_loop().time()

        assert 30 > asyncio.get_running_loop().time() - begin
