"""Why a posting says what it says: which reading, which rule, which formula, which remainder, which lots.

Everything that was decided is as it was stored; only the formula's factors are worked out anew, from the stored
snapshot. Quantities are exact: decimal strings, and `a/b` where a requirement never ends as a decimal.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import orjson

from gateway.domain.document import Link
from gateway.store.documents import StoredPosting, documents_following, links_of_document, posting_at, reversed_by
from gateway.store.explanation.evidence import Evidence, evidence
from gateway.store.explanation.trigger import trigger
from gateway.store.explanation.written import fraction, number

Json = dict[str, Any]

_DOCUMENT_SEQ = "SELECT seq FROM posting WHERE document_id = ?"
_SNAPSHOT = "SELECT count(*) FROM snapshot WHERE hash = ?"
_SAID = (
    *("kind", "order", "operation", "posting_type", "item", "finished_lot", "output", "handling_unit", "posted_at"),
    *("clock", "bom", "master_data", "window", "lines", "activities", "deviations", "variances", "shortfall"),
    *("reason", "person", "signature", "hash"),
)


def explain(connection: sqlite3.Connection, seq: int) -> Json | None:
    """Return the whole explanation of a posting, None where the store has no such seq (any more)."""
    posting = posting_at(connection, seq)
    if posting is None:
        return None
    body: Json = orjson.loads(posting.body)
    links = links_of_document(connection, posting.document)
    found = evidence(connection, posting, body, links)
    return {
        **_head(connection, posting, body, found),
        "snapshot_stored": bool(connection.execute(_SNAPSHOT, (body["master_data"],)).fetchone()[0]),
        "triggers": [trigger(found, link) for link in links if link.trigger in found.triggers],
        "sums": list(_sums(links)),
    }


def _head(connection: sqlite3.Connection, posting: StoredPosting, body: Mapping[str, Any], found: Evidence) -> Json:
    followed = connection.execute(_DOCUMENT_SEQ, (posting.follows,)).fetchone() if posting.follows else None
    return {
        "seq": posting.seq,
        "document": posting.document,
        "about": _about(posting, found),
        **{name: body.get(name) for name in _SAID},
        "reverses": posting.reverses,
        "reversed_by": [one.seq for one in reversed_by(connection, posting.seq)],
        "follows": followed[0] if followed else body.get("follows"),
        "followed_by": [one.seq for one in documents_following(connection, posting.document)],
    }


def _about(posting: StoredPosting, found: Evidence) -> str:
    """Return what kind of document that is: beside what its type says, a reversal, deferred issues or a backlog."""
    if posting.reverses is not None:
        return "reversal"
    if posting.follows is None:
        return "main"
    owed = any(found.owed(link.trigger, draw.key) for link in found.links for draw in link.draws)
    return "backlog" if owed else "deferred"


def _sums(links: Iterable[Link]) -> Iterator[Json]:
    """Yield what all triggers together required, were due and left to backlogs, a component each."""
    sums: dict[tuple[str, str, str], list[Fraction]] = {}
    for link in links:
        for draw in link.draws:
            total = sums.setdefault((draw.key.bom_line, draw.item, draw.key.uom), [Fraction(0)] * 4)
            parts = (fraction(draw.required), fraction(draw.once), Fraction(draw.due), Fraction(draw.backlog))
            total[:] = [one + more for one, more in zip(total, parts, strict=True)]
    for (bom_line, item, uom), numbers in sums.items():
        names = ("required", "once", "due", "backlog")
        shown = {name: number(one) for name, one in zip(names, numbers, strict=True)}
        yield {"bom_line": bom_line, "item": item, "uom": uom, **shown}
