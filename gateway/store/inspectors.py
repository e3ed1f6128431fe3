"""What is checked of every chained entry as it passes, in the chain's order, each once."""

import heapq
import sqlite3
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import orjson

from gateway.errors import DataError
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.findings import Check, Findings
from gateway.store.totals import Totals, of_posting

_POSTINGS = "SELECT position, body, seq, order_no, operation, posting_type, posted_at FROM posting ORDER BY seq"
_JOURNAL = "SELECT position, body, kind FROM journal ORDER BY position"
_LINES = """
SELECT use, item, lot, location, quantity, uom, bom_line, line FROM posting_line WHERE seq = ? ORDER BY line
"""
_TRIGGERS = """
SELECT t.id, t.posting_seq, t.rule, t.rule_version, t.quantity, e.device, e.signal, e.key
FROM json_each(?) AS wanted CROSS JOIN trigger_log AS t ON t.id = wanted.value
CROSS JOIN event AS e ON e.id = t.event_id
"""
_POSTED_TRIGGERS = "SELECT count(*) FROM trigger_log WHERE posting_seq IS NOT NULL"
_LOST_TRIGGERS = "SELECT id FROM trigger_log WHERE (posting_seq IS NULL) = (exception_id IS NULL) ORDER BY id"

_LINE_MEMBERS = ("use", "item", "lot", "location", "quantity", "uom", "bom_line")
_TRIGGER_MEMBERS = ("rule", "rule_version", "quantity", "device", "signal", "key")


class Entry(NamedTuple):
    """A posting (`seq`) or a journal entry (None); `row` are its columns, `content` its JSON, {} if unreadable."""

    position: int
    body: bytes
    seq: int | None
    row: tuple[Any, ...]
    content: dict[str, Any]


class Inspector(Protocol):
    """Sees every entry, then answers."""

    def take(self, entry: Entry) -> None:
        """Look at the next entry; a malformed one may raise KeyError, TypeError or ValueError."""
        ...

    def finish(self) -> Check:
        """Return the answer."""
        ...


def entries(connection: sqlite3.Connection) -> Iterator[Entry]:
    """Yield postings and journal entries by position."""
    postings = (
        Entry(position, body, row[0], row, _content(body)) for position, body, *row in connection.execute(_POSTINGS)
    )
    journal = (
        Entry(position, body, None, row, _content(body)) for position, body, *row in connection.execute(_JOURNAL)
    )
    return heapq.merge(postings, journal, key=attrgetter("position"))


def _content(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


class SeqInspector:
    """Postings have seq 1, 2, 3 … without a gap, up to the last one committed."""

    def __init__(self, before: Head, last: Head) -> None:
        self._findings = Findings("sequence")
        self._first = self._next = before.seq + 1
        self._last = last.seq

    def take(self, entry: Entry) -> None:
        """Compare with the seq that comes next."""
        if entry.seq is not None:
            self._findings.expect(self._next, entry.seq, "next seq")
            self._next = entry.seq + 1

    def finish(self) -> Check:
        """Compare with the last seq committed."""
        self._findings.expect(self._last, self._next - 1, "last seq")
        return self._findings.check(f"{self._next - self._first} postings, the last is {self._last}")


class ChainInspector:
    """Each entry seals the one before it, from the genesis (or what retention left) to the head."""

    def __init__(self, before: Head, last: Head) -> None:
        self._findings = Findings("chain")
        self._at = before
        self._last = last

    def take(self, entry: Entry) -> None:
        """Check the entry's place, its link to the entry before and its own hash."""
        self._findings.expect(self._at.position + 1, entry.position, "next position")
        sealed = self._at.hash
        try:
            core, previous, sealed = chain.unseal(entry.body)
        except DataError as error:
            self._findings.add(f"position {entry.position}: {error}")
        else:
            if previous != self._at.hash:
                self._findings.add(f"position {entry.position} does not follow the entry before it")
            if chain.link(core, previous) != sealed:
                self._findings.add(f"position {entry.position} was changed: its hash is another")
        # Go on from what the entry says of itself, so that one fault is not reported for all that follow.
        self._at = Head(entry.position, sealed, 0)

    def finish(self) -> Check:
        """Compare with the head: entries cut off at the end show here."""
        self._findings.expect(self._last.position, self._at.position, "last position")
        if self._at.hash != self._last.hash:
            self._findings.add("the last entry is not the one that was committed last")
        return self._findings.check(f"{self._last.position} entries")


class BodyInspector:
    """What an entry's body says is what its rows say; sums what the postings moved."""

    def __init__(self, connection: sqlite3.Connection, meta: dict[str, str], totals: Totals) -> None:
        self._findings = Findings("bodies")
        self._connection = connection
        self._identity = (meta["gateway"], meta["store"])
        self._totals = totals
        self._lines = 0

    def take(self, entry: Entry) -> None:
        """Compare the entry with its columns, a posting with its lines too."""
        content = entry.content
        where = f"position {entry.position}"
        self._findings.expect(self._identity, (content["gateway"], content["store"]), f"{where}: gateway and store")
        self._findings.expect(entry.position, content["position"], f"{where}: position in the body")
        if entry.seq is None:
            self._findings.expect(entry.row[0], content["kind"], f"{where}: kind")
            return
        members = ("seq", "order", "operation", "posting_type", "posted_at")
        self._findings.expect(list(entry.row), [content[name] for name in members], f"seq {entry.seq}")
        self._take_lines(entry.seq, content["lines"])
        self._totals.add(of_posting(content))

    def _take_lines(self, seq: int, lines: list[dict[str, Any]]) -> None:
        rows = self._connection.execute(_LINES, (seq,)).fetchall()
        self._lines += len(rows)
        written = [(*(one.get(name) for name in _LINE_MEMBERS), number) for number, one in enumerate(lines, 1)]
        if rows != written:
            self._findings.add(f"seq {seq}: its lines are not those of its body")

    def finish(self) -> Check:
        """Look for lines without a posting."""
        stored = self._connection.execute("SELECT count(*) FROM posting_line").fetchone()[0]
        self._findings.expect(self._lines, stored, "posting lines")
        return self._findings.check(f"{self._lines} lines")


class TriggerInspector:
    """Each trigger is in exactly one posting, the one that names it, or waits in an exception."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._findings = Findings("triggers")
        self._connection = connection
        self._taken = 0

    def take(self, entry: Entry) -> None:
        """Compare the posting's triggers with the rows that say where they went."""
        if entry.seq is None:
            return
        named = entry.content["triggers"]
        wanted = orjson.dumps([one["id"] for one in named]).decode()
        found = {row[0]: row[1:] for row in self._connection.execute(_TRIGGERS, (wanted,))}
        self._taken += len(found)
        for one in named:
            # Taken out, so that a trigger named twice is missing the second time.
            row = found.pop(one["id"], None)
            if row != (entry.seq, *(one[name] for name in _TRIGGER_MEMBERS)):
                self._findings.add(f"trigger {one['id']} of seq {entry.seq} is {_described(row)}")

    def finish(self) -> Check:
        """Look for triggers that no posting names, and for those that are nowhere or at two places."""
        stored = self._connection.execute(_POSTED_TRIGGERS).fetchone()[0]
        self._findings.expect(self._taken, stored, "triggers with a posting")
        for (number,) in self._connection.execute(_LOST_TRIGGERS):
            self._findings.add(f"trigger {number} is neither in one posting nor in one exception")
        return self._findings.check(f"{self._taken} posted")


def _described(row: tuple[Any, ...] | None) -> str:
    return "missing or there twice" if row is None else f"another one in its row: {row}"
