"""A small valid folder, and drivers and sinks as simple as models can be."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Literal

import pytest

from gateway.errors import ConfigError
from gateway.settings.base import ExistingPath, Secret
from gateway.settings.device import DeviceSettings, EventSettings, SignalSettings
from gateway.settings.load import Config, load
from gateway.settings.sink import SinkSettings


class PlcSignal(SignalSettings):
    node: str


class PlcSettings(DeviceSettings):
    kind: Literal["plc"]
    trust: ExistingPath | None = None
    password: Secret | None = None
    signals: dict[str, PlcSignal]


class BusSignal(SignalSettings):
    topic: str
    event: EventSettings


class BusSettings(DeviceSettings):
    kind: Literal["bus"]
    client_id: str = ""
    signals: dict[str, BusSignal]

    @property
    def session(self) -> str:
        return f"client_id {self.client_id or self.device}"


class PostSettings(SinkSettings):
    kind: Literal["post"]
    url: str
    token: Secret | None = None


DRIVERS = (PlcSettings, BusSettings)
SINKS = (PostSettings,)

FILES = {
    "gateway.yaml": """\
        gateway: G1
        store: {path: var/gateway.db}
        lines:
          - line: L1
        sinks:
          - sink: erp
            kind: post
            url: http://127.0.0.1/
        consumers:
          - {consumer: erp, required: true}
        clock_trust: assume
        """,
    "devices/filler.yaml": """\
        device: FILLER
        line: L1
        kind: plc
        signals:
          good:
            node: a
            counter: {counts: good, modulus: 65536, max_rate: 20/s, epoch: boot}
          all: {node: b, counter: {counts: total, modulus: 65536, max_rate: 20/s}}
          boot: {node: c}
          order: {node: d}
        """,
    "devices/scale.yaml": """\
        device: SCALE
        line: L1
        kind: bus
        signals:
          weight:
            topic: t
            event: {id: $.id, quantity: $.net}
        """,
    "triggers.yaml": """\
        triggers:
          - trigger: fill
            version: 1
            on: FILLER.good
            event: good_units
            operation: "0010"
            order: {signal: FILLER.order, else: active}
          - trigger: weigh
            version: 2
            on: SCALE.weight
            event: weighed
            operation: "0020"
            order: active
        """,
    "masterdata/all.yaml": """\
        items:
          - {item: CASE, uom: EA}
          - {item: CAP, uom: EA}
          - {item: GLUE, uom: kg}
        units:
          - {from: g, to: kg, factor: 0.001}
        boms:
          - bom: B
            version: "1"
            item: CASE
            base_quantity: 1000
            uom: EA
            status: approved
            operations:
              - {operation: "0010", unit: bottle, per_order_unit: 12}
              - {operation: "0020", unit: kg, receipt: true}
            components:
              - {line: "1", item: CAP, quantity: 12000, uom: EA, operation: "0010"}
              - {line: "2", item: GLUE, quantity: 2500, uom: g, operation: "0020", method: measured}
        orders:
          - order: "77"
            item: CASE
            quantity: 100
            uom: EA
            line: L1
            bom: B
            bom_version: "1"
            active: true
        stagings:
          - {staging: S1, item: CAP, lot: C1, location: X, quantity: 5000, uom: EA, line: L1, received_at: &T}
          - {staging: S2, item: GLUE, lot: H1, location: X, quantity: 900, uom: g, order: "77", received_at: &T}
        """.replace("&T", "2026-01-01T00:00:00Z"),
}


@dataclass(frozen=True)
class Folder:
    root: Path

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text("utf-8")
        if old not in text:
            raise LookupError(f"{old!r} is not in {file}")
        (self.root / file).write_text(text.replace(old, new, 1), "utf-8")

    def load(self) -> Config:
        return load(self.root, DRIVERS, SINKS)

    def faults(self) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load()
        return caught.value.message.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A valid folder to break."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    made = Folder(tmp_path / "config")
    for file, text in FILES.items():
        made.write(file, text)
    return made
