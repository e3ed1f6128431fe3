"""Does a document say of itself what its rows say? The body is what was sealed."""

import sqlite3
from typing import Any

from gateway.store.batch import Head
from gateway.store.findings import Check, Findings
from gateway.store.lineage import RESTORED, Former, Lineage
from gateway.store.totals import Totals, of_posting
from gateway.store.verification.entries import Entry, PostingColumns

_LINES = """
SELECT use, item, lot, location, quantity, uom, bom_line, method, owner_kind, owner, standard, line
FROM main.posting_line WHERE seq = ? ORDER BY line
"""
_LINE_MEMBERS = ("use", "item", "lot", "location", "quantity", "uom", "bom_line", "method")
_MEMBERS = ("seq", "order", "operation", "posting_type", "posted_at", "item")


class BodyInspector:
    """What an entry's body says is what its rows say; sums what the postings moved."""

    name = "bodies"

    def __init__(
        self, connection: sqlite3.Connection, lineage: Lineage, before: Head, totals: Totals, retained: int
    ) -> None:
        self._findings = Findings(self.name)
        self._connection = connection
        self._lineage = lineage
        self._replaced = [one for one in lineage.former if one.last_position >= before.position]
        self._retained = retained
        self._totals = totals
        self._lines = 0

    def take(self, entry: Entry) -> None:
        """Compare the entry with its columns, a posting with its lines too."""
        content = entry.content
        where = f"position {entry.position}"
        identity = self._lineage.gateway, self._lineage.at_position(entry.position)
        self._findings.expect(identity, (content["gateway"], content["store"]), f"{where}: gateway and store")
        self._findings.expect(entry.position, content["position"], f"{where}: position in the body")
        if entry.posting is None:
            self._findings.expect(entry.kind, content["kind"], f"{where}: kind")
            if entry.kind == RESTORED:
                self._take_restored(entry.position, content["former"])
            return
        self._take_columns(entry.posting, content)
        self._take_lines(entry.posting.seq, content["lines"])
        self._totals.add(of_posting(content))

    def _take_restored(self, position: int, former: dict[str, Any]) -> None:
        """Compare the entry that a new id begins with to what is known of the old one: each has exactly one."""
        due = self._replaced.pop(0) if self._replaced else None
        said = Former(former["store"], position - 1, former["seq"])
        self._findings.expect(due, said, f"position {position}: the store it was before")

    def _take_columns(self, row: PostingColumns, content: dict[str, Any]) -> None:
        written = [content[name] for name in _MEMBERS]
        self._findings.expect([getattr(row, name) for name in _MEMBERS], written, f"seq {row.seq}")
        self._findings.expect(row.finished_lot, content["finished_lot"] or "", f"seq {row.seq}: finished lot")
        self._findings.expect(row.reverses, (content["reverses"] or {}).get("seq"), f"seq {row.seq}: what it reverses")
        main = content.get("follows")
        gone = row.follows is not None and main is not None and main <= self._retained
        if not gone:
            self._findings.expect(row.follows_seq, main, f"seq {row.seq}: what it follows")

    def _take_lines(self, seq: int, lines: list[dict[str, Any]]) -> None:
        rows = self._connection.execute(_LINES, (seq,)).fetchall()
        self._lines += len(rows)
        written = [(*_columns(one), number) for number, one in enumerate(lines, 1)]
        if rows != written:
            self._findings.add(f"seq {seq}: its lines are not those of its body")

    def finish(self) -> Check:
        """Look for lines without a posting, and for a change of the store's id that the chain doesn't tell."""
        for one in self._replaced:
            self._findings.add(f"the store was {one.store} up to position {one.last_position}; no entry says so")
        stored = self._connection.execute("SELECT count(*) FROM posting_line").fetchone()[0]
        self._findings.expect(self._lines, stored, "posting lines")
        return self._findings.check(f"{self._lines} lines")


def _columns(line: dict[str, Any]) -> tuple[Any, ...]:
    owner = line.get("owner") or {"kind": "", "name": ""}
    members = (line.get(name) for name in _LINE_MEMBERS)
    return (*members, owner["kind"], owner["name"], line.get("standard"))
