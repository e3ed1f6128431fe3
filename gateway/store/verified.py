"""How far a verification came: all that one that goes on from there has to know of what lies behind it."""

import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import orjson

from gateway.domain.document import Part
from gateway.domain.quantity import text
from gateway.store import codec
from gateway.store.batch import Head
from gateway.store.load import OPEN_DOCUMENTS, head, next_id, read_meta
from gateway.store.totals import TotalKey, Totals

LIVE = "spanned"  # kind of total that is summed anew each time: retention may move any of its parts

_HELD = "SELECT id FROM main.trigger_log WHERE exception_id IS NOT NULL AND closed = 0"
_OPEN_EXCEPTIONS = "SELECT id FROM main.exception WHERE closed_at IS NULL ORDER BY id"
_COUNTERS = "SELECT device, signal, value, counted FROM main.checkpoint ORDER BY device, signal"
_TOTALS = "SELECT kind, key_1, key_2, key_3, key_4, quantity FROM verified_total"


class Ids(NamedTuple):
    """The greatest ids that were given."""

    event: int
    trigger: int
    document: int
    exception: int


class Pending(NamedTuple):
    """What was not final yet, by id: held triggers and those of open documents (first, last), and both of these."""

    triggers: tuple[tuple[int, int], ...] = ()
    documents: tuple[int, ...] = ()
    exceptions: tuple[int, ...] = ()


class Verified(NamedTuple):
    """The chain up to `head`, every row up to `ids` but the pending ones; `totals` are of what is final.

    `counters`: device, signal, the value it showed, and how many units it had counted, both as text.
    """

    head: Head
    ids: Ids
    pending: Pending
    totals: Mapping[TotalKey, Decimal]
    counters: tuple[tuple[str, str, str, str], ...] = ()

    @property
    def state(self) -> str:
        """Ids, what is pending, and the counters, as JSON."""
        counters = {"counters": self.counters} if self.counters else {}
        return orjson.dumps({**self.ids._asdict(), "pending": list(self.pending), **counters}).decode()

    @property
    def digest(self) -> str:
        """`sha256:…` over the state and the totals, in the order of their keys."""
        found = sha256(self.state.encode())
        for key, quantity in sorted(self.totals.items()):
            found.update(orjson.dumps([*key, text(quantity)]))
        return f"sha256:{found.hexdigest()}"


def reached(connection: sqlite3.Connection, totals: Totals) -> Verified:
    """Return how far a verification that found nothing came, in the read transaction that it ended in."""
    meta = read_meta(connection)
    documents = {number: codec.document(body) for number, body in connection.execute(OPEN_DOCUMENTS)}
    greatest_open = max(documents, default=0)
    triggers = {number for (number,) in connection.execute(_HELD)}
    for one in documents.values():
        if one.key.part is Part.MAIN:  # another's triggers are in a posting already
            triggers.update(one.triggers)
    ids = Ids(
        event=next_id(connection, "event", meta) - 1,
        trigger=next_id(connection, "trigger_log", meta) - 1,
        document=max(next_id(connection, "posting", meta, "document_id") - 1, greatest_open),
        exception=next_id(connection, "exception", meta) - 1,
    )
    open_exceptions = tuple(number for (number,) in connection.execute(_OPEN_EXCEPTIONS))
    pending = Pending(_ranges(triggers), tuple(documents), open_exceptions)
    counters = tuple(tuple(row) for row in connection.execute(_COUNTERS))
    return Verified(head(meta), ids, pending, {key: one for key, one in totals.final() if key.kind != LIVE}, counters)


def read_totals(connection: sqlite3.Connection) -> dict[TotalKey, Decimal]:
    """Return the totals that were kept with the newest checkpoint."""
    return {TotalKey(*keys): Decimal(quantity) for *keys, quantity in connection.execute(_TOTALS)}


def parsed(at: Head, state: str, totals: Mapping[TotalKey, Decimal]) -> Verified:
    """Return what `state` and `totals` were written from; KeyError, TypeError or ValueError where it is malformed."""
    content = orjson.loads(state)
    triggers, documents, exceptions = content["pending"]
    pending = Pending(tuple((first, last) for first, last in triggers), tuple(documents), tuple(exceptions))
    counters = tuple((device, signal, value, count) for device, signal, value, count in content.get("counters", ()))
    return Verified(at, Ids(*(content[name] for name in Ids._fields)), pending, totals, counters)


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return the numbers as (first, last): a month's backlog of one line is one of them."""
    found = sorted(numbers)
    if not found:
        return ()
    holes = [(before, behind) for before, behind in pairwise(found) if behind != before + 1]
    firsts = [found[0], *(behind for _, behind in holes)]
    lasts = [*(before for before, _ in holes), found[-1]]
    return tuple(zip(firsts, lasts, strict=True))
