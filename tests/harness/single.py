"""A line of one machine: a packer that seals a case when it is told to, so that one posting can be looked at."""

from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client
from paho.mqtt.enums import CallbackAPIVersion

from simulators.books import books
from simulators.counters import Counted, Counters
from simulators.ledger import Ledger
from simulators.machine import Output
from simulators.packer import Packer
from tests.harness.broker import Mosquitto
from tests.harness.kills import Killable
from tests.harness.ports import NOBODY
from tests.harness.site import Site
from tests.harness.until import until

_DEVICE = "PACKER-1"


class SinglePacker(Packer):
    """PACKER-1 without a line before it."""

    def __init__(self, truth: Path, broker: str) -> None:
        # Not its own start: the publisher there has a cable of its own, which a line would run and close.
        counted = Counted("case_sealed", named=True)
        self.device, self._signal = _DEVICE, counted.signal
        self._counters = Counters(Ledger(truth), _DEVICE, (counted,))
        self._publisher = _Sender(broker)

    async def seal(self) -> None:
        """Seal one case; it returns when the broker has the message."""
        await self.produce(Output(sealed=1))


class _Sender:
    """Publishes each message on a connection of its own, at QoS 1."""

    def __init__(self, broker: str) -> None:
        self._address = urlsplit(broker)

    def publish(self, topic: str, payload: bytes) -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect(self._address.hostname or "", self._address.port or 1883)
        sent = client.publish(topic, payload, qos=1)
        until(lambda: client.loop(timeout=0.1) == MQTT_ERR_SUCCESS and sent.is_published(), what="PUBACK")
        client.disconnect()
        client._reset_sockets()  # left to the garbage collector, they warn


class Single:
    """The packer, its broker, the ERP, and a gateway that knows nothing else; it isn't started."""

    def __init__(self, site: Site) -> None:
        self.site = site
        broker = Mosquitto(site)
        site.machines(part="erp", speed=1)
        site.configure(1, NOBODY | {"broker": {"broker": broker.url}} | site.ports())
        _leave_out_the_rest(site)
        self.packer = SinglePacker(site.root / "truth", broker.url)
        self.gateway = site.keep(Killable(site))

    def ready(self) -> None:
        """Wait until the gateway runs and hears the packer."""
        self.gateway.ready()
        until(self._connected, what=self.site.status)

    def _connected(self) -> bool:
        devices = self.site.status().get("devices", {})
        return bool(devices) and devices[_DEVICE]["link"] == "connected"

    def booked(self) -> int:
        """Return how many postings the ERP has, and the gateway knows that both its ways have them."""
        bodies = books(self.site.root / "erp.db")
        known = self.site.status().get("consumers", [])  # later: what is booked is known to wait until it is told
        return len(bodies) if known and not any(one["waiting"] for one in known) else 0


def _leave_out_the_rest(site: Site) -> None:
    for path in (site.config / "devices").glob("*.yaml"):
        if path.stem != _DEVICE.lower():
            path.unlink()
    with site.changed("triggers.yaml") as data:
        data["triggers"] = [one for one in data["triggers"] if one["on"].startswith(f"{_DEVICE}.")]
