"""What triggers took of which lots: their links to documents, open ones included, reversals negative."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from gateway.domain.document import Document
from gateway.domain.posting import PostingLine
from gateway.domain.use import Use
from gateway.store import codec

_LINKED = """
SELECT l.trigger_id, l.document_id, p.seq, p.reverses, line.value ->> 1, d.item, d.lot, d.location, d.bom_line, d.uom
FROM json_each(?) AS wanted CROSS JOIN link AS l ON l.trigger_id = wanted.value
CROSS JOIN posting AS p ON p.document_id = l.document_id
CROSS JOIN json_each(l.body, '$[0]') AS line
CROSS JOIN posting_line AS d ON d.seq = p.seq AND d.line = (line.value ->> 0) + 1
WHERE d.use = 'consumed'
"""
_OPEN_LINKS = """
SELECT l.trigger_id, l.units, l.body FROM json_each(?) AS wanted CROSS JOIN link AS l
ON l.document_id = ? AND l.trigger_id = wanted.value
"""
_OPEN = "SELECT body FROM open_document ORDER BY id"
_SUPPLIERS = """
SELECT b.item, b.lot, b.facts FROM json_each(?) AS wanted CROSS JOIN lot_balance AS b
ON b.lot = wanted.value ->> 1 AND b.item = wanted.value ->> 0
"""


class Component(NamedTuple):
    """A component as genealogy lists it."""

    bom_line: str
    item: str
    uom: str


class Taken(NamedTuple):
    """A quantity of a lot that a trigger took, negative where a reversal gave it back.

    `origin` is the seq of the posting that took it (of a reversal: the one it mirrors), None while it is open.
    """

    trigger: int
    document: int
    seq: int | None
    origin: int | None
    component: Component
    lot: str
    location: str
    quantity: Decimal


def taken(connection: sqlite3.Connection, triggers: Iterable[int], still_open: Iterable[Document]) -> Iterator[Taken]:
    """Yield what these triggers took, of closed documents and of those that are still open."""
    wanted = set(triggers)
    ids = orjson.dumps(sorted(wanted)).decode()
    for row in connection.execute(_LINKED, (ids,)):
        trigger, document, seq, reverses, quantity, item, lot, location, bom_line, uom = row
        component = Component(bom_line or "", item, uom)
        yield Taken(trigger, document, seq, reverses or seq, component, lot, location, Decimal(quantity))
    for one in still_open:
        if not wanted.isdisjoint(one.triggers):
            yield from _of_open(connection, ids, one)


def _of_open(connection: sqlite3.Connection, triggers: str, document: Document) -> Iterator[Taken]:
    for trigger, units, body in connection.execute(_OPEN_LINKS, (triggers, document.id)):
        for number, quantity in codec.link(trigger, document.id, units, body).lines:
            line = document.lines[number]
            if line.use is Use.CONSUMED:
                component = Component(line.bom_line or "", line.item, line.uom)
                yield Taken(trigger, document.id, None, None, component, line.lot, line.location, quantity)


def open_documents(connection: sqlite3.Connection) -> list[Document]:
    """Return the documents that haven't closed yet, oldest first: a few for each line."""
    return [codec.document(body) for (body,) in connection.execute(_OPEN)]


def open_lines(documents: Iterable[Document]) -> Iterator[tuple[Document, PostingLine, tuple[int, int] | None]]:
    """Yield (document, consumed line, the units it went into) of open documents."""
    for document in documents:
        for line, reach in zip(document.lines, document.reach, strict=True):
            if line.use is Use.CONSUMED:
                yield document, line, reach


def suppliers(connection: sqlite3.Connection, lots: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Return the supplier of each (item, lot) that names one."""
    wanted = orjson.dumps(list(lots)).decode()
    rows: Iterable[tuple[Any, ...]] = connection.execute(_SUPPLIERS, (wanted,))
    return {(item, lot): supplier for item, lot, facts in rows if (supplier := codec.facts(facts).supplier)}
