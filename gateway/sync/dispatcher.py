"""One sink's task: takes the posting log from its watermark, hands it over, moves the watermark."""

import asyncio
import logging
from collections.abc import Sequence

from gateway.domain.health import Health, Link
from gateway.errors import GatewayError, Postponed, SinkRejected, TooLarge, TransientError
from gateway.ports import Commands, Document, Sink
from gateway.settings.sink import SinkSettings
from gateway.store.batch import ConsumerKind
from gateway.store.log import PostingLog
from gateway.sync.another_try import AnotherTry, as_wished
from gateway.sync.watermark import Step, step
from gateway.transport.backoff import Backoff

_LOG = logging.getLogger(__name__)
_IDLE = 60.0  # seconds; only how often an idle sink looks at its watermark, a new posting wakes it at once


class Dispatcher:
    """Hands every posting to one sink, in order, at least once; the sink makes that exactly once in effect.

    A sink that fails touches nobody else: its own watermark waits. What it refused and a person wants it to be
    offered once more is tried beside the log. The caller closes the sink after `run`.
    """

    def __init__(self, settings: SinkSettings, sink: Sink, log: PostingLog, commands: Commands) -> None:
        self._name = settings.sink
        self._sink = sink
        self._log = log
        self._commands = commands
        self._size = settings.batch
        self._longest = settings.retry_at_most
        self._backoff = Backoff(settings.retry_after, settings.retry_at_most)
        self._health = Health(Link.CONNECTING, "nothing was handed over yet")
        self._turn = asyncio.Lock()  # a sink is asked one thing at a time
        self._again = AnotherTry(settings, sink, log, commands, self._turn)

    @property
    def health(self) -> Health:
        """Return how the last try went; asked at any time."""
        return self._health

    async def run(self) -> None:
        """Go on until cancelled; whatever fails is shown, and tried again after a pause."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_the_log())
            tasks.create_task(self._again.run())

    async def _follow_the_log(self) -> None:
        while True:
            try:
                await self._hand_over()
            except GatewayError as error:
                self._show(_health_after(error))
                await asyncio.sleep(self._pause_after(error))

    async def _hand_over(self) -> None:
        watermark = await self._watermark()
        if not await self._log.wait_beyond(watermark, _IDLE):
            return
        _, last = self._log.lineage.stretch(watermark + 1)  # one request, one store: the identity of what is in it
        page = await self._log.page(watermark, last, self._size)
        if page.documents:
            await self._deliver(watermark, page.documents)

    async def _watermark(self) -> int:
        consumers = await self._log.consumers()
        return next((one.through for one in consumers if one.kind is ConsumerKind.SINK and one.name == self._name), 0)

    async def _deliver(self, watermark: int, documents: Sequence[Document]) -> None:
        store, _ = self._log.lineage.stretch(documents[0].seq)
        async with self._turn:
            delivery = await self._sink.deliver(self._log.gateway, store, documents)
        moved = step(watermark, documents, delivery)
        if moved.through == watermark:
            raise TransientError(f"{self._name} took none of {len(documents)} postings from seq {documents[0].seq} on")
        await self._commands.deliver(self._name, moved.through, moved.rejected)
        self._backoff.reset()
        self._show(_health_of(moved))

    def _pause_after(self, error: GatewayError) -> float:
        if isinstance(error, TooLarge) and self._size > 1:
            # It stays halved: the other side's limit is a setting there, it doesn't grow by asking again.
            self._size //= 2
            return 0.0
        if isinstance(error, Postponed):
            return as_wished(error, self._backoff.next())
        if isinstance(error, SinkRejected | TooLarge):
            return self._longest
        return self._backoff.next()

    def _show(self, health: Health) -> None:
        if health != self._health:
            level = logging.INFO if health.link is Link.CONNECTED else logging.WARNING
            _LOG.log(level, "sink %s is %s: %s", self._name, health.link, health.detail or "takes postings")
        self._health = health


def _health_after(error: GatewayError) -> Health:
    link = Link.DEGRADED if isinstance(error, SinkRejected | TooLarge | Postponed) else Link.DISCONNECTED
    return Health(link, str(error))


def _health_of(moved: Step) -> Health:
    if not moved.rejected:
        return Health(Link.CONNECTED)
    seq, reason = max(moved.rejected.items())
    return Health(Link.DEGRADED, f"refused {len(moved.rejected)} postings, last seq {seq}: {reason}")
