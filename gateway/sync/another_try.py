"""Postings that a sink refused and a person wants to be offered once more: each alone, beside the posting log."""

import asyncio
import logging

from gateway.errors import GatewayError, Postponed, TransientError
from gateway.ports import Commands, Document, Sink
from gateway.settings.sink import SinkSettings
from gateway.store.log import PostingLog
from gateway.transport.backoff import Backoff

_LOG = logging.getLogger(__name__)
_LONGEST_WISH = 3600.0  # seconds; a Retry-After beyond an hour is a mistake of the other side


class AnotherTry:
    """Tries what was asked for, one after the other, until the sink has booked or refused it.

    They are in the store, so a restart goes on with them. `turn` is the sink's: it is asked one thing at a time.
    """

    def __init__(
        self, settings: SinkSettings, sink: Sink, log: PostingLog, commands: Commands, turn: asyncio.Lock
    ) -> None:
        self._name = settings.sink
        self._sink = sink
        self._log = log
        self._commands = commands
        self._turn = turn
        self._backoff = Backoff(settings.retry_after, settings.retry_at_most)
        self._tried = 0  # seq: after one that could not be delivered, the next one has its turn

    async def run(self) -> None:
        """Go on until cancelled; what can't be delivered now stays asked for, and is tried again after a pause."""
        while True:
            asked = self._log.asked  # before the look: what is asked for meanwhile is not missed
            try:
                if not await self._offer_next():
                    await self._log.wait_asked(asked)
            except GatewayError as error:
                _LOG.warning("sink %s, another try of posting %d: %s", self._name, self._tried, error)
                pause = self._backoff.next()
                await asyncio.sleep(as_wished(error, pause) if isinstance(error, Postponed) else pause)

    async def _offer_next(self) -> bool:
        document = await self._log.asked_again(self._name, self._tried) or await self._log.asked_again(self._name, 0)
        if document is None:
            return False
        self._tried = document.seq
        await self._offer(document)
        return True

    async def _offer(self, document: Document) -> None:
        seq = document.seq
        store, _ = self._log.lineage.stretch(seq)
        async with self._turn:
            delivery = await self._sink.deliver(self._log.gateway, store, (document,))
        refused = delivery.rejected.get(seq, "")
        if not refused and seq not in delivery.delivered:
            raise TransientError("it is to come again later")
        await self._commands.tried_again(self._name, seq, refused)
        self._backoff.reset()
        _LOG.info("sink %s, another try of posting %d: %s", self._name, seq, refused or "booked")


def as_wished(error: Postponed, pause: float) -> float:
    """Return the seconds until the next try: as the other side wishes, at least our own pause."""
    return min(max(error.retry_after, pause), _LONGEST_WISH)
