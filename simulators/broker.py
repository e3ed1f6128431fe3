"""An MQTT broker inside this process (amqtt): fine for a demo, not for load."""

import asyncio
from typing import Any

from paho.mqtt.client import topic_matches_sub

from simulators.link import LOOPBACK, Link

LISTENER = "default"
ANONYMOUS = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


class MissingAmqttError(Exception):
    """The embedded broker's library is an extra of this project."""

    def __init__(self) -> None:
        super().__init__("the embedded MQTT broker needs amqtt: pip install 'backflush-gateway[demo]'")


class EmbeddedBroker:
    """Sessions live in memory: they survive a cut link, not the end of the process."""

    device = "BROKER"

    def __init__(self, port: int = 0) -> None:
        self.link = Link(port)
        self._broker: Any = None
        self._connections: set[asyncio.Future[None]] = set()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"mqtt://{LOOPBACK}:{self.link.port}"

    async def start(self) -> None:
        """Listen. Raises MissingAmqttError without the library."""
        self._broker = _make_broker()
        await self._broker.start()
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        await self.link.open((LOOPBACK, self._server.sockets[0].getsockname()[1]))

    async def stop(self) -> None:
        """Stop listening and forget the sessions."""
        await self.link.close()
        self._server.close()
        await self._broker.shutdown()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def has_subscriber(self, topic: str) -> bool:
        """Whether a session would receive `topic`."""
        return any(sessions and topic_matches_sub(name, topic) for name, sessions in self._broker.subscriptions.items())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter  # noqa: PLC0415 an optional dependency

        connection = asyncio.ensure_future(
            self._broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), LISTENER)
        )
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        try:
            await asyncio.wait([connection])
        finally:
            writer.close()  # amqtt forgets to when the peer is gone already


def _make_broker() -> Any:
    try:
        from simulators.sessions import PersistentBroker  # noqa: PLC0415 an optional dependency
    except ImportError as error:
        raise MissingAmqttError from error
    # an external listener: the sockets are ours
    return PersistentBroker({"listeners": {LISTENER: {"type": "external"}}, "plugins": ANONYMOUS})
