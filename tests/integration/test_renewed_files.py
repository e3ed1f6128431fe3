"""A reload with other files under the same names: an open connection goes on only with whom they still believe."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.domain.health import Link
from gateway.runtime.devices import Devices
from gateway.runtime.supervisor import Supervisor
from gateway.settings.device import DeviceSettings
from simulators.until import until
from tests.contract.drivers.harness import PLUGINS, Desk, Ticks
from tests.contract.drivers.servers import BENCHES, ModbusBench, MqttBench, OpcUaBench
from tests.harness.certificates import Authority, Issued

PASSWORD = "correct horse"


class Plant:
    """An authority, its list, a server's certificate and ours; what the settings of each protocol name of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, Authority(folder, "plant-ca")
        self.server = self.authority.issue("server")
        self.ours = self.authority.issue("gateway", uri="urn:test:gateway")
        self.trust, self.revoked, self.password = folder / "trust", folder / "revoked", folder / "password"
        for one in (self.trust, self.revoked):
            one.mkdir()
        (self.trust / "ca.pem").write_bytes(self.authority.certificate.read_bytes())
        self.crl = self.revoked / "ca.crl"
        self.publish()
        self.password.write_text(PASSWORD)
        self.secret = {"file": str(self.password)}

    def publish(self, *revoked: Issued) -> None:
        self.crl.write_bytes(self.authority.revocations(*revoked))

    @property
    def tls(self) -> dict[str, str]:
        return {"ca": str(self.authority.certificate), "crl": str(self.crl)}

    def modbus(self, bench: ModbusBench) -> dict[str, Any]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server)
        bench.tls = {"sslctx": context}
        return {"controller": f"tls://127.0.0.1:{bench.port}", "tls": self.tls}

    def mqtt(self, bench: MqttBench) -> dict[str, Any]:
        bench.options += [f"certfile {self.server.certificate}", f"keyfile {self.server.key}"]
        bench.publishing = {"tls": {"ca_certs": self.tls["ca"]}}
        user = {"name": "backflush", "password": self.secret}
        return {"broker": f"mqtts://127.0.0.1:{bench.port}", "tls": self.tls, "user": user}

    def opcua(self, bench: OpcUaBench) -> dict[str, Any]:
        bench.certificate = self.server
        named = {"certificate": self.ours.certificate, "private_key": self.ours.key}
        named |= {"trust": self.trust, "revoked": self.revoked}
        return {"security_policy": "Basic256Sha256", **{name: str(path) for name, path in named.items()}}


class Line:
    """One device, connected by its driver, as `gateway run` starts it and a reload finds it."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        model = PLUGINS[settings["kind"]].settings
        common = {"device": "FILLER-1", "line": "L1", "retry_after": "50ms", "retry_at_most": "200ms"}
        self.wanted: dict[str, DeviceSettings] = {"FILLER-1": model.model_validate({**common, **settings})}
        self.desk = Desk()
        outside = SimpleNamespace(outside=lambda _: [])
        self.started: list[object] = []
        pipeline = SimpleNamespace(
            attach=lambda _, driver: self.started.append(driver), intake=self.desk, unusable=outside
        )
        self.devices = Devices(cast("Any", pipeline), cast("Any", Ticks()), Supervisor())

    async def reload(self) -> None:
        await self.devices.release(self.wanted)
        self.devices.start(self.wanted)

    async def shows(self, link: Link, said: str = "") -> bool:
        def look() -> bool:
            health = self.devices.health()["FILLER-1"]
            return health.link is link and said in health.detail

        return await until(look, within=60)


@asynccontextmanager
async def connected(plant: Plant, kind: str) -> AsyncIterator[Line]:
    bench: Any = BENCHES[kind](plant.folder)
    more = getattr(plant, kind)(bench)
    await bench.start()
    line = Line({**bench.settings(), **more})
    try:
        line.devices.start(line.wanted)
        assert await line.shows(Link.CONNECTED)
        yield line
    finally:
        await line.devices.stop()
        await bench.stop()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    return Plant(tmp_path)


@pytest.mark.parametrize("kind", list(BENCHES))
async def test_who_was_revoked_is_hung_up_on(plant: Plant, kind: str) -> None:
    async with connected(plant, kind) as line:
        plant.publish(plant.server)
        await line.reload()

        assert await line.shows(Link.DISCONNECTED, "revoked")


@pytest.mark.parametrize("kind", list(BENCHES))
async def test_a_device_whose_files_are_the_same_is_left_alone(plant: Plant, kind: str) -> None:
    async with connected(plant, kind) as line:
        plant.crl.write_bytes(plant.crl.read_bytes())  # as a list that was fetched anew and is still the same
        await line.reload()

        assert 1 == len(line.started)


@pytest.mark.parametrize("source", ["file", "credential"])
async def test_another_password_makes_another_connection(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(plant.folder))
    plant.secret = {source: str(plant.password) if source == "file" else plant.password.name}
    async with connected(plant, "mqtt") as line:
        plant.password.write_text("another one")
        await line.reload()

        assert 2 == len(line.started)
        assert await line.shows(Link.CONNECTED)
