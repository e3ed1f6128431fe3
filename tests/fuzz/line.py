"""The pipeline and its store behind the real MQTT decoding: what a broker would deliver is handed in as bytes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from paho.mqtt.client import MQTTMessage

from gateway.counting.messages import message_key
from gateway.domain.event import EventKind, SignalId
from gateway.drivers.mqtt import MqttDriver, MqttSettings
from gateway.pipeline.model import Point
from gateway.signals.sample import Message, Sample, Scan
from tests.unit.pipeline.plant import Plant, make_model, make_rule

STAGED = SignalId("DESK-1", "lot_staged")
_COUNTER = {"counts": "good", "modulus": 65536, "max_rate": "100/s", "epoch": "boot"}
_TIMED = {"id": "$.id", "sequence": "$.seq", "time": "$.ts"}
SIGNALS = {
    "case": ("PACKER-1", {"case_sealed": _TIMED | {"order": "$.order", "sscc": "$.sscc", "units": "$.units"}}),
    "scale": (
        "SCALE-1",
        {"net_weight": _TIMED | {"total": "$.total", "quantity": "$.net", "uom": "$.uom", "stable": "$.stable"}},
    ),
    "staged": (
        "DESK-1",
        {
            "lot_staged": {name: f"$.{name}" for name in ("id", "item", "lot", "location", "quantity", "uom", "order")}
            | {"expires_at": "$.expires"}
        },
    ),
    "state": ("FILLER-1", {}),
}
_STATE = {
    "good": {"topic": "state", "value": "$.good", "counter": _COUNTER},
    "boot": {"topic": "state", "value": "$.boot"},
    "order": {"topic": "state", "value": "$.order"},
}


class FuzzedLine:
    """A plant whose messages come as bytes, by topic."""

    def __init__(self, path: Path) -> None:
        model = make_model()
        staged = Point(STAGED, "L1", rule=make_rule(STAGED, EventKind.LOT_STAGED, "0010"), is_event=True)
        self.plant = Plant(path, replace(model, points={**model.points, STAGED: staged}))
        self.sources = {topic: _driver(topic, self.plant) for topic in SIGNALS}
        self.scans: list[tuple[bytes, Scan]] = []

    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> Scan:
        """Hand in what the broker delivered a second after the last."""
        self.plant.clock.advance(1)
        scan = decode(self.sources[topic], topic, payload, mid=len(self.scans) + 1, retain=retain)
        self.scans.append((payload, scan))
        await self.plant.pipeline.intake.put(replace(scan, receipt=len(self.scans)))
        return scan

    async def accounted(self) -> None:
        """Every message is acknowledged and is an event, a dead letter with its bytes, or says nothing at all."""
        rows = await self.plant.rows("SELECT payload FROM dead_letter")
        letters = {bytes(payload) for (payload,) in rows}
        events = set(await self.plant.rows("SELECT device, signal, key FROM event"))
        aside = {row for (row,) in await self.plant.rows("SELECT device || '.' || source FROM dead_letter")}
        acknowledged = sorted(one for driver in self.plant.drivers.values() for one in driver.acknowledged)

        assert list(range(1, len(self.scans) + 1)) == acknowledged
        assert [one for one, scan in self.scans if scan.unreadable and scan.unreadable.payload not in letters] == []
        assert [
            one
            for one, scan in self.scans
            if not scan.replay and not _kept(scan, events, aside) and not scan.unreadable
        ] == []
        await self.plant.check()


def decode(source: MqttDriver, topic: str, payload: bytes, *, mid: int = 1, retain: bool = False) -> Scan:
    """Return what the driver makes of a message."""
    message = MQTTMessage(mid, topic.encode())
    message.payload, message.qos, message.retain = payload, 1, retain
    return source._scan(None, message)  # type: ignore[arg-type] - the connection is only kept beside the receipt


def _kept(scan: Scan, events: set[tuple[str, ...]], aside: set[str]) -> bool:
    happened: Sequence[Sample] = [one for one in scan.samples if _is_event(one)]
    found: Callable[[Sample], bool] = lambda one: (scan.device, one.signal, _key(one)) in events  # noqa: E731 - short
    return all(found(one) or f"{scan.device}.{one.signal}" in aside for one in happened)


def _is_event(sample: Sample) -> bool:
    return isinstance(sample.value, Message) and sample.value.stable


def _key(sample: Sample) -> str:
    assert isinstance(sample.value, Message)
    return message_key(sample.value, sample.source_time)


def _driver(topic: str, plant: Plant) -> MqttDriver:
    device, events = SIGNALS[topic]
    signals = {name: {"topic": topic, "event": paths} for name, paths in events.items()} or _STATE
    settings = {"device": device, "line": "L1", "kind": "mqtt", "broker": "mqtt://127.0.0.1", "signals": signals}
    plant.drivers.setdefault(device, type(plant.drivers["PACKER-1"])())
    return MqttDriver(MqttSettings.model_validate(settings), plant.clock)
