"""MQTT: a persistent session at QoS 1 whose messages are acknowledged only when what came of them is committed."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from paho.mqtt.client import MQTTMessage, topic_matches_sub
from pydantic import Field, field_validator, model_validator

from gateway.domain.clock import Instant
from gateway.errors import DataError, GatewayError
from gateway.ports import Clock, DriverPlugin, Health, Intake, Link
from gateway.settings.base import Duration, UserSettings
from gateway.settings.device import DeviceSettings, EventSettings, SignalSettings
from gateway.signals import payload
from gateway.signals.payload import EventPaths, Path
from gateway.signals.sample import Sample, Scan, Unreadable
from gateway.transport.address import Address, parse_address
from gateway.transport.announced import Announced
from gateway.transport.backoff import Backoff
from gateway.transport.mqtt import Broker, MqttConnection
from gateway.transport.tls import TlsSettings

_log = logging.getLogger(__name__)
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LARGEST = 1 << 20  # bytes of a message that is read; MQTT allows 256 MiB
_KEPT = 64 << 10  # bytes kept of a larger one


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
        return EventPaths.compile(self.event.model_dump()) if self.event else Path.compile(str(self.value))


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
        self._state = Announced(Health(Link.CONNECTING), _log, settings.device)
        self._backoff = Backoff(settings.retry_after, settings.retry_at_most)
        self._paths = {name: signal.paths() for name, signal in settings.signals.items()}
        self._contexts: dict[str, Sample] = {}  # last known boot id, order …: counters come with them
        self._connection: MqttConnection | None = None

    @property
    def health(self) -> Health:
        """Return the current state."""
        return self._state.value

    async def run(self, intake: Intake) -> None:
        """Connect, take messages, and begin again whenever that ends; until cancelled."""
        if self._settings.unsafe:
            _log.warning("%s: %s", self._settings.device, self._settings.unsafe)
        while True:
            try:
                with (self._settings.tls or TlsSettings()).explained():
                    await self._attend(intake)
            except GatewayError as error:
                self._state.set(Health(Link.DISCONNECTED, str(error)), logging.WARNING)
            await asyncio.sleep(self._backoff.next())

    async def _attend(self, intake: Intake) -> None:
        connection = self._connection = MqttConnection(self._settings.connection(), self._subscribed)
        try:
            await connection.open()
            self._backoff.reset()
            while True:
                # Waiting for room in the intake, nothing is taken here, and soon nothing read from the socket.
                await intake.put(self._scan(connection, await connection.message()))
        finally:
            self._connection = None
            connection.close()

    def _subscribed(self, refused: Sequence[str]) -> None:
        if refused:
            detail = f"the broker refuses the subscription to {', '.join(refused)}"
            self._state.set(Health(Link.DEGRADED, detail), logging.WARNING)
        else:
            self._state.set(Health(Link.CONNECTED))

    def _scan(self, connection: MqttConnection, message: MQTTMessage) -> Scan:
        samples, reason = self._decoded(message)
        kept = len(message.payload) if len(message.payload) <= _LARGEST else _KEPT
        return Scan(
            self._settings.device,
            self._clock.now(),
            samples,
            unreadable=Unreadable(_topic(message), bytes(message.payload[:kept]), reason) if reason else None,
            receipt=Receipt(connection, message.mid) if message.qos else None,
            replay=message.retain,
        )

    def reread(self, source: str, payload: bytes, received: Instant) -> Scan:
        """Return what a kept message of that topic says by now, without what the device said since."""
        if not any(self._heard_on(source)):
            raise DataError(f"no signal of {self._settings.device} has a topic that {source} is one of")
        samples: list[Sample] = []
        self._read(source, payload, samples)
        return Scan(self._settings.device, received, tuple(samples))

    def _decoded(self, message: MQTTMessage) -> tuple[tuple[Sample, ...], str]:
        """Return the samples of a message, and why it can't be read (in part): empty when it can."""
        samples: list[Sample] = []
        try:
            self._read(message.topic, bytes(message.payload), samples)
        except (DataError, UnicodeDecodeError) as error:
            return self._beside(samples), str(error)
        return self._beside(samples), ""

    def _read(self, topic: str, content: bytes, samples: list[Sample]) -> None:
        """Add the samples of a message, signal by signal; DataError for the first that can't be read."""
        if len(content) > _LARGEST:
            raise DataError(f"a message of {len(content)} bytes is too large, only its first {_KEPT} are kept")
        document = payload.parse(content)
        for name in self._heard_on(topic):
            samples += self._sample(name, document)

    def _heard_on(self, topic: str) -> Iterator[str]:
        return (name for name, one in self._settings.signals.items() if topic_matches_sub(one.topic, topic))

    def _sample(self, name: str, document: Mapping[str, object]) -> list[Sample]:
        paths = self._paths[name]
        if isinstance(paths, Path):
            counts = self._settings.signals[name].counter is not None
            return [payload.value(name, document, paths, counts=counts)]
        event = payload.event(name, document, paths)
        return [event] if event else []

    def _beside(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """Put the last known contexts beside counters that came without them."""
        signals = self._settings.signals
        contexts = [new for new in samples if signals[new.signal].value and not signals[new.signal].counter]
        self._contexts.update((new.signal, new) for new in contexts)
        if not any(signals[sample.signal].counter for sample in samples):
            return tuple(samples)
        return (*self._contexts.values(), *(sample for sample in samples if sample.signal not in self._contexts))

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


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return "a topic that is no UTF-8"


PLUGIN = DriverPlugin("mqtt", MqttSettings, MqttDriver)
