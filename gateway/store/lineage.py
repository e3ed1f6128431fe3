"""Whose a store is, and the ids it has borne: a restored backup gets a new one, what was written before keeps its own.

So nothing that the lost store posted after the backup can be taken for what is posted now: identities differ.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

RESTORED = "restored"  # the journal entry with which a restored store goes on under its new id
BEGUN = "begun"  # … and that with which an empty one begins in the place of another
DOUBTED = "restored"  # the code of what is held or told because of it
_FORMER = "SELECT store, last_position, last_seq FROM former_store ORDER BY last_position"


class Former(NamedTuple):
    """An id that the store bore: of its chain's entries up to `last_position`, its postings up to `last_seq`."""

    store: str
    last_position: int
    last_seq: int


class Lineage(NamedTuple):
    """The store's gateway, the id it bears, and those it bore, oldest first."""

    gateway: str
    store: str
    former: tuple[Former, ...] = ()

    @property
    def first(self) -> str:
        """The id under which the chain began."""
        return self.former[0].store if self.former else self.store

    @property
    def ids(self) -> frozenset[str]:
        """Every id it has borne."""
        return frozenset((self.store, *(one.store for one in self.former)))

    def inherited(self, store: str) -> int | None:
        """Return the last seq that this store has in common with one of its ids; None: all, it is the present one."""
        return next((one.last_seq for one in self.former if one.store == store), None)

    def at_position(self, position: int) -> str:
        """Return the id that an entry of the chain bears."""
        return next((one.store for one in self.former if position <= one.last_position), self.store)

    def stretch(self, seq: int) -> tuple[str, int | None]:
        """Return the id that a posting bears, and the last seq of that id; None: it goes on."""
        return next(((one.store, one.last_seq) for one in self.former if seq <= one.last_seq), (self.store, None))


class Restored(NamedTuple):
    """That the store was restored, or begun anew: when, and the sentence of what it doesn't know.

    Documents below `document` were open then: they may have been posted, and don't close by themselves.
    """

    at: datetime
    why: str
    document: int


def read_restored(meta: dict[str, str]) -> Restored | None:
    """Return when the store was restored last, None if it never was."""
    if "restored_at" not in meta:
        return None
    at = datetime.fromisoformat(meta["restored_at"])
    return Restored(at, meta["restored_why"], int(meta["restored_document"]))


def read_lineage(connection: sqlite3.Connection, meta: dict[str, str]) -> Lineage:
    """Return whose the store is."""
    former = tuple(Former(*row) for row in connection.execute(_FORMER))
    return Lineage(meta["gateway"], meta["store"], former)
