"""Machines that tell of each unit, and the broker that keeps a session for the gateway."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from gateway.domain.event import SignalId
from gateway.signals.sample import Message, Sample, Scan, Unreadable
from tests.factories import NOON
from tests.simulation.clock import SimulatedClock

_WINDOW = 20  # messages on their way without an acknowledgement


class Published(NamedTuple):
    """A message as its machine sent it."""

    id: str
    message: Message
    at: datetime
    readable: bool


class Source:
    """One machine and its session: what isn't acknowledged is delivered again, in another connection."""

    def __init__(self, signal: SignalId, clock: SimulatedClock, *, weighs: bool) -> None:
        self.signal = signal
        self.published: dict[int, Published] = {}
        self.never: set[int] = set()  # what the broker lost, and what can't be read
        self.order: str | None = None
        self._clock = clock
        self._weighs = weighs
        self._total = Decimal(0)
        self._number = 0
        self._queue: deque[int] = deque()  # unacknowledged
        self._sent: set[int] = set()  # in this connection
        self._ever: set[int] = set()
        self._connection = 0

    @property
    def waits(self) -> bool:
        return bool(self._queue)

    @property
    def expected(self) -> dict[str, Decimal]:
        """Return the quantity by id of what the gateway has to have."""
        return {one.id: one.message.quantity for number, one in self.published.items() if number not in self.never}

    @property
    def missing(self) -> Decimal:
        """Return the quantity that the gateway has to miss."""
        return sum((self.published[one].message.quantity for one in self.never), Decimal(0))

    # --- the machine ----------------------------------------------------------------------------

    def publish(self, amount: int, *, readable: bool = True) -> None:
        """Tell of a unit; a scale tells what it weighs, and all it ever weighed."""
        self._clock.advance(1)
        self._number += 1
        quantity = Decimal(amount) / 100 + 5 if self._weighs else Decimal(1)
        self._total += quantity
        said = {"total": self._total, "uom": "kg"} if self._weighs else {"order": self.order}
        number = f"{self.signal.device}-{self._number}"
        message = Message(number, sequence=self._number, quantity=quantity, **said)
        at = NOON + timedelta(milliseconds=self._clock.passed)
        self.published[self._number] = Published(number, message, at, readable)
        self._queue.append(self._number)
        if not readable:
            self.never.add(self._number)

    # --- the broker -----------------------------------------------------------------------------

    def deliver(self, most: int) -> Iterator[Scan]:
        """Send what wasn't sent in this connection, as far as the window allows."""
        fresh = [one for one in self._queue if one not in self._sent]
        for number in fresh[: max(0, min(most, _WINDOW - len(self._sent)))]:
            yield self._send(number)

    def deliver_again(self, which: int) -> Iterator[Scan]:
        """Send a message that is on its way a second time."""
        if self._sent:
            yield self._send(sorted(self._sent)[which % len(self._sent)])

    def reorder(self) -> None:
        """Let the next message overtake the one before it."""
        fresh = [index for index, one in enumerate(self._queue) if one not in self._sent]
        if len(fresh) > 1:
            one, other = fresh[:2]
            self._queue[one], self._queue[other] = self._queue[other], self._queue[one]

    def lose(self, most: int) -> None:
        """Forget queued messages that never left."""
        for number in [one for one in self._queue if one not in self._ever][:most]:
            self._queue.remove(number)
            self.never.add(number)

    def disconnect(self) -> None:
        """Begin another connection: acknowledgements on their way are lost."""
        self._connection += 1
        self._sent.clear()

    def acknowledge(self, connection: int, number: int) -> None:
        if connection == self._connection and number in self._sent:
            self._sent.discard(number)
            self._queue.remove(number)

    def _send(self, number: int) -> Scan:
        self._sent.add(number)
        self._ever.add(number)
        one, receipt = self.published[number], (self._connection, number)
        device, now = self.signal.device, self._clock.now()
        if not one.readable:
            return Scan(device, now, unreadable=Unreadable("line1", b"{", "the payload is no JSON"), receipt=receipt)
        return Scan(device, now, (Sample(self.signal.signal, one.message, source_time=one.at),), receipt=receipt)
