"""Mistakes put into the product on purpose: a simulation that doesn't find them finds nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from gateway.counting import decide
from gateway.counting import messages as numbering
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store import log
from gateway.store.batch import Batch
from gateway.sync import dispatcher, watermark
from tests.simulation.process import SessionDriver
from tests.simulation.store import SimulatedStore

Patches = Iterator[Any]


def _acknowledged_before_commit() -> Patches:
    """Acknowledge what was taken out, then commit it."""
    take = Pipeline._take

    async def taken(self, scans):
        self._acknowledge(scans)
        await take(self, scans)

    yield patch.object(Pipeline, "_take", taken)


def _checkpoints_apart() -> Patches:
    """Commit the counters' checkpoints in a transaction of their own, before what they stand for."""
    commit = SimulatedStore.commit

    async def apart(self, batch: Batch):
        if batch.checkpoints and not batch.exceptions:  # those would be missed at once, without any crash
            await commit(self, Batch(checkpoints=batch.checkpoints))
        await commit(self, batch)

    yield patch.object(SimulatedStore, "commit", apart)


def _key_not_unique() -> Patches:
    """Give an event a key of its own at each delivery, instead of the device's."""
    numbers = count(1)

    def key(message, source_time):
        return f"{message.id}/{next(numbers)}"

    yield patch.object(numbering, "message_key", key)


def _page_begins_one_too_far() -> Patches:
    """Read the log behind the cursor's next posting."""
    yield patch.object(log, "PAGE", log.PAGE.replace("seq > ?", "seq > ? + 1"))


def _watermark_one_too_far() -> Patches:
    """Take one posting more for delivered than the sink said."""
    step = watermark.step

    def too_far(through, sent, delivery):
        moved = step(through, sent, delivery)
        return moved._replace(through=min(moved.through + 1, sent[-1].seq))

    yield patch.object(dispatcher, "step", too_far)


def _state_kept_after_a_failed_commit() -> Patches:
    """Go on from what was planned, although it isn't on the disk."""
    finish = Writer.finish

    async def kept(self, work: WorkingCopy):
        checkpoints = dict(work.checkpoints.changed)
        try:
            await finish(self, work)
        except Exception:
            self.state.checkpoints.update(checkpoints)
            raise

    async def not_read_again(self):
        kept = self.state.checkpoints
        await reload(self)
        self.state.checkpoints.update(kept)

    reload = Writer.reload
    yield patch.object(Writer, "finish", kept)
    yield patch.object(Writer, "reload", not_read_again)


def _not_delivered_again() -> Patches:
    """Never ask the broker for what a failed commit has dropped."""
    yield patch.object(SessionDriver, "redeliver", lambda _: None)


def _sink_believed_before_it_answers() -> Patches:
    """Move the watermark before the sink has the postings."""

    async def early(self, mark, documents):
        await self._commands.deliver(self._name, documents[-1].seq, {})
        await self._sink.deliver(self._log.gateway, self._log.store, documents)

    yield patch.object(dispatcher.Dispatcher, "_deliver", early)


def _torn_readings_believed() -> Patches:
    """Believe every reading at first sight."""
    yield patch.object(decide, "_judge", lambda facts, row: row.outcome(facts))


BUGS: Mapping[str, Callable[[], Patches]] = {
    "ack-before-commit": _acknowledged_before_commit,
    "checkpoints-apart": _checkpoints_apart,
    "key-not-unique": _key_not_unique,
    "page-off-by-one": _page_begins_one_too_far,
    "watermark-off-by-one": _watermark_one_too_far,
    "state-kept": _state_kept_after_a_failed_commit,
    "not-redelivered": _not_delivered_again,
    "acknowledged-undelivered": _sink_believed_before_it_answers,
    "torn-believed": _torn_readings_believed,
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Put that mistake into the product while the block runs."""
    with ExitStack() as stack:
        for one in BUGS[name]() if name else ():
            stack.enter_context(one)
        yield
