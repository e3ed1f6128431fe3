"""Where the API, the CLI, the sinks and the runtime ask: callers queue and wait, one unit of work after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from gateway.domain.command import Command, Stage
from gateway.domain.lot import Staging
from gateway.domain.signature import Author
from gateway.domain.signed_commands import needs_signature
from gateway.errors import CommandRefused, DataError, StoreError, TransientError
from gateway.pipeline import recording
from gateway.pipeline.commands import configuration, letters
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.model import LineModel
from gateway.pipeline.writer import Writer
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark, Rejection

T = TypeVar("T")


class CommandDesk:
    """Implements Commands: callers queue and wait, the pipeline executes between two batches."""

    def __init__(self, writer: Writer, wake: Callable[[], None], handlers: Handlers) -> None:
        self.desk = Desk(writer)
        self._writer = writer
        self._wake = wake
        self._handlers = handlers
        self._waiting: deque[tuple[Callable[[], Awaitable[None]], asyncio.Future[Any]]] = deque()
        self._refusal = ""  # why nothing can be carried out now; empty when it can

    def __len__(self) -> int:
        return len(self._waiting)

    async def execute_waiting(self) -> None:
        """Carry out what was asked, in order; StoreError after its caller was told."""
        while self._waiting:
            execute, _ = self._waiting.popleft()
            self._writer.tick()
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

    async def execute(self, command: Command, author: Author) -> object:
        """Carry out a command, then try again what waited; CommandRefused changes nothing, with its own message."""
        return await self._ask(lambda: self.execute_now(command, author))

    async def audit(self, command: Command, author: Author, refused: str) -> None:
        """Chain that a signed command was refused before it came here (its password, its role), and why."""
        await self._ask(lambda: self.audit_now(command, author, refused))

    async def stage(self, staging: Staging, person: str) -> bool:
        """Apply a transfer to the line once, then try again what waited for it."""
        return bool(await self.execute(Stage(staging), Author(person)))

    async def acknowledge(self, consumer: str, store: str, through: int) -> int:
        """Move a puller's watermark, never back."""
        return await self._ask(lambda: self._acknowledge(consumer, store, through))

    async def deliver(self, sink: str, through: int, rejected: Mapping[int, str]) -> None:
        """Move a sink's watermark; what it refused is kept beside it."""
        await self._ask(lambda: self._move(ConsumerKey(ConsumerKind.SINK, sink), through, rejected))

    async def tried_again(self, sink: str, seq: int, refused: str) -> None:
        """Keep what came of offering a refused posting once more."""
        await self._ask(lambda: letters.tried_again(self.desk, sink, seq, refused))

    async def activate(self, model: LineModel) -> None:
        """Swap signals, rules and master data between two batches."""
        await self._ask(lambda: configuration.put_in_force(self.desk, model), then=self.desk.retry_all)

    async def activate_now(self, model: LineModel) -> None:
        """Put the model in force: apply new stagings, try again what waits. CommandRefused changes nothing."""
        await configuration.activate(self.desk, model)

    async def execute_now(self, command: Command, author: Author) -> object:
        """Carry out a command at the moment of the writer's last tick, without a queue."""
        before = self._writer.batches
        try:
            result = await self._handled(command, author)
        except CommandRefused as refusal:
            if needs_signature(command):
                await self.audit_now(command, author, str(refusal), tried=True)
            raise
        if self._writer.batches != before:  # whatever it changed may be what something waits for
            await self.desk.retry_all()
        return result

    async def retry_all(self) -> None:
        """Try what waits again, oldest first."""
        await self.desk.retry_all()

    async def _handled(self, command: Command, author: Author) -> object:
        if (signed := needs_signature(command)) and author.signature is None:
            raise CommandRefused(f"{signed} needs a signature", "sign with your user and password")
        try:
            return await self._handlers[type(command)](self.desk, command, author)
        except DataError as error:
            raise CommandRefused(error.message, error.hint) from error

    async def audit_now(self, command: Command, author: Author, refused: str, *, tried: bool = False) -> None:
        """Chain that at the moment of the writer's last tick; `tried`: its handler refused it."""
        work = self.desk.working_copy()
        recorded = recording.command(command, author, "" if tried else refused)
        work.record("command", recorded)
        entry = {"command": recorded["command"], "about": recorded["body"], "person": author.person, "why": refused}
        work.add_journal("refused", entry)
        await self.desk.finish(work)

    async def _ask(self, work: Callable[[], Awaitable[T]], *, then: Callable[[], Awaitable[None]] | None = None) -> T:
        """Return what the work answers; what is done `then` is no longer the caller's: it can't undo the work."""
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
                if then is not None:
                    await then()
            finally:
                if not answer.done():  # broken off: whoever waits must not wait for ever
                    answer.set_exception(TransientError("the command was broken off", "ask again"))

        self._waiting.append((execute, answer))
        self._wake()
        return await answer

    async def _acknowledge(self, consumer: str, store: str, through: int) -> int:
        writer = self._writer
        if store != writer.store.store:
            raise CommandRefused(f"this is store {writer.store.store}, not {store}", "start again at 0")
        if through > writer.state.head.seq:
            raise CommandRefused(f"seq {through} is beyond the last one, {writer.state.head.seq}")
        return await self._move(ConsumerKey(ConsumerKind.PULLER, consumer), through, {})

    async def _move(self, reader: ConsumerKey, through: int, rejected: Mapping[int, str]) -> int:
        writer = self._writer
        now = writer.place.posted_at
        refused = [Rejection(reader.name, seq, reason, now) for seq, reason in rejected.items()]
        await writer.commit(Batch(consumers={reader: Mark(through, now)}, rejections=refused))
        return max(through, await writer.watermark(reader))


def _refused(reason: str) -> TransientError:
    return TransientError(f"not carried out: {reason}", "ask again later")
