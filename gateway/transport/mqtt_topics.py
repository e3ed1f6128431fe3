"""What the messages of a device's topics say: samples of its signals, or why they can't be read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from paho.mqtt.client import MQTTMessage, topic_matches_sub

from gateway.errors import DataError
from gateway.signals import payload
from gateway.signals.payload import EventPaths, Path
from gateway.signals.sample import Sample, Unreadable

_LARGEST = 1 << 20  # bytes of a message that is read; MQTT allows 256 MiB
_KEPT = 64 << 10  # bytes kept of a larger one


@dataclass(frozen=True, slots=True)
class TopicSignal:
    """Where a signal is heard (a topic filter), and the paths of its events or of its value."""

    topic: str
    paths: EventPaths | Path
    counts: bool

    @property
    def is_context(self) -> bool:
        """Whether it is a value that stands beside counters (boot id, order …)."""
        return isinstance(self.paths, Path) and not self.counts


class Topics:
    """Reads a device's messages, and remembers the contexts they brought."""

    def __init__(self, device: str, signals: Mapping[str, TopicSignal]) -> None:
        self._device = device
        self._signals = signals
        self._contexts: dict[str, Sample] = {}  # last known boot id, order …: counters come with them

    def decoded(self, message: MQTTMessage) -> tuple[tuple[Sample, ...], Unreadable | None]:
        """Return the samples of a message, counters beside the last contexts, and what of it can't be read."""
        samples: list[Sample] = []
        try:
            self._read(message.topic, bytes(message.payload), samples)
        except (DataError, UnicodeDecodeError) as error:
            return self._beside(samples), _unreadable(message, str(error))
        return self._beside(samples), None

    def reread(self, topic: str, content: bytes) -> tuple[Sample, ...]:
        """Return what a kept message says, without what the device said since; DataError where it can't be read."""
        if not any(self._heard_on(topic)):
            raise DataError(f"no signal of {self._device} has a topic that {topic} is one of")
        samples: list[Sample] = []
        self._read(topic, content, samples)
        return tuple(samples)

    def _read(self, topic: str, content: bytes, samples: list[Sample]) -> None:
        """Add the samples of a message, signal by signal; DataError for the first that can't be read."""
        if len(content) > _LARGEST:
            raise DataError(f"a message of {len(content)} bytes is too large, only its first {_KEPT} are kept")
        document = payload.parse(content)
        for name in self._heard_on(topic):
            samples += self._sample(name, document)

    def _heard_on(self, topic: str) -> Iterator[str]:
        return (name for name, signal in self._signals.items() if topic_matches_sub(signal.topic, topic))

    def _sample(self, name: str, document: Mapping[str, object]) -> list[Sample]:
        signal = self._signals[name]
        if isinstance(signal.paths, Path):
            return [payload.value(name, document, signal.paths, counts=signal.counts)]
        event = payload.event(name, document, signal.paths)
        return [event] if event else []

    def _beside(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """Put the last known contexts beside counters that came without them."""
        self._contexts.update((new.signal, new) for new in samples if self._signals[new.signal].is_context)
        if not any(self._signals[sample.signal].counts for sample in samples):
            return tuple(samples)
        return (*self._contexts.values(), *(sample for sample in samples if sample.signal not in self._contexts))


def _unreadable(message: MQTTMessage, reason: str) -> Unreadable:
    kept = len(message.payload) if len(message.payload) <= _LARGEST else _KEPT
    return Unreadable(_topic(message), bytes(message.payload[:kept]), reason)


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return "a topic that is no UTF-8"
