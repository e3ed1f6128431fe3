"""Ways to break the gateway on purpose: a fault test that finds nothing wrong with these would prove nothing."""

import os
import signal
from dataclasses import replace

from gateway.store.batch import Batch
from gateway.store.store import Store

_COMMITS = 12  # that count something, before the power is cut between two transactions


def checkpoints_apart() -> None:
    """Commit the counters' checkpoints in a transaction before what they produced, and die between the two."""
    whole = Store.commit
    commits = 0

    async def commit(store: Store, batch: Batch) -> None:
        nonlocal commits
        await whole(store, Batch(checkpoints=batch.checkpoints))
        commits += any(row.event.signal in batch.checkpoints for row in batch.events)
        if commits == _COMMITS:
            os.kill(os.getpid(), signal.SIGKILL)
        await whole(store, replace(batch, checkpoints={}))

    Store.commit = commit  # type: ignore[method-assign, assignment]


WAYS = {"checkpoints-apart": checkpoints_apart}
