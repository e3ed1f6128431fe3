"""An MQTT broker inside this process (amqtt): fine for a demo, not for load."""

from typing import Any

from paho.mqtt.client import topic_matches_sub

from simulators.link import LOOPBACK, Link

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

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"mqtt://{LOOPBACK}:{self.link.port}"

    async def start(self) -> None:
        """Listen. Raises MissingAmqttError without the library."""
        try:
            # imported here because it is an extra; everything else runs without it
            from amqtt.broker import Broker  # noqa: PLC0415 an optional dependency
        except ImportError as error:
            raise MissingAmqttError from error
        listeners = {"default": {"type": "tcp", "bind": f"{LOOPBACK}:0", "max_connections": 100}}
        self._broker = Broker({"listeners": listeners, "plugins": ANONYMOUS})
        await self._broker.start()
        sockets = self._broker._servers["default"].instance.sockets  # noqa: SLF001 no public way to a free port
        await self.link.open((LOOPBACK, sockets[0].getsockname()[1]))

    async def stop(self) -> None:
        """Stop listening and forget the sessions."""
        await self.link.close()
        await self._broker.shutdown()

    def has_subscriber(self, topic: str) -> bool:
        """Whether a session would receive `topic`."""
        return any(sessions and topic_matches_sub(name, topic) for name, sessions in self._broker.subscriptions.items())
