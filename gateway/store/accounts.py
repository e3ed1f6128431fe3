"""What the documents themselves say was posted, signal by signal: read from the stored bodies, not from totals."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path

import orjson

from gateway.domain.event import SignalId
from gateway.domain.quantity import ZERO, text
from gateway.formats.chain import unseal
from gateway.store.connection import connect_reader
from gateway.store.load import TALLIES, tally
from gateway.store.reversed import closed, reversals
from gateway.store.totals import COUNTED_NOT, Totals, of_closed, of_reversal, of_trigger, retained

_BODIES = "SELECT seq, body, reverses IS NULL AND follows IS NULL FROM posting ORDER BY seq"
_OPEN = """
SELECT e.device, e.signal, e.key, e.kind, e.quantity
FROM open_document AS o CROSS JOIN link AS l ON l.document_id = o.id
CROSS JOIN trigger_log AS t ON t.id = l.trigger_id AND t.document_id = o.id CROSS JOIN event AS e ON e.id = t.event_id
"""
# Retention has deleted their document and kept them, because a later one speaks of them too.
_KEPT = """
SELECT e.device, e.signal, e.key, e.kind, e.quantity
FROM trigger_log AS t CROSS JOIN event AS e ON e.id = t.event_id
WHERE t.retained AND NOT EXISTS (SELECT 1 FROM posting AS p WHERE p.document_id = t.document_id)
    AND NOT EXISTS (SELECT 1 FROM open_document AS o WHERE o.id = t.document_id)
"""
Units = tuple[SignalId, str, str, Decimal]  # signal, key, kind of event, quantity
Identity = tuple[str, int]  # store, seq: a restored gateway has postings of the store before it


@dataclass(frozen=True, slots=True)
class Account:
    """One signal's units: posted good, posted as scrap, held by exceptions, reversed, and posted more than once.

    Units in open documents are posted: these have taken their stock.
    """

    posted: Decimal = ZERO
    scrapped: Decimal = ZERO
    held: Decimal = ZERO
    reversed: Decimal = ZERO
    doubled: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Books:
    """`hashes` by store and seq, the identity under which a central system has each posting."""

    accounts: dict[SignalId, Account]
    hashes: dict[Identity, str]


def read_books(path: Path) -> Books:
    """Return what the store's documents add up to. A trigger in a second one counts as doubled, not as posted."""
    totals = Totals()
    hashes: dict[Identity, str] = {}
    doubled: defaultdict[SignalId, Decimal] = defaultdict(lambda: ZERO)
    with closing(connect_reader(path)) as connection:
        totals.add(one for one in retained(connection).items() if one[0].kind in ("posted", "scrapped", "reversed"))
        seen: Counter[tuple[SignalId, str]] = Counter()
        for signal, key, kind, quantity in _posted(connection, hashes):
            seen[signal, key] += 1
            if seen[signal, key] > 1 and kind not in COUNTED_NOT:
                doubled[signal] += quantity
            else:
                totals.add(of_trigger(*signal, kind, text(quantity)))
        for back in reversals(connection):
            totals.add(of_reversal(back.device, back.signal, back.kind, back.quantity))
        totals.add(of_closed(*row) for row in closed(connection))
        held = {SignalId(row[0], row[1]): tally(row[2:]).held for row in connection.execute(TALLIES)}
    signals = {SignalId(key.key_1, key.key_2) for key, _ in totals.items()} | held.keys() | doubled.keys()
    return Books({one: _account(one, totals, held, doubled) for one in signals}, hashes)


def _account(
    signal: SignalId, totals: Totals, held: Mapping[SignalId, Decimal], doubled: Mapping[SignalId, Decimal]
) -> Account:
    return Account(
        posted=totals.of("posted", *signal),
        scrapped=totals.of("scrapped", *signal),
        held=held.get(signal, ZERO),
        reversed=totals.of("reversed", *signal),
        doubled=doubled.get(signal, ZERO),
    )


def _posted(connection: sqlite3.Connection, hashes: dict[Identity, str]) -> Iterator[Units]:
    """Yield the units of every main document, posted, open or deleted before its triggers; note the hashes."""
    for seq, body, main in connection.execute(_BODIES):
        said = orjson.loads(body)
        hashes[said["store"], seq] = f"sha256:{unseal(body)[2].hex()}"
        if main:
            for one in said["triggers"]:
                yield SignalId(one["device"], one["signal"]), one["key"], one["event"], Decimal(one["quantity"])
    for device, signal, key, kind, quantity in chain(connection.execute(_OPEN), connection.execute(_KEPT)):
        yield SignalId(device, signal), key, kind, Decimal(quantity)
