"""Hundreds of messages that nobody should send, beside good ones, over a real broker to the real daemon.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_mqtt_daemon.py` (see budget.py).
"""

import json
import random

import paho.mqtt.publish
import pytest

from tests.fuzz.budget import PATIENCE, times
from tests.harness.balance import assert_sound
from tests.harness.broker import Mosquitto
from tests.harness.ports import NOBODY
from tests.harness.site import Site
from tests.harness.until import until

pytestmark = pytest.mark.timeout(PATIENCE)

GOOD, BAD = times(100), times(400)
TOPIC = "line1/packer/case_sealed"
BATCH = 500


def test_garbage_between_good_messages_costs_none_of_them_and_all_of_it_is_kept(site: Site) -> None:
    broker = Mosquitto(site)
    site.configure(1, NOBODY | {"broker": {"broker": broker.url}})
    gateway = site.gateway()
    until(lambda: _links(site).count("connected") == 2, what=site.status)
    chance = random.Random(4711)
    bad = [_garbage(chance) for _ in range(BAD)]
    sent = [*map(_good, range(1, GOOD + 1)), *bad]
    chance.shuffle(sent)
    for first in range(0, len(sent), BATCH):
        messages = [(TOPIC, payload, 1, False) for payload in sent[first : first + BATCH]]
        paho.mqtt.publish.multiple(messages, hostname="127.0.0.1", port=broker.port)
    until(lambda: _letters(site) + _events(site) >= len(sent), within=200, what=site.status)

    assert (GOOD, BAD) == (_events(site), _letters(site))
    assert sorted(bad) == sorted(bytes(one) for (one,) in site.rows("SELECT payload FROM dead_letter"))
    assert gateway.running
    assert "Traceback" not in gateway.output
    assert site.status()["ready"]
    assert_sound(site.store)


def _links(site: Site) -> list[str]:
    return [one["link"] for one in site.status().get("devices", {}).values()]


def _events(site: Site) -> int:
    return int(site.rows("SELECT count(*) FROM event WHERE device = 'PACKER-1'")[0][0])


def _letters(site: Site) -> int:
    return int(site.rows("SELECT count(*) FROM dead_letter")[0][0])


def _good(number: int) -> bytes:
    return json.dumps({"id": f"case-{number}", "seq": number, "total": number, "ts": None, "units": 12}).encode()


def _garbage(chance: random.Random) -> bytes:
    """Return bytes that no good message can be: cut off, with a wrong value, or of no meaning."""
    message = _good(chance.randrange(1, GOOD + 1))
    wrong = chance.choice(
        [b"-1", b"NaN", b"1e400", b"[0,[1],0]", b"9" * 5000, b'"\\ud800"', b"null", b"[" * 990 + b"]" * 990]
    )
    return chance.choice(
        [
            message[: chance.randrange(len(message))],
            chance.randbytes(chance.randrange(200)),
            b"\xff" + message,
            message.replace(b'"seq": ', b'"seq": ' + wrong + b', "x": ', 1),
            b'{"id": ' + b"[" * chance.randrange(2000),
            b"[" + message + b"]",
        ]
    )
