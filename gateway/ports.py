"""The protocols between the core and the world: who calls what, when, and what it may assume."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar, runtime_checkable

from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.command import Command
from gateway.domain.health import Health
from gateway.domain.lot import Staging
from gateway.domain.signature import Author
from gateway.settings.device import DeviceSettings
from gateway.settings.sink import SinkSettings
from gateway.signals.sample import Scan

DeviceModel = TypeVar("DeviceModel", bound=DeviceSettings)
SinkModel = TypeVar("SinkModel", bound=SinkSettings)


class Clock(Protocol):
    """The only source of time; runtime has the real one, tests a virtual one."""

    def now(self) -> Instant:
        """Return this moment by all its clocks."""
        ...

    def trust(self) -> ClockTrust:
        """Return why the wall clock may be believed right now."""
        ...

    def believe(self) -> None:
        """Take a person's word for the wall clock, until the next boot; called once that is committed."""
        ...


class Intake(Protocol):
    """Where drivers hand in what they read; the pipeline takes it out in batches."""

    def offer(self, scan: Scan) -> None:
        """Take a scan of cumulative values, at once. When full, the newest value of each signal is kept."""
        ...

    async def put(self, scan: Scan) -> None:
        """Take a scan of events; waits while full, so that the source isn't read further. Never drops."""
        ...


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How the daemon is: `ready` while intake runs, `store` is `ok` or the sentence of what stopped it.

    `paused`: a full disk did, and it goes on by itself. `troubles`: what else a person should look at, by part.
    `unsafe`: what the configuration lets others read or forge, a sentence each.
    """

    ready: bool
    store: str
    started_at: datetime
    devices: Mapping[str, Health]
    sinks: Mapping[str, Health]
    paused: bool = False
    troubles: Mapping[str, str] = field(default_factory=dict)
    unsafe: tuple[str, ...] = ()


class Driver(Protocol):
    """One device over one protocol. Made by its plugin, run by the supervisor, never blocks the loop."""

    @property
    def health(self) -> Health:
        """Return the current state; asked at any time."""
        ...

    async def run(self, intake: Intake) -> None:
        """Connect, read every signal, go on until cancelled; reconnects by itself, never raises for the link."""
        ...

    def read_again(self, signal: str) -> None:
        """Read that signal soon, with all its device's others: the pipeline doubts the last value."""
        ...

    def acknowledge(self, receipts: Sequence[object]) -> None:
        """Release these receipts to the source, in order: what came with them is committed."""
        ...

    def redeliver(self) -> None:
        """Make the source send everything unacknowledged again: the commit failed."""
        ...


@runtime_checkable
class Rereader(Protocol):
    """A driver whose device sends messages: it can read the bytes of one that was kept."""

    def reread(self, source: str, payload: bytes, received: Instant) -> Scan:
        """Return what a message says by the settings in force, received then; DataError with why it can't be read.

        What the driver knows of the device stays as it is: the message is an old one.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriverPlugin(Generic[DeviceModel]):
    """What a module in drivers/ declares as PLUGIN; `create` gets settings that `settings` validated."""

    kind: str
    settings: type[DeviceModel]
    create: Callable[[DeviceModel, Clock], Driver]


@dataclass(frozen=True, slots=True)
class Document:
    """One entry of the posting log: the bytes stored at commit."""

    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A sink's answer: `delivered` are booked, `rejected` (seq → reason) never will be, the rest is sent again."""

    delivered: frozenset[int]
    rejected: Mapping[int, str]


class Sink(Protocol):
    """One destination of the posting log. Delivering the same document again must be harmless."""

    async def deliver(self, gateway: str, store: str, documents: Sequence[Document]) -> Delivery:
        """Hand over documents in seq order; TransientError to try again later, SinkRejected when refused whole."""
        ...

    async def close(self) -> None:
        """Release the connection; nothing is delivered after."""
        ...


@dataclass(frozen=True, slots=True)
class SinkPlugin(Generic[SinkModel]):
    """What a module in sinks/ declares as PLUGIN; `create` gets settings that `settings` validated."""

    kind: str
    settings: type[SinkModel]
    create: Callable[[SinkModel], Sink]


class Commands(Protocol):
    """What the API, the CLI and sync may ask of the one writer; each returns after COMMIT."""

    async def execute(self, command: Command, author: Author) -> object:
        """Carry out a command and return its result; CommandRefused where it can't be, audited if it was signed."""
        ...

    async def audit(self, command: Command, author: Author, refused: str) -> None:
        """Chain that a command was refused before it came here (its signature, its role), and why."""
        ...

    async def stage(self, staging: Staging, person: str) -> bool:
        """Apply a transfer to the line once; False if it was applied before, CommandRefused on a contradiction."""
        ...

    async def acknowledge(self, consumer: str, store: str, through: int) -> int:
        """Move that consumer's watermark, never back; return where it stands. CommandRefused beyond the end."""
        ...

    async def deliver(self, sink: str, through: int, rejected: Mapping[int, str]) -> None:
        """Move a sink's watermark and keep what it refused, until it is booked or a person has settled it."""
        ...

    async def tried_again(self, sink: str, seq: int, refused: str) -> None:
        """Keep what came of offering a refused posting once more: it is booked, or `refused` says why not again."""
        ...
