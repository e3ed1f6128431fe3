"""Whom MQTT, Modbus and the HTTP sink believe over TLS: a server that is wrong reads not one byte of theirs."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.domain.health import Link
from gateway.errors import TransientError
from gateway.sinks.http import HttpSink, HttpSinkSettings
from simulators.until import until
from tests.contract.drivers.harness import Desk, make_driver
from tests.contract.drivers.servers import COUNTER, ModbusBench, MqttBench
from tests.contract.sinks.conftest import make_documents
from tests.harness.certificates import CLIENT_ONLY, Authority, Issued

SECRET = "correct horse"


class Plant:
    """What the gateway trusts: `root` and, through it, `line`, whose revocation lists it has in one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority(folder, "plant-ca")
        self.line = self.root.intermediate("line-ca")
        self.crl = folder / "lists.pem"
        self.publish()
        (folder / "secret").write_text(SECRET)

    def publish(self, root: bytes | None = None, line: bytes | None = None) -> None:
        lists = self.root.revocations() if root is None else root, self.line.revocations() if line is None else line
        self.crl.write_bytes(b"".join(lists))

    @property
    def tls(self) -> dict[str, Any]:
        return {"ca": str(self.root.certificate), "crl": str(self.crl)}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


class Recorder(NamedTuple):
    """A TLS server that only writes down what it is told."""

    port: int
    heard: bytearray


@contextmanager
def recording(issued: Issued, client_ca: Path | None = None) -> Iterator[Recorder]:
    """Listen with that certificate; with `client_ca`, only to clients that show one of that authority.

    A thread, because asyncio hangs up on a client that it refuses without the alert that other servers send.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
        # By TLS 1.3 the client has sent something already when the alert comes, and may see only a reset.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Recorder(listener.getsockname()[1], bytearray())
        threading.Thread(target=_listen, args=(listener, context, server.heard), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _listen(listener: socket.socket, context: ssl.SSLContext, heard: bytearray) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        plain.settimeout(60)
        with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as connection:
            while piece := connection.recv(4096):
                heard.extend(piece)


# Each returns what the gateway shows when its server at `port` is not believed.


async def refused_driver(settings: dict[str, Any]) -> str:
    desk, driver = Desk(), make_driver(settings)
    task = asyncio.create_task(driver.run(desk))
    assert await until(lambda: driver.health.link is Link.DISCONNECTED, within=60)
    task.cancel()
    await asyncio.wait([task])

    assert not desk.scans
    return driver.health.detail


async def mqtt(plant: Plant, port: int, **tls: str) -> str:
    user = {"name": "backflush", "password": {"file": str(plant.folder / "secret")}}
    signals = {"good": {"topic": "filler", "value": "$.good", "counter": COUNTER | {"epoch": None}}}
    broker = {"kind": "mqtt", "broker": f"mqtts://127.0.0.1:{port}", "user": user, "signals": signals}
    return await refused_driver(broker | {"tls": plant.tls | tls})


async def modbus(plant: Plant, port: int, **tls: str) -> str:
    controller = {"kind": "modbus", "controller": f"tls://127.0.0.1:{port}", "tls": plant.tls | tls}
    return await refused_driver(controller | {"signals": {"boot": {"register": "holding", "address": 2}}})


async def http(plant: Plant, port: int, **tls: str) -> str:
    sink = make_sink(plant, port, **tls)
    with pytest.raises(TransientError) as caught:
        await sink.deliver("PLANT1-L1", "store", make_documents(1, 2))
    await sink.close()
    return str(caught.value)


def make_sink(plant: Plant, port: int, **tls: str) -> HttpSink:
    settings = {"sink": "erp", "kind": "http", "url": f"https://127.0.0.1:{port}/", "tls": plant.tls | tls}
    token = {"token": {"file": str(plant.folder / "secret")}}
    return HttpSink(HttpSinkSettings.model_validate(settings | token))


Wrong = Callable[[Plant], Issued]


def issued(**wrong: Any) -> Wrong:
    return lambda plant: plant.line.issue("server", **wrong)


def of_a_stranger(plant: Plant) -> Issued:
    return Authority(plant.folder, "strange-ca").issue("server")


def revoked(plant: Plant) -> Issued:
    made = plant.line.issue("server")
    plant.publish(line=plant.line.revocations(made))
    return made


def below_a_revoked_intermediate(plant: Plant) -> Issued:
    plant.publish(root=plant.root.revocations(plant.line))
    return plant.line.issue("server")


def with_an_expired_list(plant: Plant) -> Issued:
    plant.publish(line=plant.line.revocations(days=-1))
    return plant.line.issue("server")


def with_no_list(plant: Plant) -> Issued:
    plant.publish(line=b"")
    return plant.line.issue("server")


WRONG = [
    pytest.param(of_a_stranger, "authority isn't known here", "plant-ca.pem (tls.ca)", id="another authority"),
    pytest.param(issued(days=-1), "has expired", "this machine's clock", id="expired"),
    pytest.param(issued(starts=1, days=2), "not valid yet", "this machine's clock", id="not yet valid"),
    pytest.param(issued(host="127.0.0.9"), "for another address", "the name in its certificate", id="another host"),
    pytest.param(issued(usages=CLIENT_ONLY), "not for a server", "server authentication", id="wrong usage"),
    pytest.param(revoked, "was revoked", "lists.pem (tls.crl)", id="revoked"),
    pytest.param(below_a_revoked_intermediate, "was revoked", "lists.pem (tls.crl)", id="revoked intermediate"),
    pytest.param(with_an_expired_list, "list has expired", "lists.pem (tls.crl)", id="expired list"),
    pytest.param(with_no_list, "no revocation list", "lists.pem (tls.crl)", id="no list"),
]


@pytest.mark.parametrize("client", [mqtt, modbus, http])
@pytest.mark.parametrize(("wrong", "why", "way_out"), WRONG)
async def test_a_wrong_server_hears_nothing(plant: Plant, client: Any, wrong: Wrong, why: str, way_out: str) -> None:
    with recording(wrong(plant)) as server:
        shown = await client(plant, server.port)

    assert why in shown
    assert way_out in shown
    assert (b"", False) == (server.heard, SECRET in shown)


@pytest.mark.parametrize("client", [mqtt, modbus, http])
async def test_a_server_that_wants_a_certificate_of_ours_says_so(plant: Plant, client: Any) -> None:
    with recording(plant.line.issue("server"), client_ca=plant.root.certificate) as server:
        shown = await client(plant, server.port)

    assert "does not take our certificate (none: tls.certificate)" in shown
    assert not server.heard


@pytest.mark.parametrize("client", [mqtt, modbus, http])
async def test_a_server_that_does_not_trust_our_certificate_says_which(plant: Plant, client: Any) -> None:
    ours = Authority(plant.folder, "strange-ca").issue("gateway")
    with recording(plant.line.issue("server"), client_ca=plant.root.certificate) as server:
        shown = await client(plant, server.port, certificate=str(ours.certificate), private_key=str(ours.key))

    assert f"does not take our certificate {ours.certificate} (tls.certificate)" in shown
    assert not server.heard


def both_ways(plant: Plant) -> tuple[Issued, dict[str, str]]:
    """Return a server's certificate, and settings with one of ours."""
    ours = plant.line.issue("gateway")
    return plant.line.issue("server"), {**plant.tls, "certificate": str(ours.certificate), "private_key": str(ours.key)}


@pytest.fixture
def desk() -> Iterator[Desk]:
    return Desk()


async def counted(bench: Any, settings: dict[str, Any], desk: Desk) -> object:
    driver = make_driver(settings)
    task = asyncio.create_task(driver.run(desk))
    assert await until(lambda: driver.health.link is Link.CONNECTED, within=60)
    await bench.show(good=142)
    assert await until(lambda: desk.values("good")[-1:] == [142], within=60)
    task.cancel()
    await asyncio.wait([task])
    await bench.stop()
    return desk.values("good")[-1]


async def test_modbus_counts_over_tls_with_certificates_on_both_sides(plant: Plant, desk: Desk) -> None:
    server, ours = both_ways(plant)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(plant.root.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    bench = ModbusBench(plant.folder)
    bench.tls = {"sslctx": context}
    await bench.start()
    controller = f"tls://127.0.0.1:{bench.port}"

    assert 142 == await counted(bench, {**bench.settings(), "controller": controller, "tls": ours}, desk)


async def test_mqtt_counts_over_tls_with_certificates_on_both_sides(plant: Plant, desk: Desk) -> None:
    server, ours = both_ways(plant)
    bench = MqttBench(plant.folder)
    bench.options += [f"certfile {server.certificate}", f"keyfile {server.key}", "require_certificate true"]
    bench.options += [f"cafile {plant.root.certificate}"]
    bench.publishing = {
        "tls": {"ca_certs": ours["ca"], "certfile": ours["certificate"], "keyfile": ours["private_key"]}
    }
    await bench.start_broker()
    broker = f"mqtts://127.0.0.1:{bench.port}"

    assert 142 == await counted(bench, {**bench.settings(), "broker": broker, "tls": ours}, desk)


async def test_the_sink_reads_a_renewed_list_without_a_restart(plant: Plant) -> None:
    made = with_an_expired_list(plant)
    with recording(made) as server:
        sink = make_sink(plant, server.port)
        with pytest.raises(TransientError, match="list has expired"):
            await sink.deliver("PLANT1-L1", "store", make_documents(1, 2))
        plant.publish()
        delivery = asyncio.create_task(sink.deliver("PLANT1-L1", "store", make_documents(1, 2)))
        assert await until(lambda: b"POST / HTTP/1.1" in server.heard, within=60)
        delivery.cancel()
        await asyncio.wait([delivery])
        await sink.close()

    assert b"Idempotency-Key: PLANT1-L1:store:1-2" in server.heard
