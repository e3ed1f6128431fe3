"""A device or a sink that fails, hangs or isn't there costs nobody else anything, and shows."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import closing
from typing import Literal

import pytest

from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionRecord
from gateway.domain.health import Health, Link
from gateway.ports import Clock, Delivery, Document, DriverPlugin, Intake, SinkPlugin
from gateway.runtime import plugins
from gateway.runtime.clock import SystemClock
from gateway.settings.device import DeviceSettings
from gateway.settings.sink import SinkSettings
from simulators.line import Line
from simulators.until import until as holds
from tests.harness.balance import assert_exact, made, no_window
from tests.harness.inside import serving
from tests.harness.load import Load
from tests.harness.ports import NOBODY, free_port
from tests.harness.site import Site, run_empty
from tests.harness.until import until

pytestmark = pytest.mark.timeout(400)

GOOD = SignalId("FILLER-1", "good")
PATIENCE = 120.0  # s until something is tripped that fails with growing pauses


class BadDevice(DeviceSettings):
    kind: Literal["bad"]
    hangs: bool


class BadDriver:
    """Fails at once, or never does anything at all."""

    health = Health(Link.CONNECTING)

    def __init__(self, settings: BadDevice, _: Clock) -> None:
        self._hangs = settings.hangs

    async def run(self, _: Intake) -> None:
        await _misbehave(hangs=self._hangs)

    def read_again(self, signal: str) -> None: ...
    def acknowledge(self, receipts: Sequence[object]) -> None: ...
    def redeliver(self) -> None: ...


class BadSinkSettings(SinkSettings):
    kind: Literal["bad"]
    hangs: bool


class BadSink:
    def __init__(self, settings: BadSinkSettings) -> None:
        self._hangs = settings.hangs

    async def deliver(self, *_: object) -> Delivery:
        await _misbehave(hangs=self._hangs)
        raise AssertionError("it can't come to that")

    async def close(self) -> None: ...


class GoodSinkSettings(SinkSettings):
    kind: Literal["good"]


class GoodSink:
    """Takes everything."""

    taken: set[int]

    def __init__(self, _: GoodSinkSettings) -> None:
        type(self).taken = set()

    async def deliver(self, _: str, __: str, documents: Sequence[Document]) -> Delivery:
        delivered = frozenset(one.seq for one in documents)
        self.taken.update(delivered)
        return Delivery(delivered, {})

    async def close(self) -> None: ...


async def _misbehave(*, hangs: bool) -> None:
    if hangs:
        await asyncio.Event().wait()
    raise ValueError("a mistake in a plugin")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = plugins.drivers() | {"bad": DriverPlugin("bad", BadDevice, BadDriver)}
    sinks = {"bad": SinkPlugin("bad", BadSinkSettings, BadSink), "good": SinkPlugin("good", GoodSinkSettings, GoodSink)}
    monkeypatch.setattr(plugins, "drivers", lambda: drivers)
    monkeypatch.setattr(plugins, "sinks", lambda: sinks)


@pytest.fixture
async def line(site: Site) -> AsyncIterator[Line]:
    async with Line(site.root, parts=frozenset({"filler", "capper", "packer", "broker"})) as running:
        running.pause("FILLER-1")
        yield running


@pytest.mark.usefixtures("planted")
async def test_plugins_that_raise_or_hang_stop_nobody_else_and_are_named(site: Site, line: Line) -> None:
    site.configure(1, NOBODY | line.endpoints)
    for name, hangs in (("RAISING", False), ("HANGING", True)):
        device = {"device": name, "line": "L1", "kind": "bad", "hangs": hangs}
        (site.config / "devices" / f"{name.lower()}.yaml").write_text(json.dumps(device), "utf-8")
    with site.changed("gateway.yaml") as data:
        data["sinks"] = [
            {"sink": "raising", "kind": "bad", "hangs": False},
            {"sink": "hanging", "kind": "bad", "hangs": True},
            {"sink": "good", "kind": "good"},
        ]
    async with serving(site.config, SystemClock()) as gateway:
        state = gateway.pipeline.writer.state
        await eventually(lambda: GOOD in state.checkpoints)
        line.resume("FILLER-1")
        await eventually(lambda: len(gateway.health.report().troubles) == 2)
        await eventually(lambda: len(_alarms(gateway.pipeline.writer.state.exceptions.values())) == 2)
        told = _alarms(gateway.pipeline.writer.state.exceptions.values())
        await line.stop_production()
        total = made(site)[GOOD].total
        await eventually(lambda: state.tallies[GOOD].posted >= total)
        await eventually(lambda: len(GoodSink.taken) == state.head.seq)

        assert {"device RAISING", "sink raising"} == told.keys()
        assert all("a mistake in a plugin" in reason for reason in told.values())
        assert total == state.tallies[GOOD].posted


async def eventually(condition: Callable[[], bool]) -> None:
    assert await holds(condition, within=PATIENCE)


def _alarms(exceptions: Iterable[ExceptionRecord]) -> dict[str, str]:
    return {one.scope[0]: one.reason for one in exceptions if one.code == "failing"}


def test_devices_and_sinks_that_do_not_answer_slow_nobody(site: Site) -> None:
    load = Load(site, speed=5)
    with closing(socket.create_server(("127.0.0.1", 0))) as hole:  # takes connections, and never says a word
        places = {"gone": free_port(), "hole": hole.getsockname()[1]}
        for name, port in places.items():
            _second(site, "filler-1", name, endpoint=f"opc.tcp://127.0.0.1:{port}/")
            _second(site, "capper-1", name, controller=f"tcp://127.0.0.1:{port}")
            _second(site, "scale-1", name, broker=f"mqtt://127.0.0.1:{port}")
            with site.changed("gateway.yaml") as data:
                sink = {**data["sinks"][0], "sink": name, "url": f"http://127.0.0.1:{port}/", "required": False}
                data["sinks"].append(sink)
        load.gateway.start()
        until(lambda: _links(site).count("connected") == 4, what=lambda: load.gateway.output[-2000:])
        load.line.type("FILLER-1 resume")
        site.counted("PACKER-1", "case_sealed", 20)
        run_empty(load.line)
        until(lambda: _settled(site), within=120, what=site.status)
        until(lambda: _links(site).count("connected") == 4, what=site.status)

    assert_exact(site)


def _links(site: Site) -> list[str]:
    return [one["link"] for one in site.status().get("devices", {}).values()]


def _settled(site: Site) -> bool:
    counted = site.tally("counted")
    all_counted = all(counted.get(name, 0) >= one.total for name, one in made(site).items())
    if not all_counted or not no_window(site):
        return False
    return not any(one["waiting"] for one in site.status()["consumers"] if one["consumer"] == "erp")


def _second(site: Site, name: str, suffix: str, **changed: str) -> None:
    """Configure another machine of that kind, elsewhere."""
    data = json.loads((site.config / "devices" / f"{name}.yaml").read_text("utf-8"))
    first, second = f"{data['device']}.", f"{data['device']}-{suffix}."
    data = {**data, **changed, "device": second.removesuffix(".")}
    (site.config / "devices" / f"{name}-{suffix}.yaml").write_text(json.dumps(data), "utf-8")
    with site.changed("triggers.yaml") as rules:
        rules["triggers"] += [
            {**json.loads(json.dumps(one).replace(first, second)), "trigger": f"{one['trigger']}-{suffix}"}
            for one in rules["triggers"]
            if one["on"].startswith(first)
        ]
