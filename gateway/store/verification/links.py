"""Whose is what? Each trigger has one main document or waits, and its links add up to the documents' lines."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from gateway.domain.document import Link, Part
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store import codec
from gateway.store.documents import LINKS_OF_DOCUMENT
from gateway.store.findings import Check, Findings
from gateway.store.load import OPEN_DOCUMENTS
from gateway.store.totals import Totals, of_document, of_draws
from gateway.store.verification.entries import Entry

_TRIGGERS = """
SELECT t.id, t.document_id,
    iif(e.order_no <> '' AND e.order_no <> t.order_no, t.order_no || ' of ' || e.order_no, t.order_no),
    t.rule, t.rule_version, t.quantity, e.device, e.signal, e.kind, e.key, e.uom, e.since, e.source_time,
    e.received_time, nullif(e.flag, '')
FROM json_each(?) AS wanted CROSS JOIN main.trigger_log AS t ON t.id = wanted.value
CROSS JOIN main.event AS e ON e.id = t.event_id
"""
_TRIGGER_MEMBERS = (
    "rule",
    "rule_version",
    "quantity",
    "device",
    "signal",
    "event",
    "key",
    "uom",
    "since",
    "source_time",
    "received_time",
    "flag",
)
# Those whose main document retention has deleted are kept for the sake of a later one.
_IN_A_DOCUMENT = """
SELECT count(*) FROM trigger_log AS t WHERE t.document_id IS NOT NULL AND NOT (
    t.retained AND NOT EXISTS (SELECT 1 FROM main.posting AS p WHERE p.document_id = t.document_id)
    AND NOT EXISTS (SELECT 1 FROM open_document AS o WHERE o.id = t.document_id)
)
"""
_LOST_TRIGGERS = """
SELECT id FROM trigger_log
WHERE (document_id IS NULL) = (exception_id IS NULL) OR (closed AND exception_id IS NULL) ORDER BY id
"""
# Links of documents that are no more: those that retention has kept with their trigger, and none else.
_LOOSE_LINKS = """
SELECT l.trigger_id, l.document_id, l.units, l.body, t.retained
FROM link AS l LEFT JOIN main.trigger_log AS t ON t.id = l.trigger_id
WHERE NOT EXISTS (SELECT 1 FROM main.posting AS p WHERE p.document_id = l.document_id)
    AND NOT EXISTS (SELECT 1 FROM open_document AS o WHERE o.id = l.document_id)
"""


class _Claim(NamedTuple):
    """What a document says of itself; `main`: it is where its triggers went first; `pending`: it is still open.

    One that `mirrors` another names that instead of the triggers.
    """

    name: str
    document: int
    main: bool
    mirrors: bool
    pending: bool
    triggers: Sequence[int]
    units: Decimal
    lines: Sequence[Decimal]


class LinkInspector:
    """Compares every document, posted or open, with its links, and every trigger with its main document."""

    name = "triggers"

    def __init__(self, connection: sqlite3.Connection, totals: Totals) -> None:
        self._findings = Findings(self.name)
        self._connection = connection
        self._totals = totals
        self._taken = 0

    def take(self, entry: Entry) -> None:
        """Compare a posting's triggers with their rows, its lines with what the links say."""
        if entry.posting is None:
            return
        content, row = entry.content, entry.posting
        named = content["triggers"]
        claim = _Claim(
            name=f"seq {row.seq}",
            document=row.document,
            main=row.reverses is None and row.follows is None,
            mirrors=row.reverses is not None,
            pending=False,
            triggers=[one["id"] for one in named],
            units=_total(Decimal(content["output"][name]) for name in ("good", "scrap", "rework")),
            lines=[Decimal(one["quantity"]) for one in content["lines"]],
        )
        self._compare(claim, {one["id"]: (row.order, *(one[name] for name in _TRIGGER_MEMBERS)) for one in named})

    def finish(self) -> Check:
        """Compare the open documents too; look for triggers and links that belong to nothing."""
        for number, body in self._connection.execute(OPEN_DOCUMENTS):
            self._open(number, body)
        stored = self._connection.execute(_IN_A_DOCUMENT).fetchone()[0]
        self._findings.expect(self._taken, stored, "triggers with a document")
        for (trigger,) in self._connection.execute(_LOST_TRIGGERS):
            self._findings.add(f"trigger {trigger} is neither in one document nor in one exception")
        for *row, kept in self._connection.execute(_LOOSE_LINKS):
            link = codec.link(*row)
            self._totals.add(of_draws(link.draws))
            if not kept:
                self._findings.add(f"trigger {link.trigger} is linked to document {link.document}, which is missing")
        return self._findings.check(f"{self._taken} in documents")

    def _open(self, number: int, body: str) -> None:
        document = codec.document(body)
        self._findings.expect(number, document.id, f"open document {number}: its own id")
        self._totals.add(of_document(document), pending=True)
        claim = _Claim(
            name=f"open document {number}",
            document=number,
            main=document.key.part is Part.MAIN,
            mirrors=False,
            pending=True,
            triggers=document.triggers,
            units=document.output.units,
            lines=[one.quantity for one in document.lines],
        )
        self._compare(claim, {})

    def _compare(self, claim: _Claim, said: dict[int, tuple[Any, ...]]) -> None:
        self._triggers(claim, said)
        links = [codec.link(*row) for row in self._connection.execute(LINKS_OF_DOCUMENT, (claim.document,))]
        linked = [one.trigger for one in links]
        if sorted(claim.triggers) != linked and not claim.mirrors:
            self._findings.add(f"{claim.name} has the triggers {list(claim.triggers)}, its links those of {linked}")
        if links:
            self._findings.expect(claim.units, _total(one.units for one in links), f"{claim.name}: units of its links")
            self._lines(claim, links)

    def _triggers(self, claim: _Claim, said: dict[int, tuple[Any, ...]]) -> None:
        found = {
            row[0]: row[1:] for row in self._connection.execute(_TRIGGERS, (orjson.dumps(claim.triggers).decode(),))
        }
        for trigger in claim.triggers:
            # Taken out, so that a trigger named twice is missing the second time.
            document, *row = found.pop(trigger, (None,))
            there = document == claim.document if claim.main else document is not None
            self._taken += claim.main and there
            if not there or tuple(row) != said.get(trigger, tuple(row)):
                self._findings.add(f"trigger {trigger} of {claim.name} is {_described(document, row)}")

    def _lines(self, claim: _Claim, links: Iterable[Link]) -> None:
        sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
        for one in links:
            drawn = _summed((pick.line, pick.quantity) for draw in one.draws for pick in draw.picks)
            for line, quantity in _summed(one.lines).items():
                sums[line] = EXACT.add(sums[line], quantity)
                if drawn.get(line, quantity) != quantity:  # an output's line, or one of an old posting, has no draw
                    self._findings.add(f"{claim.name}: trigger {one.trigger} drew another quantity of line {line + 1}")
            self._draws(claim, one)
        linked = [sums.pop(line, ZERO) for line in range(len(claim.lines))]
        for line, (expected, actual) in enumerate(zip(claim.lines, linked, strict=True), 1):
            if expected != actual:
                self._findings.add(f"{claim.name} line {line}: {text(expected)}, its links have {text(actual)}")
        for line in sums:
            self._findings.add(f"{claim.name} has no line {line + 1}, a link has")

    def _draws(self, claim: _Claim, link: Link) -> None:
        self._totals.add(of_draws(link.draws), pending=claim.pending)
        for draw in link.draws:
            if draw.picks and draw.calculated:  # an activity has no picks
                taken = _total(pick.component for pick in draw.picks)
                name = f"{claim.name}: trigger {link.trigger} BOM line {draw.key.bom_line}"
                self._findings.expect(EXACT.subtract(draw.due, draw.backlog), taken, f"{name}: picked")


def _summed(parts: Iterable[tuple[int, Decimal]]) -> dict[int, Decimal]:
    """Return the quantities by line."""
    sums: dict[int, Decimal] = {}
    for line, quantity in parts:
        sums[line] = EXACT.add(sums.get(line, ZERO), quantity)
    return sums


def _total(quantities: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for one in quantities:
        total = EXACT.add(total, one)
    return total


def _described(document: int | None, row: Sequence[Any]) -> str:
    if document is None:
        return "missing or there twice"
    return f"another one in its row, or in another document: {document}, {list(row)}"
