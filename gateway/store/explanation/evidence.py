"""Everything that was stored about a posting's triggers: what the explanation of each of them reads."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from gateway.domain.document import Link
from gateway.domain.event import Trigger
from gateway.domain.order import Order
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.requirement import RequirementKey
from gateway.store import lookups
from gateway.store.documents import StoredPosting, links_of_triggers, posting_at, postings_of, reversed_by
from gateway.store.explanation.settled import settlements
from gateway.store.recipe import Recipe, recipe

Body = Mapping[str, Any]

_VERDICTS = """
SELECT t.id, e.verdict FROM json_each(?) AS wanted
CROSS JOIN trigger_log AS t ON t.id = wanted.value CROSS JOIN event AS e ON e.id = t.event_id
"""


@dataclass(frozen=True, slots=True)
class Original:
    """The posting that a reversal mirrors: its document, and the `main` one that it follows (or is itself).

    `mirrors` are the earlier reversals of the same posting, by document; `together` are the documents that mirror the
    main one in the same transaction.
    """

    seq: int
    document: int
    main: int
    body: Body
    mirrors: Mapping[int, Body]
    together: frozenset[int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A posting with its links, triggers and bill; `whole` has all links of the triggers where others tell more."""

    posting: StoredPosting
    body: Body
    links: Sequence[Link]
    triggers: Mapping[int, Trigger]
    verdicts: Mapping[int, str]
    recipe: Recipe | None
    order: Order | None
    whole: Mapping[int, Sequence[Link]]
    original: Original | None
    settlements: Mapping[str, Body]

    def link(self, trigger: int, document: int | None) -> Link | None:
        """Return the trigger's part of another document, None where it has none there (any more)."""
        return next((one for one in self.whole.get(trigger, ()) if one.document == document), None)

    def counted(self, link: Link) -> Decimal:
        """Return the units whose components a link has: deferred issues count none of their own."""
        main = self.link(link.trigger, self.posting.follows)
        return main.units if main else link.units

    def owed(self, trigger: int, key: RequirementKey) -> Decimal:
        """Return what the trigger was short of when it posted, in the documents before this one."""
        owed = ZERO
        for link in self.whole.get(trigger, ()):
            if link.document < self.posting.document:
                for draw in link.draws:
                    owed = EXACT.add(owed, draw.backlog) if draw.key == key else owed
        return owed


def evidence(connection: sqlite3.Connection, posting: StoredPosting, body: Body, links: Sequence[Link]) -> Evidence:
    """Return what the store has about the posting's triggers."""
    numbers = [link.trigger for link in links]
    bill = recipe(connection, body["master_data"], body["bom"]["id"], body["bom"]["version"])
    triggers = {one.id: one for one in lookups.triggers(connection, numbers)}
    elsewhere: defaultdict[int, list[Link]] = defaultdict(list)
    if posting.follows is not None or posting.reverses is not None:
        for link in links_of_triggers(connection, numbers):
            elsewhere[link.trigger].append(link)
    return Evidence(
        posting=posting,
        body=body,
        links=links,
        triggers=triggers,
        verdicts=dict(connection.execute(_VERDICTS, (lookups.as_json(numbers),)).fetchall()),
        recipe=bill,
        order=bill.master.orders.get(body["order"]) if bill else None,
        whole=elsewhere,
        original=_original(connection, posting, body),
        settlements=settlements(connection, triggers.values()),
    )


def _original(connection: sqlite3.Connection, posting: StoredPosting, body: Body) -> Original | None:
    found = None if posting.reverses is None else posting_at(connection, posting.reverses)
    if found is None:
        return None
    mirrors = reversed_by(connection, found.seq)
    main = [found] if found.follows is None else postings_of(connection, [found.follows])
    beside = [one for original in main for one in reversed_by(connection, original.seq)]
    moment = body["posted_at"]
    return Original(
        seq=found.seq,
        document=found.document,
        main=found.document if found.follows is None else found.follows,
        body=orjson.loads(found.body),
        mirrors={one.document: orjson.loads(one.body) for one in mirrors if one.seq < posting.seq},
        together=frozenset(one.document for one in beside if orjson.loads(one.body)["posted_at"] == moment),
    )
