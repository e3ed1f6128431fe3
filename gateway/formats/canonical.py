"""The canonical posting: rendered once, stored, and never rendered again. Quantities are decimal strings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.domain.clock import ClockTrust, rfc3339
from gateway.domain.event import Event, Trigger
from gateway.domain.posting import Posting, PostingLine
from gateway.domain.quantity import text

POSTING_FORMAT = "backflush.posting/1"
JOURNAL_FORMAT = "backflush.journal/1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a document is written; its identity is (gateway, store, seq)."""

    gateway: str
    store: str
    posted_at: datetime
    clock: ClockTrust


def posting(document: Posting, seq: int, position: int, place: Place) -> bytes:
    """Return the posting's JSON without its seal; `position` is its link in the chain."""
    output = document.output
    return orjson.dumps(
        {
            "format": POSTING_FORMAT,
            "kind": "posting",
            "gateway": place.gateway,
            "store": place.store,
            "seq": seq,
            "position": position,
            "posted_at": rfc3339(place.posted_at),
            "clock": {"trust": place.clock.trust, "error_ms": place.clock.error_ms},
            "order": document.order,
            "operation": document.operation,
            "posting_type": document.type,
            "item": document.item,
            "finished_lot": document.finished_lot,
            "output": {
                "good": text(output.good),
                "scrap": text(output.scrap),
                "rework": text(output.rework),
                "uom": output.uom,
            },
            "handling_unit": _handling_unit(document.triggers),
            "lines": [_line(one) for one in document.lines],
            "activities": [],
            "triggers": [_trigger(one) for one in document.triggers],
            "bom": {"id": document.bom, "version": document.bom_version},
            "master_data": document.master_data,
            "reverses": None,
            "reason": None,
            "signature": None,
        }
    )


def journal(kind: str, content: Mapping[str, Any], position: int, place: Place) -> bytes:
    """Return a journal entry's JSON without its seal: what changed beside the postings, and when."""
    head = {
        "format": JOURNAL_FORMAT,
        "kind": kind,
        "gateway": place.gateway,
        "store": place.store,
        "position": position,
        "at": rfc3339(place.posted_at),
    }
    return orjson.dumps({**head, **content}, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return text(value)
    raise TypeError(f"a journal entry can't carry a {type(value).__name__}")


def _line(line: PostingLine) -> dict[str, str | None]:
    use, item, quantity, uom, lot, location, bom_line, method = line
    if bom_line is None:
        return {"use": use, "item": item, "quantity": text(quantity), "uom": uom, "lot": lot, "location": location}
    return {
        "use": use,
        "item": item,
        "quantity": text(quantity),
        "uom": uom,
        "lot": lot,
        "location": location,
        "bom_line": bom_line,
        "method": method,
    }


def _trigger(trigger: Trigger) -> dict[str, Any]:
    event = trigger.event
    return {
        "id": trigger.id,
        "rule": trigger.rule,
        "rule_version": trigger.rule_version,
        "device": event.signal.device,
        "signal": event.signal.signal,
        "event": event.kind,
        "key": event.key,
        "quantity": text(event.quantity),
        "uom": event.uom,
        "since": rfc3339(event.since) if event.since else None,
        "source_time": rfc3339(event.source_time),
        "received_time": rfc3339(event.received_time),
        "flag": event.flag or None,
    }


def _handling_unit(triggers: tuple[Trigger, ...]) -> dict[str, str | None] | None:
    event: Event = triggers[0].event
    if len(triggers) != 1 or event.sscc is None:
        return None
    return {"sscc": event.sscc, "units": None if event.units is None else text(event.units)}
