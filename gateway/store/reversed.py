"""What was taken out of the triggers' units again: by reversal, or by closing them without posting."""

import sqlite3
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from gateway.domain.quantity import EXACT, ZERO, portion
from gateway.store.totals import COUNTED_NOT

# A reversal mirrors each of a trigger's documents; the units stand in the link of its main one.
_COLUMNS = """
r.trigger_id, e.device, e.signal, e.kind, t.quantity, m.units, r.units,
EXISTS (SELECT 1 FROM link AS f WHERE f.document_id = r.document_id AND f.trigger_id = r.trigger_id)
"""
_JOINED = """
CROSS JOIN main.trigger_log AS t ON t.id = r.trigger_id
CROSS JOIN main.link AS m ON m.document_id = t.document_id AND m.trigger_id = t.id
CROSS JOIN main.event AS e ON e.id = t.event_id
WHERE r.units LIKE '-%' ORDER BY r.trigger_id, r.document_id
"""
# Constants put together; no value from outside gets in.
_CUT = "SELECT DISTINCT trigger_id FROM link WHERE units LIKE '-%'"
_OF_TRIGGERS = f"""
SELECT {_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN main.link AS r ON r.trigger_id = wanted.value {_JOINED}
"""  # noqa: S608
_CLOSED = """
SELECT e.device, e.signal, t.quantity, e.kind FROM trigger_log AS t CROSS JOIN main.event AS e ON e.id = t.event_id
WHERE t.closed
UNION ALL
SELECT scope_1, scope_2, quantity, kind FROM exception WHERE closed_at IS NOT NULL AND kind IN ('counter', 'gap')
"""


class ReversedUnits(NamedTuple):
    """A reversed part of a trigger: `units` as its operation counts, `quantity` as its event does, both positive.

    `fresh`: it is among the links that are looked at; an incremental verification has seen the others.
    """

    trigger: int
    device: str
    signal: str
    kind: str
    units: Decimal
    of: Decimal  # the trigger's units
    quantity: Decimal
    fresh: bool


def reversals(connection: sqlite3.Connection) -> Iterator[ReversedUnits]:
    """Yield what reversals took out, trigger by trigger."""
    cut = sorted(trigger for (trigger,) in connection.execute(_CUT))
    return reversals_of(connection, orjson.dumps(cut).decode())


def reversals_of(connection: sqlite3.Connection, triggers: str) -> Iterator[ReversedUnits]:
    """Yield what reversals took out of these triggers (a JSON array of their ids)."""
    return _reversed(connection.execute(_OF_TRIGGERS, (triggers,)))


def _reversed(rows: Iterable[tuple[Any, ...]]) -> Iterator[ReversedUnits]:
    for _, cuts in groupby(rows, itemgetter(0)):
        gone = ZERO
        for trigger, device, signal, kind, quantity, of, units, fresh in cuts:
            before, taken, counted = gone, -Decimal(units), Decimal(of)
            gone = EXACT.add(before, taken)
            back = portion(Decimal(quantity), before, gone, counted) if counted else ZERO  # a scanned lot's
            yield ReversedUnits(trigger, device, signal, kind, taken, counted, back, bool(fresh))


def closed(connection: sqlite3.Connection) -> Iterator[tuple[str, str, Decimal]]:
    """Yield (device, signal, quantity) of what was closed without posting."""
    for device, signal, quantity, kind in connection.execute(_CLOSED):
        if kind not in COUNTED_NOT:
            yield device, signal, Decimal(quantity)
