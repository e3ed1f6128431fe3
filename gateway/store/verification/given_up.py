"""Is a checkpoint of what a restore gave up? Then this store hasn't got what it names, and never had.

A restored store inherits the chain up to its backup's end; what its former self wrote behind that is in the file that
was put aside. Of a store that was replaced as a whole nothing that it wrote is here: the entry that began the present
one names it.
"""

import sqlite3
from typing import Any, NamedTuple

import orjson

from gateway.store.lineage import BEGUN, RESTORED, Lineage

_REPLACED_AT = "SELECT replaced_at FROM former_store WHERE store = ?"
_BEGINNINGS = "SELECT position, body FROM main.journal WHERE kind IN (?, ?) ORDER BY position"


class GivenUp(NamedTuple):
    """Behind `position` and `seq` the chain goes on with what was written since `at`; 0: it is another chain."""

    position: int
    seq: int
    at: str

    def told(self, number: int) -> str:
        """Say of so many checkpoints that they are of what was given up."""
        begun = f"restored at position {self.position}" if self.position else "begun anew"
        are = "1 checkpoint is" if number == 1 else f"{number} checkpoints are"
        return f"{begun} on {self.at}; {are} of the part that was given up (after seq {self.seq})"


def given_up(connection: sqlite3.Connection, lineage: Lineage, said: dict[str, Any]) -> GivenUp | None:
    """Return what gave up the entry that a checkpoint names, None where the store should have it."""
    if said["gateway"] != lineage.gateway:
        return None
    for one in lineage.former:
        if one.store == said["store"] and said["position"] > one.last_position:
            (at,) = connection.execute(_REPLACED_AT, (one.store,)).fetchone()
            return GivenUp(one.last_position, one.last_seq, at)
    return None if said["store"] in lineage.ids else _replaced(connection, said["store"])


def _replaced(connection: sqlite3.Connection, store: str) -> GivenUp | None:
    for position, body in connection.execute(_BEGINNINGS, (RESTORED, BEGUN)):
        entry = orjson.loads(body)
        if (entry["replaced"] or {}).get("store") == store:
            return GivenUp(position - 1, entry.get("former", {}).get("seq", 0), entry["at"])
    return None
