"""The one that writes: holds the committed state, hands out working copies and commits them whole."""

import logging

from gateway.domain.clock import in_milliseconds
from gateway.formats.canonical import Place
from gateway.pipeline import replenishment
from gateway.pipeline.latency import Latency
from gateway.pipeline.model import LineModel
from gateway.pipeline.state import State, followed_documents, recovered
from gateway.pipeline.working_copy import WorkingCopy
from gateway.ports import Clock
from gateway.store.batch import Batch, ConsumerKey
from gateway.store.log import PostingLog
from gateway.store.store import Store

logger = logging.getLogger(__name__)


class Writer:
    """Only the pipeline's task calls it, one unit of work after the other.

    What belongs together happens at one moment: `tick` reads the clock, the working copies after it share that.
    """

    def __init__(self, store: Store, log: PostingLog, clock: Clock, model: LineModel, state: State) -> None:
        self.store = store
        self.clock = clock
        self.model = model
        self.state = state
        self.batches = 0
        self.latency = Latency()
        self._log = log
        self.place = self.tick()

    @classmethod
    async def load(cls, store: Store, log: PostingLog, clock: Clock, model: LineModel) -> "Writer":
        """Return a writer with the state as the store has it; StoreError where it can't be read."""
        return cls(store, log, clock, model, await load_state(store))

    def tick(self) -> Place:
        """Read the clock; a unit of work happens at this moment."""
        now = in_milliseconds(self.clock.now().wall)
        self.place = Place(self.store.gateway, self.store.store, now, self.clock.trust())
        return self.place

    def working_copy(self) -> WorkingCopy:
        """Return an empty overlay over the committed state, at the moment of the last tick."""
        return WorkingCopy(self.state, self.model, self.place)

    async def finish(self, work: WorkingCopy) -> None:
        """Commit the working copy and make it the state; StoreError leaves the state as it was."""
        if work.must_commit:
            replenishment.signal(work)
            await self.commit(work.batch())
        if letters := work.rows.dead_letters:
            logger.warning(
                "%d messages kept as dead letters; %s: %s", len(letters), letters[-1].source, letters[-1].reason
            )
        work.finish(committed=work.must_commit)
        if work.rows.postings:
            self._log.announce(work.head.seq)

    async def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction."""
        with self.latency.measured():
            await self.store.commit(batch)
        self.batches += 1

    async def watermark(self, reader: ConsumerKey) -> int:
        """Return how far that reader of the posting log has acknowledged."""
        readers = await self._log.consumers()
        return next((one.through for one in readers if (one.kind, one.name) == reader), 0)

    def ask_again(self) -> None:
        """Say to the sinks that a refused posting is to be offered once more."""
        self._log.ask_again()

    async def reload(self) -> None:
        """Reopen the store after a failure and read the state anew."""
        await self.store.reopen()
        self.state = await load_state(self.store)


async def load_state(store: Store) -> State:
    """Return the committed state, with the triggers of open documents and the postings they follow."""
    state = recovered(await store.load())
    for document in state.documents.values():
        state.gathered[document.id] = await store.triggers(document.triggers)
    followed = followed_documents(state.documents.values(), state.backlogs.values())
    state.seqs = {one.document: one.seq for one in await store.postings_of(sorted(followed))}
    return state
