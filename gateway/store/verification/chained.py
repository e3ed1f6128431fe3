"""Is every entry there, in its place, and as it was sealed? What is missing or changed breaks the chain."""

import sqlite3

from gateway.errors import DataError
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.findings import Check, Findings
from gateway.store.load import head, read_meta
from gateway.store.verification.entries import Entry


class SeqInspector:
    """Postings have seq 1, 2, 3 … without a gap, up to the last one committed."""

    name = "sequence"

    def __init__(self, connection: sqlite3.Connection, before: Head) -> None:
        self._findings = Findings(self.name)
        self._connection = connection
        self._first = self._next = before.seq + 1

    def take(self, entry: Entry) -> None:
        """Compare with the seq that comes next."""
        if entry.posting is not None:
            self._findings.expect(self._next, entry.posting.seq, "next seq")
            self._next = entry.posting.seq + 1

    def finish(self) -> Check:
        """Compare with the last seq committed."""
        last = head(read_meta(self._connection)).seq
        self._findings.expect(last, self._next - 1, "last seq")
        return self._findings.check(f"{self._next - self._first} postings, the last is {last}")


class ChainInspector:
    """Each entry seals the one before it, from the genesis (or what retention left) to the head."""

    name = "chain"

    def __init__(self, connection: sqlite3.Connection, before: Head) -> None:
        self._findings = Findings(self.name)
        self._connection = connection
        self._first = before.position
        self._at = before

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
        last = head(read_meta(self._connection))
        self._findings.expect(last.position, self._at.position, "last position")
        if self._at.hash != last.hash:
            self._findings.add("the last entry is not the one that was committed last")
        return self._findings.check(f"{last.position - self._first} entries, the last is {last.position}")
