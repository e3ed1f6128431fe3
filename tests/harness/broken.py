"""Ways to run the gateway otherwise than it is made: mostly broken on purpose.

A fault test that finds nothing wrong with these would prove nothing.
"""

import asyncio
import os
import signal
from dataclasses import replace

from gateway.store import connection
from gateway.store.batch import Batch
from gateway.store.store import Store
from gateway.transport.mqtt import MqttConnection

_SLOW = 0.2  # s that each commit takes longer
_COMMITS = 12  # that count something, before the power is cut between two transactions


def as_it_is() -> None:
    """Change nothing."""


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


def acknowledged_on_receipt() -> None:
    """Acknowledge MQTT messages when they arrive, as clients do by default, and not when they are committed."""
    taken = MqttConnection._on_message

    def on_message(one: MqttConnection, client: object, data: object, message: object) -> None:
        one.acknowledge(message.mid)
        taken(one, client, data, message)

    MqttConnection._on_message = on_message


def slow_commits() -> None:
    """Commit a moment later, as on a slow disk."""
    whole = Store.commit

    async def commit(store: Store, batch: Batch) -> None:
        await asyncio.sleep(_SLOW)
        await whole(store, batch)

    Store.commit = commit  # type: ignore[method-assign]


def synchronous_normal() -> None:
    """Commit without waiting for the disk, as SQLite's WAL is often run."""
    connection._WRITER = ("PRAGMA synchronous = NORMAL",)


def checkpoint_each() -> None:
    """Copy the WAL into the database after every commit, so that the first posting already shows how that goes."""
    connection._WRITER += ("PRAGMA wal_autocheckpoint = 1",)


def stopped() -> None:
    """Wait for SIGCONT before anything is done: time to attach to it."""
    os.kill(os.getpid(), signal.SIGSTOP)


WAYS = {
    "run": as_it_is,
    "checkpoints-apart": checkpoints_apart,
    "acknowledged-on-receipt": acknowledged_on_receipt,
    "slow-commits": slow_commits,
    "synchronous-normal": synchronous_normal,
    "checkpoint-each": checkpoint_each,
    "stopped": stopped,
}
