"""The one writer over a real store: what the pipeline does for the API and the sinks, without the pipeline."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson

from gateway.domain.clock import ClockTrust, Instant, rfc3339
from gateway.domain.command import Command
from gateway.domain.lot import Staging
from gateway.domain.posting import Output, Posting, PostingType
from gateway.domain.signature import Author
from gateway.errors import CommandRefused, StoreError
from gateway.formats import chain
from gateway.store.batch import Batch, Closing, ConsumerKey, ConsumerKind, Head, Mark, PostingRow, Rejection, StagingRow
from gateway.store.codec import staging_hash
from gateway.store.log import PostingLog
from gateway.store.store import Store
from gateway.store.views import Views

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
_POSTING = Posting(
    type=PostingType.COMPONENT,
    order="100045",
    operation="0010",
    item="COLA-CASE-12",
    finished_lot="C261121-1",
    output=Output(Decimal(1), Decimal(0), Decimal(0), "EA"),
    lines=(),
    triggers=(),
    bom="COLA-CASE-12",
    bom_version="3",
    master_data="sha256:0",
)


class StoppedClock:
    def now(self) -> Instant:
        return Instant(NOW, 0, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)

    def believe(self) -> None:
        pass


class Writer:
    """Commands on a store. `failing` plays a disk that takes nothing, `refusal` a pipeline that says no."""

    def __init__(self, path: Path, store: Store, log: PostingLog, views: Views, head: Head) -> None:
        self.path = path
        self.store = store
        self.log = log
        self.views = views
        self.failing = False
        self.refusal: Exception | None = None
        self.result: object = True
        self.executed: list[tuple[Command, Author]] = []
        self.audited: list[tuple[Command, str, str]] = []
        self._head = head

    async def post(self, count: int) -> None:
        """Append postings to the log, in one transaction."""
        rows = [self._row() for _ in range(count)]
        await self._commit(Batch(postings=rows, head=self._head))
        self.log.announce(self._head.seq)

    async def stage(self, staging: Staging, person: str) -> bool:
        assert person
        known = await self.store.staged([staging.staging])
        if known and known[staging.staging] != staging_hash(staging):
            raise CommandRefused(f"staging {staging.staging} was applied before with other content")
        if not known:
            await self._commit(Batch(stagings=[StagingRow(staging, NOW, staging_hash(staging))]))
        return not known

    async def execute(self, command: Command, author: Author) -> object:
        if self.refusal:
            raise self.refusal
        self.executed.append((command, author))
        return self.result

    async def audit(self, command: Command, author: Author, refused: str) -> None:
        self.audited.append((command, author.person, refused))

    async def acknowledge(self, consumer: str, store: str, through: int) -> int:
        assert store == self.store.store
        await self._commit(Batch(consumers={ConsumerKey(ConsumerKind.PULLER, consumer): Mark(through, NOW)}))
        return (await self.watermarks())[ConsumerKind.PULLER, consumer]

    async def deliver(self, sink: str, through: int, rejected: Mapping[int, str]) -> None:
        rejections = [Rejection(sink, seq, reason, NOW) for seq, reason in rejected.items()]
        key = ConsumerKey(ConsumerKind.SINK, sink)
        await self._commit(Batch(consumers={key: Mark(through, NOW)}, rejections=rejections))

    async def tried_again(self, sink: str, seq: int, refused: str) -> None:
        if refused:
            await self._commit(Batch(rejections=[Rejection(sink, seq, refused, NOW)]))
        else:
            await self._commit(Batch(closed_rejections={(sink, seq): Closing(NOW, "booked on another try", sink)}))

    async def ask_again(self, sink: str, seq: int) -> None:
        await self._commit(Batch(asked_again=[(sink, seq)]))
        self.log.ask_again()

    async def watermarks(self) -> dict[tuple[ConsumerKind, str], int]:
        return {(one.kind, one.name): one.through for one in await self.log.consumers()}

    async def retain_from(self, first: int) -> None:
        """Delete every posting before `first`, as retention does."""
        rows = [(first - 1,)]
        await self.store.transact(lambda raw: raw.executemany("DELETE FROM posting WHERE seq <= ?", rows))
        await self.store.transact(
            lambda raw: raw.execute("INSERT INTO meta (key, value) VALUES ('retained_seq', ?)", (str(first - 1),))
        )

    async def _commit(self, batch: Batch) -> None:
        if self.failing:
            raise StoreError("store gateway.db: disk I/O error")
        await self.store.commit(batch)

    def _row(self) -> PostingRow:
        position, previous, seq = self._head.position + 1, self._head.hash, self._head.seq + 1
        core = orjson.dumps({"kind": "posting", "seq": seq, "posted_at": rfc3339(NOW)})
        body, sealed = chain.seal(core, previous)
        self._head = Head(position, sealed, seq)
        return PostingRow(seq, position, _POSTING, NOW, body, document=seq)


@asynccontextmanager
async def open_writer(folder: Path) -> AsyncIterator[Writer]:
    path = folder / "gateway.db"
    store = await Store.open(path, "PLANT1-L1")
    log, views = await PostingLog.open(path), await Views.open(path)
    try:
        yield Writer(path, store, log, views, (await store.load()).head)
    finally:
        await log.close()
        await views.close()
        await store.close()
