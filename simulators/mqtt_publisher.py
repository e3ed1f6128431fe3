"""Publishing at QoS 1 with a queue that forgets a message only after its PUBACK."""

import asyncio
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from simulators.link import LOOPBACK, Link

IN_FLIGHT = 20  # messages handed to paho and not yet acknowledged
KEEPALIVE = 10  # seconds
DEFAULT_PORT = 1883


class Publisher:
    """One MQTT client with a fixed id and a persistent session; it reconnects by itself.

    paho sends what is in flight again after a reconnect, so a subscriber may see an id twice. The
    rest waits here and not in paho, whose message ids end at 65,535.
    """

    def __init__(self, client_id: str) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._in_flight: set[int] = set()
        self._open = False
        self.link = Link()  # the client's own cable: cutting it leaves other clients alone
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    @property
    def drained(self) -> bool:
        """Whether the broker acknowledged everything."""
        return not self._waiting and not self._in_flight

    async def start(self, broker: str) -> None:
        """Connect to `broker` (mqtt://host:port) now or whenever it can be reached."""
        self._loop = asyncio.get_running_loop()
        where = urlsplit(broker)
        await self.link.open((where.hostname or LOOPBACK, where.port or DEFAULT_PORT))
        self._client.connect_async(LOOPBACK, self.link.port, keepalive=KEEPALIVE)
        self._client.loop_start()

    async def stop(self) -> None:
        """Disconnect; what is not acknowledged by now is lost, as in a device without a disk."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        await self.link.close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Queue one message; order is kept."""
        self._waiting.append((topic, payload))
        self._send()

    def _send(self) -> None:
        while self._open and self._waiting and len(self._in_flight) < IN_FLIGHT:
            topic, payload = self._waiting.popleft()
            self._in_flight.add(self._client.publish(topic, payload, qos=1).mid)

    def _connected(self) -> None:
        # paho sends again what was in flight; anything new now would overtake it
        self._open = not self._in_flight
        self._send()

    def _disconnected(self) -> None:
        self._open = False

    def _acknowledged(self, mid: int) -> None:
        self._in_flight.discard(mid)
        self._open |= not self._in_flight
        self._send()

    # paho's thread calls these three; the queue belongs to the event loop

    def _on_connect(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._connected)

    def _on_disconnect(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._disconnected)

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._acknowledged, mid)
