"""The canonical posting: rendered once, stored, and never rendered again. Quantities are decimal strings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.domain.clock import ClockTrust, rfc3339
from gateway.domain.event import Trigger
from gateway.domain.exception import ExceptionRecord
from gateway.domain.posting import ActivityLine, Posting, PostingLine, PostingType, Shortfall
from gateway.domain.quantity import text
from gateway.domain.signature import Signature

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
    kind = "replenishment" if document.type is PostingType.REPLENISHMENT else "posting"
    return orjson.dumps(
        {
            "format": POSTING_FORMAT,
            "kind": kind,
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
            "activities": [_activity(one) for one in document.activities],
            "deviations": [{"code": one.code, "text": one.text} for one in document.deviations],
            "triggers": [_trigger(one) for one in document.triggers],
            "bom": {"id": document.bom, "version": document.bom_version},
            "master_data": document.master_data,
            "window": _window(document),
            "reverses": document.reverses and {"seq": document.reverses},
            "follows": document.follows,
            "reason": document.reason and {"code": document.reason.code, "text": document.reason.text},
            "person": document.person or None,
            "signature": document.signature and signature(document.signature),
            **_of_its_type(document),
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


def exception(record: ExceptionRecord) -> dict[str, Any]:
    """Return what the journal says of a work-list entry that changed."""
    return {
        "exception": record.id,
        "about": record.kind,
        "code": record.code,
        "reason": record.reason,
        "scope": list(record.scope),
        "quantity": record.quantity,
        "uom": record.uom,
        "count": record.count,
        "detail": record.detail,
        "closed_at": record.closed_at and rfc3339(record.closed_at),
        "close_reason": record.close_reason,
        "closed_by": record.closed_by,
        "owner": record.owner,
    }


def signature(signed: Signature) -> dict[str, str]:
    """Return a signature as documents carry it."""
    return {**signed._asdict(), "signed_at": rfc3339(signed.signed_at)}


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return text(value)
    raise TypeError(f"a journal entry can't carry a {type(value).__name__}")


def _line(line: PostingLine) -> dict[str, Any]:
    use, item, quantity, uom, lot, location, bom_line, method, owner, standard, supplier = line
    said: dict[str, Any] = {
        "use": use,
        "item": item,
        "quantity": text(quantity),
        "uom": uom,
        "lot": lot,
        "location": location,
    }
    if bom_line is not None:
        said["bom_line"] = bom_line
    if method is not None:
        said["method"] = method
    if owner is not None:
        said["owner"] = {"kind": owner[0], "name": owner[1]}
    if standard is not None:
        said["standard"] = text(standard)
    if supplier:
        said["supplier"] = supplier
    return said


def _activity(line: ActivityLine) -> dict[str, str]:
    return {"activity": line.activity, "quantity": text(line.quantity), "uom": line.uom}


def _window(document: Posting) -> dict[str, str] | None:
    if document.window is None:
        return None
    opened, closed, why = document.window
    return {"opened": rfc3339(opened), "closed": rfc3339(closed), "why": why}


def _of_its_type(document: Posting) -> dict[str, Any]:
    """Return the members that only an order's close or a replenishment has."""
    if document.type is PostingType.CLOSE:
        return {"variances": [_in_text(one._asdict()) for one in document.variances]}
    return {"shortfall": _shortfall(document.shortfall)} if document.shortfall else {}


def _shortfall(shortfall: Shortfall) -> dict[str, Any]:
    owner = {"kind": shortfall.owner.kind, "name": shortfall.owner.name}
    return {**_in_text(shortfall._asdict()), "owner": owner}


def _in_text(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: text(one) if isinstance(one, Decimal) else one for name, one in members.items()}


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
    if len(triggers) != 1 or triggers[0].event.sscc is None:
        return None
    event = triggers[0].event
    return {"sscc": event.sscc, "units": None if event.units is None else text(event.units)}
