"""MQTT: a persistent session at QoS 1 whose messages are acknowledged only when what came of them is committed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from paho.mqtt.client import MQTTMessage
from pydantic import Field, field_validator, model_validator

from gateway.domain.clock import Instant
from gateway.domain.health import Health
from gateway.errors import DataError
from gateway.ports import Clock, DriverPlugin, Intake
from gateway.settings.base import Duration, UserSettings
from gateway.settings.device import DeviceSettings, EventSettings, SignalSettings
from gateway.signals.payload import EventPaths, Path
from gateway.signals.sample import Scan
from gateway.transport.address import Address, parse_address
from gateway.transport.device_link import DeviceLink
from gateway.transport.mqtt import Broker, MqttConnection
from gateway.transport.mqtt_topics import Topics, TopicSignal
from gateway.transport.tls import TlsSettings

_log = logging.getLogger(__name__)
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class MqttSignal(SignalSettings):
    """What a topic carries: events with an identity of their own, or a value (a counter or its context)."""

    topic: str = Field(min_length=1, description="+ and # stand for what they do in MQTT")
    event: EventSettings | None = None
    value: str | None = Field(default=None, description="JSON path of a counter's or context's value")

    @field_validator("topic")
    @classmethod
    def _is_a_filter(cls, topic: str) -> str:
        levels = topic.split("/")
        if "#" in "".join(levels[:-1]) or any(set("+#") & set(level) and len(level) > 1 for level in levels):
            raise ValueError(f"{topic!r} is no topic; + stands for a whole level, # for the rest at its end")
        return topic

    @model_validator(mode="after")
    def _is_event_or_value(self) -> Self:
        if (self.event is None) == (self.value is None):
            raise ValueError("give either event: {id: $.id, …}, or value: $.path for a counter or context")
        if self.event and self.counter:
            raise ValueError("a counter is no event; give it a value: $.path instead of event")
        try:
            self.paths()
        except DataError as error:
            raise ValueError(str(error)) from error
        return self

    def paths(self) -> EventPaths | Path:
        """Return the compiled paths; DataError for a bad one."""
        if self.event is None:
            return Path.compile(str(self.value))
        return EventPaths.compile(self.event.model_dump(exclude={"decimals"}), self.event.decimals)

    def on_its_topic(self) -> TopicSignal:
        """Return what reads its messages."""
        return TopicSignal(self.topic, self.paths(), counts=self.counter is not None)


class MqttSettings(DeviceSettings):
    """Devices that publish. The session lives in the broker under `client_id`, so it has to stay the same."""

    kind: Literal["mqtt"]
    broker: str = Field(description="mqtt://host:1883 or mqtts://host:8883")
    client_id: str = Field(default="", max_length=65535, description="default: backflush-DEVICE; never shared")
    qos: Literal[1] = Field(default=1, description="0 loses messages, 2 was seen to lose them; 1 with an id does not")
    keepalive: Duration = Field(default=15.0, ge=1, description="silence after which the broker is asked")
    timeout: Duration = Field(default=5.0, gt=0, description="for connecting")
    tls: TlsSettings | None = None
    user: UserSettings | None = None
    allow_plaintext_password: bool = Field(default=False, description="send the password although nothing is encrypted")
    signals: dict[str, MqttSignal] = Field(min_length=1)

    @field_validator("broker")
    @classmethod
    def _is_a_broker(cls, url: str) -> str:
        parse_address(url, _PORTS)
        return url

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        encrypted = self.address.scheme == "mqtts"
        if self.tls and not encrypted:
            raise ValueError(f"tls needs a broker at mqtts://…, not {self.broker}")
        if self.user and not encrypted and not self.allow_plaintext_password:
            raise ValueError(
                "mqtt:// would send the password in the clear; use mqtts://, or write allow_plaintext_password: true"
            )
        return self

    @property
    def unsafe(self) -> str:
        """What mqtt:// leaves open."""
        if self.address.scheme == "mqtts":
            return ""
        password = f", and the password goes to {self.broker} in the clear" if self.user else ""
        return f"plain MQTT, nothing is encrypted or authenticated{password}"

    @property
    def address(self) -> Address:
        """Where the broker listens."""
        return parse_address(self.broker, _PORTS)

    @property
    def session(self) -> str:
        """The client id at its broker."""
        return f"client_id {self._client_id} at {self.address}"

    @property
    def _client_id(self) -> str:
        return self.client_id or f"backflush-{self.device}"

    def connection(self) -> Broker:
        """Return what a connection needs, secrets and certificates read now; ConfigError when they can't be."""
        return Broker(
            address=self.address,
            client_id=self._client_id,
            keepalive=round(self.keepalive),
            timeout=self.timeout,
            tls=(self.tls or TlsSettings()).context() if self.address.scheme == "mqtts" else None,
            user=self.user.name if self.user else None,
            password=self.user.password.read() if self.user else None,
            topics=tuple(dict.fromkeys(signal.topic for signal in self.signals.values())),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which message to acknowledge; a mid only means something on the connection it came by."""

    connection: MqttConnection
    mid: int


class MqttDriver:
    """One device, or several, behind one broker session."""

    def __init__(self, settings: MqttSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._link = DeviceLink(settings, _log)
        self._topics = Topics(
            settings.device, {name: signal.on_its_topic() for name, signal in settings.signals.items()}
        )
        self._connection: MqttConnection | None = None

    @property
    def health(self) -> Health:
        """Return the current state."""
        return self._link.health

    async def run(self, intake: Intake) -> None:
        """Connect, take messages, and begin again whenever that ends; until cancelled."""
        await self._link.keep_up(partial(self._attend, intake))

    async def _attend(self, intake: Intake) -> None:
        connection = self._connection = MqttConnection(self._settings.connection(), self._subscribed)
        try:
            with (self._settings.tls or TlsSettings()).explained():
                await connection.open()
                self._link.answered()
                while True:
                    # Waiting for room in the intake, nothing is taken here, and soon nothing read from the socket.
                    await intake.put(self._scan(connection, await connection.message()))
        finally:
            self._connection = None
            connection.close()

    def _subscribed(self, refused: Sequence[str]) -> None:
        self._link.judge([f"the broker refuses the subscription to {', '.join(refused)}"] if refused else [])

    def _scan(self, connection: MqttConnection, message: MQTTMessage) -> Scan:
        samples, unreadable = self._topics.decoded(message)
        return Scan(
            self._settings.device,
            self._clock.now(),
            samples,
            unreadable=unreadable,
            receipt=Receipt(connection, message.mid) if message.qos else None,
            replay=message.retain,
        )

    def reread(self, source: str, payload: bytes, received: Instant) -> Scan:
        """Return what a kept message of that topic says by now, without what the device said since."""
        return Scan(self._settings.device, received, self._topics.reread(source, payload))

    def read_again(self, signal: str) -> None:
        """Nothing to read: the device publishes by itself."""

    def acknowledge(self, receipts: Sequence[object]) -> None:
        """Send the PUBACKs, in the order the messages came; those of an earlier connection mean nothing now."""
        for receipt in receipts:
            if isinstance(receipt, Receipt) and receipt.connection is self._connection:
                receipt.connection.acknowledge(receipt.mid)

    def redeliver(self) -> None:
        """Reconnect: only then does a broker send again what wasn't acknowledged."""
        if self._connection:
            self._connection.lose("reconnecting for redelivery")


PLUGIN = DriverPlugin("mqtt", MqttSettings, MqttDriver)
