"""amqtt with sessions that keep what they promise: at QoS 1, until the subscriber acknowledged it.

amqtt forgets what was under way when a connection broke, keeps nothing for a client without a user name, and
delivers what it kept marked as retained, which says state and not event.
"""

import asyncio
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from amqtt.broker import Broker
from amqtt.mqtt.constants import QOS_1
from amqtt.session import Session

IN_FLIGHT = 20  # messages sent and not yet acknowledged


@dataclass(slots=True)
class Outbox:
    """What one client is still owed, in order."""

    messages: deque[tuple[str, bytes]] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    delivery: asyncio.Task[None] | None = None

    def add(self, topic: str, data: bytes) -> None:
        """Owe one message more."""
        self.messages.append((topic, data))
        self.filled.set()

    def deliver_by(self, handler: Any) -> None:
        """Deliver over this connection from now on."""
        if self.delivery:
            self.delivery.cancel()
        self.delivery = asyncio.ensure_future(self._deliver(handler))

    async def _deliver(self, handler: Any) -> None:
        # ends with the connection: then amqtt cancels whoever waits for a PUBACK
        while True:
            await self.filled.wait()
            sent = list(islice(self.messages, IN_FLIGHT))
            with suppress(TimeoutError):  # a slow subscriber; it gets them again
                await asyncio.gather(*(handler.mqtt_publish(*one, QOS_1, retain=False) for one in sent))
                for _ in sent:
                    self.messages.popleft()
            if not self.messages:
                self.filled.clear()


class PersistentBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """Every subscription is at QoS 1, every session keeps."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._outboxes: defaultdict[str, Outbox] = defaultdict(Outbox)

    async def _authenticate(self, session: Session, listener: Any) -> Any:
        admitted = await super()._authenticate(session, listener)
        session.is_anonymous = False  # amqtt clears the sessions of those
        return admitted

    async def _run_broadcast(self, running_tasks: Any) -> None:
        """Put the next published message into every subscriber's outbox (called by amqtt, over and over)."""
        del running_tasks  # amqtt's way of sending
        message = await self._broadcast_queue.get()
        for topic, subscriptions in self._subscriptions.items():
            if self._matches(message["topic"], topic):
                for session, _ in subscriptions:
                    self._outboxes[session.client_id].add(message["topic"], message["data"])

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """Deliver over the new connection (called by amqtt when a client has connected)."""
        self._outboxes[session.client_id].deliver_by(self._get_handler(session))

    async def shutdown(self) -> None:
        """Stop delivering, too."""
        for outbox in self._outboxes.values():
            if outbox.delivery:
                outbox.delivery.cancel()
        await super().shutdown()
