"""PACKER-1 seals cases and SCALE-1 weighs them; both tell it over MQTT."""

import json
from collections.abc import Mapping
from decimal import Decimal

from simulators.counters import Counted, Counters
from simulators.ledger import Ledger
from simulators.link import Link
from simulators.machine import BOTTLES_A_CASE, Output, Weighing
from simulators.mqtt_publisher import Publisher
from simulators.opcua_plc import ORDER

SEAL_TOPIC = "line1/packer/case_sealed"
WEIGHT_TOPIC = "line1/scale/weight"
SSCC_PREFIX = "10614141"  # extension digit 1 and the example GS1 company prefix 0614141


def sscc(boot: int, seq: int) -> str:
    """An SSCC-18 with its GS1 mod-10 check digit; unique up to 999 boots of a million cases."""
    digits = f"{SSCC_PREFIX}{boot % 1000:03d}{seq % 1_000_000:06d}"
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def encode(fields: Mapping[str, object]) -> bytes:
    """JSON in which a Decimal is a number with exactly its own digits."""
    pairs = (f"{json.dumps(name)}:{_plain(value)}" for name, value in fields.items())
    return f"{{{','.join(pairs)}}}".encode()


def _plain(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _kilograms(grams: int) -> Decimal:
    return Decimal(grams).scaleb(-3)


class MqttDevice:
    """What packer and scale share: retentive counters and a publisher of their own."""

    def __init__(self, ledger: Ledger, device: str, counted: Counted) -> None:
        self.device = device
        self._signal = counted.signal
        self._counters = Counters(ledger, device, (counted,))
        self._publisher = Publisher(f"simulator-{device}")

    @property
    def link(self) -> Link:
        """The device's own cable to the broker."""
        return self._publisher.link

    @property
    def drained(self) -> bool:
        """Whether the broker acknowledged every message."""
        return self._publisher.drained

    async def start(self, broker: str) -> None:
        """Connect to the broker when it can be reached."""
        await self._publisher.start(broker)

    async def stop(self) -> None:
        """Disconnect."""
        await self._publisher.stop()

    async def reset(self, *, retentive: bool = False) -> None:
        """Power cycle: boot + 1, sequence and total to 0 unless retentive."""
        self._counters.restart(retentive=retentive)

    async def preset(self, value: int, signal: str = "") -> None:
        """Set the total (cases, or grams on the scale)."""
        self._counters.preset(signal or self._signal, value)

    async def swap(self, value: int) -> None:
        """Put another device in its place."""
        self._counters.swap(value)


class Packer(MqttDevice):
    """Publishes each sealed case; the ledger counts cases."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, "PACKER-1", Counted("case_sealed", named=True))

    async def produce(self, output: Output) -> None:
        """Seal the cases of this tick."""
        for _ in range(output.sealed):
            self._seal()

    def _seal(self) -> None:
        entry = self._counters.add(self._signal, 1)
        message = {
            "id": entry.id,
            "seq": entry.seq,
            "ts": entry.at,
            "sscc": sscc(entry.boot, entry.seq),
            "units": BOTTLES_A_CASE,
            "total": entry.value,
            "order": ORDER,
        }
        self._publisher.publish(SEAL_TOPIC, encode(message))


class Scale(MqttDevice):
    """Publishes each case's net weight; the ledger counts kilograms of stable readings."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, "SCALE-1", Counted("net_weight", uom="kg", decimals=3, named=True))

    async def produce(self, output: Output) -> None:
        """Weigh the cases of this tick."""
        for weighing in output.weighed:
            self._weigh(weighing)

    def _weigh(self, weighing: Weighing) -> None:
        if weighing.unsettled is not None:
            self._publish_unsettled(weighing.unsettled)
        entry = self._counters.add(self._signal, weighing.grams)
        message = {
            "id": entry.id,
            "seq": entry.seq,
            "ts": entry.at,
            "net": entry.quantity,
            "uom": entry.uom,
            "stable": True,
            "total": _kilograms(entry.value),
        }
        self._publisher.publish(WEIGHT_TOPIC, encode(message))

    def _publish_unsettled(self, grams: int) -> None:
        entry = self._counters.pass_over(self._signal)
        message = {
            "id": f"{self.device}-{entry.boot}-{entry.seq}-unsettled",
            "seq": entry.seq,
            "ts": entry.at,
            "net": _kilograms(grams),
            "uom": entry.uom,
            "stable": False,
            "total": _kilograms(entry.value),
        }
        self._publisher.publish(WEIGHT_TOPIC, encode(message))
