"""A trigger's part of a posting: the reading, the rule, and what it drew or what a reversal took back."""

from typing import Any

from gateway.domain.clock import rfc3339
from gateway.domain.document import Link
from gateway.domain.event import Event
from gateway.domain.quantity import text
from gateway.store.explanation.draw import drawn
from gateway.store.explanation.evidence import Evidence
from gateway.store.explanation.mirror import mirror

Json = dict[str, Any]


def trigger(found: Evidence, link: Link) -> Json:
    """Return everything about a trigger's part of the posting; `units` are those whose components it has."""
    one = found.triggers[link.trigger]
    return {
        "id": one.id,
        "rule": one.rule,
        "rule_version": one.rule_version,
        "line": one.line,
        "reading": _reading(one.event, found.verdicts.get(one.id, "")),
        "settlement": found.settlements.get(one.event.key),
        "units": text(found.counted(link)),
        "uom": found.body["output"]["uom"],
        "lines": [{"line": number + 1, "quantity": text(quantity)} for number, quantity in link.lines],
        "draws": [drawn(found, one, link, draw) for draw in link.draws],
        "mirrors": None if found.posting.reverses is None else mirror(found, link),
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
