"""One MQTT connection on the running loop: paho's client without a thread, its messages kept until asked for."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.errors import TransientError
from gateway.transport.address import Address
from gateway.transport.sockets import open_socket

_ENOUGH = 200  # messages waiting here: the socket isn't read until half of them are gone …
_HEAVY = 4 << 20  # … or bytes of them
_HOUSEKEEPING = 1.0  # s between two looks at the keep-alive


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect to, as whom, and what to subscribe to."""

    address: Address
    client_id: str
    keepalive: int
    timeout: float
    topics: tuple[str, ...]
    tls: ssl.SSLContext | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class _Client(Client):
    """A paho client on a socket that is connected already: its own way of connecting blocks the loop."""

    connected_socket: socket.socket | None = None
    alert: ssl.SSLError | None = None  # since TLS 1.3 a refused certificate shows only in the first read

    def _create_socket(self) -> Any:
        return self.connected_socket

    def _sock_recv(self, bufsize: int) -> bytes:
        try:
            return super()._sock_recv(bufsize)
        except ssl.SSLError as error:  # paho only logs it
            self.alert = error
            raise


class MqttConnection:
    """A client from connect to close; `subscribed` is called with the topics that the broker refused."""

    def __init__(self, broker: Broker, subscribed: Callable[[Sequence[str]], None]) -> None:
        self._broker = broker
        self._subscribed = subscribed
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[MQTTMessage] = deque()
        self._bytes = 0  # of what is in there
        self._changed = asyncio.Event()
        self._connected = False
        self._lost: str | None = None
        self._reading = False
        self._housekeeping: asyncio.TimerHandle | None = None
        self._client = self._make()

    def _make(self) -> _Client:
        client = _Client(
            CallbackAPIVersion.VERSION2, client_id=self._broker.client_id, clean_session=False, manual_ack=True
        )
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_socket_register_write
        client.on_socket_unregister_write = self._on_socket_unregister_write
        return client

    async def open(self) -> None:
        """Connect and wait for the broker's yes; TransientError with its no."""
        address = self._broker.address
        try:
            async with asyncio.timeout(self._broker.timeout):
                sock = await open_socket(address.host, address.port, self._broker.tls)
                self._client.connected_socket = sock
                self._client.connect(address.host, address.port, self._broker.keepalive)
                self._read()
                self._keep_house()
                while not self._connected:
                    await self._next_change()
        except TimeoutError as error:
            raise TransientError(f"{address}: no answer within {self._broker.timeout:g} s") from error
        except OSError as error:
            raise TransientError(f"{address}: {error}") from error

    async def message(self) -> MQTTMessage:
        """Return the next message; TransientError once the connection is lost (what waited will come again)."""
        while self._lost is not None or not self._inbox:
            await self._next_change()
        message = self._inbox.popleft()
        self._bytes -= len(message.payload)
        if not self._reading and len(self._inbox) <= _ENOUGH // 2 and self._bytes <= _HEAVY // 2:
            self._read()
        return message

    async def _next_change(self) -> None:
        if self._lost is not None:
            raise TransientError(f"{self._broker.address}: {self._lost}") from self._client.alert
        self._changed.clear()
        await self._changed.wait()

    def acknowledge(self, mid: int) -> None:
        """Tell the broker that it may forget the message."""
        if self._lost is None:
            self._client.ack(mid, 1)

    def lose(self, reason: str) -> None:
        """Give the connection up; whoever waits for a message is told."""
        self._lost = self._lost or reason
        self._changed.set()

    def close(self) -> None:
        """Hang up. The session, with what is unacknowledged, stays in the broker."""
        self.lose("closed")
        if self._housekeeping:
            self._housekeeping.cancel()
        self._client.disconnect()
        self._client.loop_write()
        sock = self._client.connected_socket
        if sock is not None and sock.fileno() >= 0:  # the farewell did not get through
            self._release(sock)
            sock.close()

    def _read(self) -> None:
        self._reading = True
        self._loop.add_reader(cast("socket.socket", self._client.connected_socket), self._on_readable)
        # What TLS has decrypted already is not seen by the selector.
        self._loop.call_soon(self._on_readable)

    def _on_readable(self) -> None:
        while self._reading:
            self._client.loop_read()
            sock = self._client.connected_socket
            if not isinstance(sock, ssl.SSLSocket) or sock.fileno() < 0 or not sock.pending():
                return

    def _keep_house(self) -> None:
        self._client.loop_misc()
        self._housekeeping = self._loop.call_later(_HOUSEKEEPING, self._keep_house)

    def _release(self, sock: Any) -> None:
        self._reading = False
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    # What paho calls, always from within loop_read, loop_write or loop_misc above.

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self.lose(f"the broker refuses the connection: {code}")
            return
        self._client.subscribe([(topic, 1) for topic in self._broker.topics])
        self._connected = True
        self._changed.set()

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        self._subscribed([topic for topic, code in zip(self._broker.topics, codes, strict=False) if code.is_failure])

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._inbox.append(message)
        self._bytes += len(message.payload)
        if (len(self._inbox) >= _ENOUGH or self._bytes >= _HEAVY) and self._reading:
            self._reading = False
            self._loop.remove_reader(cast("socket.socket", self._client.connected_socket))
        self._changed.set()

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self.lose(f"connection lost: {self._client.alert or code}")

    def _on_socket_close(self, _client: Client, _data: Any, sock: Any) -> None:
        self._release(sock)

    def _on_socket_register_write(self, _client: Client, _data: Any, sock: Any) -> None:
        self._loop.add_writer(sock, self._client.loop_write)

    def _on_socket_unregister_write(self, _client: Client, _data: Any, sock: Any) -> None:
        self._loop.remove_writer(sock)
