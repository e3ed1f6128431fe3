"""A hand scanner at the line: the simulators have none, so a test publishes what one sends."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from paho.mqtt import publish

from tests.harness.site import Site

_HEARD_BY = "PACKER-1"  # whose broker session takes the scanner's messages, too


def add_scanner(site: Site, **events: tuple[str, ...]) -> None:
    """Configure what the scanner sends: for each event its message's members, beside `id`."""
    with site.changed("devices/packer-1.yaml") as data:
        for event, members in events.items():
            told = {name: f"$.{name}" for name in ("id", *members)}
            data["signals"][event] = {"topic": f"scanner/{event}", "event": told}
    with site.changed("triggers.yaml") as data:
        data["triggers"] += [
            {"trigger": event, "version": 1, "on": f"{_HEARD_BY}.{event}", "event": event} for event in events
        ]


def scan(site: Site, event: str, **message: object) -> None:
    """Send one message; its id is made of what it says."""
    port = urlsplit(str(_broker(site)["broker"])).port
    payload = json.dumps({"id": f"{event}-{'-'.join(map(str, message.values()))}", **message})
    publish.single(f"scanner/{event}", payload, qos=1, hostname="127.0.0.1", port=port or 1883)


def _broker(site: Site) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads((site.config / "devices" / "packer-1.yaml").read_text("utf-8"))
    return found
