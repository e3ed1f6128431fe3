"""Why a posting says what it says: which reading, which rule, which formula, which remainder, which lots.

Everything that was decided is as it was stored; only the formula's factors are worked out anew, from the stored
snapshot. Quantities are exact: decimal strings, and `a/b` where a requirement never ends as a decimal.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from gateway.domain.clock import rfc3339
from gateway.domain.document import Draw, Link, Pick
from gateway.domain.event import Event, Trigger
from gateway.domain.order import Order
from gateway.domain.quantity import EXACT, Rounding, rounded, text
from gateway.domain.requirement import Requirement
from gateway.errors import DataError
from gateway.store import lookups
from gateway.store.documents import StoredPosting, documents_following, links_of_document, posting_at, reversed_by
from gateway.store.formula import Formula, formula
from gateway.store.recipe import Recipe, recipe

Json = dict[str, Any]

_DOCUMENT_SEQ = "SELECT seq FROM posting WHERE document_id = ?"
_VERDICTS = """
SELECT t.id, e.verdict FROM json_each(?) AS wanted
CROSS JOIN trigger_log AS t ON t.id = wanted.value CROSS JOIN event AS e ON e.id = t.event_id
"""


class _Context(NamedTuple):
    """What the explanation of each trigger needs of its posting."""

    body: Mapping[str, Any]
    recipe: Recipe | None
    order: Order | None
    verdicts: Mapping[int, str]


def explain(connection: sqlite3.Connection, seq: int) -> Json | None:
    """Return the whole explanation of a posting, None where the store has no such seq (any more)."""
    posting = posting_at(connection, seq)
    if posting is None:
        return None
    body: Json = orjson.loads(posting.body)
    links = links_of_document(connection, posting.document)
    triggers = {one.id: one for one in lookups.triggers(connection, [link.trigger for link in links])}
    bill = recipe(connection, body["master_data"], body["bom"]["id"], body["bom"]["version"])
    order = bill.master.orders.get(body["order"]) if bill else None
    wanted = orjson.dumps(list(triggers)).decode()
    verdicts = dict(connection.execute(_VERDICTS, (wanted,)).fetchall())
    context = _Context(body, bill, order, verdicts)
    explained = [_trigger(context, triggers[link.trigger], link) for link in links if link.trigger in triggers]
    return {
        **_head(connection, posting, body),
        "snapshot_stored": bill is not None,
        "lines": body["lines"],
        "activities": body["activities"],
        "triggers": explained,
        "sums": list(_sums(links)),
    }


def _head(connection: sqlite3.Connection, posting: StoredPosting, body: Mapping[str, Any]) -> Json:
    followed = connection.execute(_DOCUMENT_SEQ, (posting.follows,)).fetchone() if posting.follows else None
    same = ("order", "operation", "posting_type", "item", "finished_lot", "output", "posted_at", "clock", "bom")
    more = ("master_data", "window", "deviations", "variances", "reason", "person", "signature", "hash")
    return {
        "seq": posting.seq,
        "document": posting.document,
        **{name: body.get(name) for name in (*same, *more)},
        "reverses": posting.reverses,
        "reversed_by": [one.seq for one in reversed_by(connection, posting.seq)],
        "follows": followed[0] if followed else None,
        "followed_by": [one.seq for one in documents_following(connection, posting.document)],
    }


def _trigger(context: _Context, trigger: Trigger, link: Link) -> Json:
    return {
        "id": trigger.id,
        "rule": trigger.rule,
        "rule_version": trigger.rule_version,
        "line": trigger.line,
        "reading": _reading(trigger.event, context.verdicts.get(trigger.id, "")),
        "units": text(link.units),
        "uom": context.body["output"]["uom"],
        "lines": [{"line": number + 1, "quantity": text(quantity)} for number, quantity in link.lines],
        "draws": [_draw(context, trigger, link, one) for one in link.draws],
    }


def _reading(event: Event, verdict: str) -> Json:
    return {
        "device": event.signal.device,
        "signal": event.signal.signal,
        "key": event.key,
        "event": event.kind.value,
        "quantity": text(event.quantity),
        "uom": event.uom,
        "since": rfc3339(event.since) if event.since else None,
        "source_time": rfc3339(event.source_time),
        "received_time": rfc3339(event.received_time),
        "verdict": verdict,
        "flag": event.flag or None,
        "order": event.order,
        "sscc": event.sscc,
        "units": None if event.units is None else text(event.units),
        "temperature": None if event.temperature is None else text(event.temperature),
        "lot": event.lot and {"item": event.lot.item, "lot": event.lot.lot, "location": event.lot.location},
        "edited": {line: text(quantity) for line, quantity in event.edited},
        "person": event.person or None,
    }


def _draw(context: _Context, trigger: Trigger, link: Link, draw: Draw) -> Json:
    found = _formula(context, trigger, draw)
    before, required, once = draw.before, _fraction(draw.required), _fraction(draw.once)
    after = Fraction(before.numerator, before.denominator) + required + once
    committed = EXACT.add(before.committed, draw.due) if draw.calculated else before.committed
    return {
        "bom_line": draw.key.bom_line,
        "item": draw.item,
        "uom": draw.key.uom,
        "how": _how(context, trigger, draw),
        "formula": found and _written(found, link.units, draw.key.uom),
        "required": _number(required),
        "once": _number(once),
        "before": _standing(before),
        "after": {"required": _number(after), "committed": text(committed)} if draw.calculated else _standing(before),
        "rounding": found and _rounding(found.rounding),
        "rounded": _rounded(after, found.rounding) if found and draw.calculated else None,
        "due": text(draw.due),
        "backlog": text(draw.backlog),
        "remainder": _number(after - Fraction(committed)) if draw.calculated else None,
        "picks": [_pick(context, draw, one) for one in draw.picks],
        "considered": [
            {
                "lot": one.lot.lot,
                "location": one.lot.location,
                "owner": {"kind": one.lot.owner.kind, "name": one.lot.owner.name},
                "item": one.lot.item,
                "left": text(one.left),
                "taken": text(one.taken),
                "why": one.why,
            }
            for one in draw.considered
        ],
    }


def _formula(context: _Context, trigger: Trigger, draw: Draw) -> Formula | None:
    if context.recipe is None or context.order is None or not draw.calculated:
        return None
    return formula(context.recipe, context.order, draw.key, trigger.operation, trigger.event.source_time)


def _how(context: _Context, trigger: Trigger, draw: Draw) -> str:
    """Return where a draw's quantity comes from."""
    if draw.calculated:
        return "calculated"
    if draw.key.bom_line in dict(trigger.event.edited):
        return "entered"
    methods = {context.body["lines"][one.line].get("method") for one in draw.picks}
    return next((one for one in methods if one), "not calculated")


def _written(found: Formula, units: Decimal, uom: str) -> Json:
    per_unit = found.per_unit
    product = " × ".join(one.text for one in found.factors)
    return {
        "factors": [{"name": one.name, "value": _number(one.value)} for one in found.factors],
        "per_unit": _number(per_unit),
        "once": _number(found.once),
        "text": f"{product} = {_number(per_unit)} {uom} a unit; {text(units)} × {_number(per_unit)}"
        f" = {_number(Fraction(units) * per_unit)} {uom}",
        "once_text": found.once_text and f"{found.once_text} {uom} once an order",
    }


def _standing(before: Requirement) -> Json:
    return {
        "required": _number(Fraction(before.numerator, before.denominator)),
        "committed": text(before.committed),
    }


def _rounding(rule: Rounding) -> Json:
    multiple = None if rule.multiple is None else text(rule.multiple)
    return {"decimals": rule.decimals, "mode": rule.mode.value, "multiple": multiple}


def _rounded(requirement: Fraction, rule: Rounding) -> str | None:
    try:
        return text(rounded(requirement.numerator, requirement.denominator, rule))
    except DataError:  # exact was asked for, and a reversal's part never ends
        return None


def _pick(context: _Context, draw: Draw, pick: Pick) -> Json:
    line = context.body["lines"][pick.line]
    factor = Fraction(pick.quantity) / Fraction(pick.component) if pick.component else Fraction(1)
    return {
        "line": pick.line + 1,
        "lot": line["lot"],
        "location": line["location"],
        "component": text(pick.component),
        "component_uom": draw.key.uom,
        "factor": _number(factor),
        "quantity": text(pick.quantity),
        "uom": line["uom"],
    }


def _sums(links: Iterable[Link]) -> Iterator[Json]:
    """Yield what all triggers together required, were due and left to backlogs, a component each."""
    sums: dict[tuple[str, str, str], list[Fraction]] = {}
    for link in links:
        for draw in link.draws:
            total = sums.setdefault((draw.key.bom_line, draw.item, draw.key.uom), [Fraction(0)] * 4)
            parts = (_fraction(draw.required), _fraction(draw.once), Fraction(draw.due), Fraction(draw.backlog))
            total[:] = [one + more for one, more in zip(total, parts, strict=True)]
    for (bom_line, item, uom), numbers in sums.items():
        names = ("required", "once", "due", "backlog")
        shown = {name: _number(number) for name, number in zip(names, numbers, strict=True)}
        yield {"bom_line": bom_line, "item": item, "uom": uom, **shown}


def _fraction(ratio: tuple[int, int]) -> Fraction:
    return Fraction(*ratio)


def _number(value: Fraction) -> str:
    """Return a value as a decimal string where it ends as one, as `a/b` where it doesn't."""
    try:
        exact = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    except ArithmeticError:
        return str(value)
    return text(exact.normalize())
