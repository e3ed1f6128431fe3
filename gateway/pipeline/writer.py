"""The one that writes: holds the committed state, hands out working copies and commits them whole."""

import logging

from gateway.formats.canonical import Place
from gateway.pipeline.model import LineModel
from gateway.pipeline.state import State, recovered
from gateway.pipeline.working_copy import WorkingCopy
from gateway.ports import Clock
from gateway.store.batch import Batch, ConsumerKey
from gateway.store.log import PostingLog
from gateway.store.store import Store

logger = logging.getLogger(__name__)


class Writer:
    """Only the pipeline's task calls it, one unit of work after the other."""

    def __init__(self, store: Store, log: PostingLog, clock: Clock, model: LineModel, state: State) -> None:
        self.store = store
        self.clock = clock
        self.model = model
        self.state = state
        self.batches = 0
        self._log = log

    @classmethod
    async def load(cls, store: Store, log: PostingLog, clock: Clock, model: LineModel) -> "Writer":
        """Return a writer with the state as the store has it; StoreError where it can't be read."""
        return cls(store, log, clock, model, recovered(await store.load()))

    def working_copy(self) -> WorkingCopy:
        """Return an empty overlay over the committed state."""
        place = Place(self.store.gateway, self.store.store, self.clock.now().wall, self.clock.trust())
        return WorkingCopy(self.state, self.model, place)

    async def finish(self, work: WorkingCopy) -> None:
        """Commit the working copy and make it the state; StoreError leaves the state as it was."""
        if work.must_commit:
            await self.commit(work.batch())
        if letters := work.rows.dead_letters:
            logger.warning(
                "%d messages kept as dead letters; %s: %s", len(letters), letters[-1].source, letters[-1].reason
            )
        work.apply(committed=work.must_commit)
        if work.rows.postings:
            self._log.announce(work.head.seq)

    async def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction."""
        await self.store.commit(batch)
        self.batches += 1

    async def watermark(self, reader: ConsumerKey) -> int:
        """Return how far that reader of the posting log has acknowledged."""
        readers = await self._log.consumers()
        return next((one.through for one in readers if (one.kind, one.name) == reader), 0)

    async def reload(self) -> None:
        """Reopen the store after a failure and read the state anew."""
        await self.store.reopen()
        self.state = recovered(await self.store.load())
