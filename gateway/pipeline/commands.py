"""What a person, the ERP or a sink asks of the one writer: each command is a unit of work of its own."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from gateway.domain.exception import ExceptionKind
from gateway.domain.lot import Staging
from gateway.errors import CommandRefused, StoreError, TransientError
from gateway.pipeline import posting, stock
from gateway.pipeline.model import LineModel
from gateway.pipeline.writer import Writer
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark, Rejection, StagingRow
from gateway.store.codec import staging_hash

T = TypeVar("T")
_RETRIED_AT_ONCE = 500  # held triggers in one transaction


class CommandDesk:
    """Implements Commands: callers queue and wait, the pipeline executes between two batches."""

    def __init__(self, writer: Writer, wake: Callable[[], None]) -> None:
        self._writer = writer
        self._wake = wake
        self._waiting: deque[tuple[Callable[[], Awaitable[None]], asyncio.Future[Any]]] = deque()
        self._refusal = ""  # why nothing can be carried out now; empty when it can

    def __len__(self) -> int:
        return len(self._waiting)

    async def execute_waiting(self) -> None:
        """Carry out what was asked, in order; StoreError after its caller was told."""
        while self._waiting:
            execute, _ = self._waiting.popleft()
            await execute()

    def refuse(self, reason: str) -> None:
        """Answer what waits and what comes with `reason`, until `accept`: nobody should wait for a broken store."""
        self._refusal = reason
        while self._waiting:
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(_refused(reason))

    def accept(self) -> None:
        """Take commands again."""
        self._refusal = ""

    async def stage(self, staging: Staging, person: str) -> bool:
        """Apply a transfer to the line once, then try again what waited for it."""
        return await self._ask(lambda: self._stage_and_retry(staging, person))

    async def acknowledge(self, consumer: str, store: str, through: int) -> int:
        """Move a puller's watermark, never back."""
        return await self._ask(lambda: self._acknowledge(consumer, store, through))

    async def deliver(self, sink: str, through: int, rejected: Mapping[int, str]) -> None:
        """Move a sink's watermark; what it refused is kept beside it."""
        await self._ask(lambda: self._move(ConsumerKey(ConsumerKind.SINK, sink), through, rejected))

    async def activate(self, model: LineModel) -> None:
        """Swap signals, rules and master data between two batches."""
        await self._ask(lambda: self.activate_now(model))

    async def activate_now(self, model: LineModel) -> None:
        """Put the model in force: apply new stagings, try again what waits. CommandRefused changes nothing."""
        before, self._writer.model = self._writer.model, model
        try:
            await self._stage(model.master.stagings, "master data")
            await self.retry_all()
        except (CommandRefused, StoreError):
            self._writer.model = before  # the caller goes on with its old configuration
            raise

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        if self._refusal:
            raise _refused(self._refusal)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def execute() -> None:
            try:
                result = await work()
            except (CommandRefused, StoreError) as error:
                if not answer.done():
                    answer.set_exception(error)
                if isinstance(error, StoreError):
                    raise
            else:
                if not answer.done():
                    answer.set_result(result)
            finally:
                if not answer.done():  # broken off: whoever waits must not wait for ever
                    answer.set_exception(TransientError("the command was broken off", "ask again"))

        self._waiting.append((execute, answer))
        self._wake()
        return await answer

    async def _stage_and_retry(self, staging: Staging, person: str) -> bool:
        applied = await self._stage((staging,), person)
        if applied:
            await self.retry_all()
        return bool(applied)

    async def _stage(self, stagings: tuple[Staging, ...], person: str) -> int:
        """Apply those not applied before, in one transaction; return how many."""
        writer = self._writer
        known = await writer.store.staged([one.staging for one in stagings])
        for one in stagings:
            if one.staging in known:
                stock.same_content(one.staging, known[one.staging], staging_hash(one))
        new = [one for one in stagings if one.staging not in known]
        used_up = await writer.store.balances([one.key for one in new if one.key not in writer.state.lots])
        work = writer.working_copy()
        for one in new:
            row = StagingRow(stock.check(writer.model, one), work.now, staging_hash(one))
            stock.apply(work, row, used_up.get(one.key), person)
        await writer.finish(work)
        return len(new)

    async def _acknowledge(self, consumer: str, store: str, through: int) -> int:
        writer = self._writer
        if store != writer.store.store:
            raise CommandRefused(f"this is store {writer.store.store}, not {store}", "start again at 0")
        if through > writer.state.head.seq:
            raise CommandRefused(f"seq {through} is beyond the last one, {writer.state.head.seq}")
        return await self._move(ConsumerKey(ConsumerKind.PULLER, consumer), through, {})

    async def _move(self, reader: ConsumerKey, through: int, rejected: Mapping[int, str]) -> int:
        writer = self._writer
        now = writer.clock.now().wall
        refused = [Rejection(reader.name, seq, reason, now) for seq, reason in rejected.items()]
        await writer.commit(Batch(consumers={reader: Mark(through, now)}, rejections=refused))
        return max(through, await writer.watermark(reader))

    async def retry_all(self) -> None:
        """Try what waits again, oldest first: something relevant has changed."""
        waiting = [one.id for one in self._writer.state.exceptions.values() if one.kind is ExceptionKind.TRIGGER]
        for number in sorted(waiting):
            await self._retry(number)

    async def _retry(self, number: int) -> None:
        writer = self._writer
        while record := writer.state.exceptions.get(number):
            triggers = await writer.store.held_triggers(number, _RETRIED_AT_ONCE)
            work = writer.working_copy()
            posted = posting.retry(work, record, triggers)
            await writer.finish(work)
            if not posted or not triggers:
                return


def _refused(reason: str) -> TransientError:
    return TransientError(f"not carried out: {reason}", "ask again later")
