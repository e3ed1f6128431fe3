"""The desk of the one writer: a command is a unit of work, and what waited for it is tried again after it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.domain.command import Command
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.signature import Author
from gateway.pipeline import backlogs, posting, recording
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.ports import Driver
from gateway.store.lineage import DOUBTED

# A handler carries out one kind of command, in one transaction; CommandRefused leaves everything as it was.
Handler = Callable[["Desk", Any, Author], Awaitable[object]]
Handlers = Mapping[type, Handler]

_RETRIED_AT_ONCE = 500  # held triggers in one transaction
_RETRIED = (ExceptionKind.TRIGGER, ExceptionKind.BACKLOG)


class Desk:
    """What handlers work with: `writer` has the store, the committed state, the model in force and the clock.

    `drivers` are those of the devices that were attached, by name; a replay has none.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.drivers: dict[str, Driver] = {}

    def begin(self, command: Command, author: Author) -> WorkingCopy:
        """Return a working copy in which the command is recorded; it is kept if the command changes anything."""
        work = self.working_copy()
        work.record("command", recording.command(command, author))
        return work

    def working_copy(self) -> WorkingCopy:
        """Return an empty overlay over the committed state, at the command's moment."""
        return self.writer.working_copy()

    async def finish(self, work: WorkingCopy) -> None:
        """Commit the working copy; StoreError leaves the state as it was."""
        await self.writer.finish(work)

    async def retry_all(self) -> None:
        """Try what waits again, oldest first: something relevant has changed.

        What waited in a backup that was restored may be posted already: it is tried when a person says so.
        """
        every = self.writer.state.exceptions.values()
        waiting = [one.id for one in every if one.kind in _RETRIED and one.code != DOUBTED]
        for number in sorted(waiting):
            await self.retry(number)

    async def retry(self, number: int) -> None:
        """Try again what waits in that exception, in the order of events, until something still has to wait."""
        while await self.retry_once(number):
            pass

    async def retry_once(self, number: int) -> bool:
        """Do as much of that as one transaction takes; tell whether there may be more."""
        record = self.writer.state.exceptions.get(number)
        if record is None or record.kind not in _RETRIED:
            return False
        work = self.working_copy()
        work.retried = number
        if record.kind is ExceptionKind.BACKLOG:
            return await self._settle(work, record)
        more = await self._post(work, record)
        await self.finish(work)
        return more

    async def _post(self, work: WorkingCopy, record: ExceptionRecord) -> bool:
        """Post what can be, page by page; the first page is the one that mostly still waits and holds up the rest."""
        tried, last, size = posting.Tried(), 0, 1
        while tried.posted < _RETRIED_AT_ONCE:
            triggers = await self.writer.store.held_triggers(record.id, size, last)
            if not posting.retry(work, _as_it_is(work, record), triggers, tried) or len(triggers) < size:
                break
            last, size = triggers[-1].id, _RETRIED_AT_ONCE - 1
        posting.renew(work, _as_it_is(work, record), tried)
        return tried.posted >= _RETRIED_AT_ONCE

    async def _settle(self, work: WorkingCopy, record: ExceptionRecord) -> bool:
        store = self.writer.store
        numbers = sorted({one.trigger for one in backlogs.owed(work, record)})
        triggers = {one.id: one for one in await store.triggers(numbers)}
        backlogs.settle(work, record, triggers, await store.spans_of(numbers))
        await self.finish(work)
        return False


def _as_it_is(work: WorkingCopy, record: ExceptionRecord) -> ExceptionRecord:
    """Return the entry as the batch has left it."""
    return work.exceptions.get(record.id) or record
