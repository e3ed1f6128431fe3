"""What lies at the line, and what is being written about it right now."""

from decimal import Decimal
from typing import Any

from gateway.api.services import FromServices
from gateway.domain.clock import rfc3339
from gateway.domain.document import Document
from gateway.domain.lot import LotBalance
from gateway.domain.posting import Output, PostingLine
from gateway.domain.quantity import text


async def list_lots(services: FromServices) -> dict[str, list[dict[str, Any]]]:
    """Return every lot at the line with something left, by item."""
    return {"lots": [lot(one) for one in await services.views.lots()]}


async def list_windows(services: FromServices) -> dict[str, list[dict[str, Any]]]:
    """Return the open documents, oldest first: they have taken their stock and become postings when they close."""
    return {"windows": [_window(one) for one in await services.views.windows()]}


def lot(one: LotBalance) -> dict[str, Any]:
    """Return a balance as JSON, in the item's stock unit."""
    facts = one.facts
    return {
        "owner": one.key.owner._asdict(),
        "item": one.key.item,
        "lot": one.key.lot,
        "location": one.key.location,
        "status": str(one.status),
        "uom": one.uom,
        "staged": text(one.staged),
        "consumed": text(one.consumed),
        "returned": text(one.returned),
        "left": text(one.left),
        "received_at": rfc3339(one.received_at),
        "expires_at": rfc3339(one.expires_at) if one.expires_at else None,
        "scanned_at": rfc3339(facts.scanned_at) if facts.scanned_at else None,
        "supplier": facts.supplier or None,
        "priority": facts.priority or None,
        "density": _or_none(facts.density),
        "potency": _or_none(facts.potency),
    }


def _window(one: Document) -> dict[str, Any]:
    key = one.key
    return {
        "document": one.id,
        **{name: str(value) for name, value in key._asdict().items()},
        "opened_at": rfc3339(one.opened_at),
        "begun": rfc3339(one.begun),
        "due": rfc3339(one.due) if one.due else None,
        "triggers": len(one.triggers),
        "output": _output(one.output),
        "lines": [_line(line) for line in one.lines],
        "activities": [{**a._asdict(), "quantity": text(a.quantity)} for a in one.activities],
        "deviations": [deviation._asdict() for deviation in one.deviations],
        "follows": one.follows,
    }


def _output(output: Output) -> dict[str, str]:
    quantities = {name: text(getattr(output, name)) for name in ("good", "scrap", "rework")}
    return {**quantities, "uom": output.uom}


def _line(line: PostingLine) -> dict[str, Any]:
    return {
        **line._asdict(),
        "use": str(line.use),
        "quantity": text(line.quantity),
        "owner": line.owner._asdict() if line.owner else None,
        "standard": _or_none(line.standard),
        "supplier": line.supplier or None,
    }


def _or_none(quantity: Decimal | None) -> str | None:
    return None if quantity is None else text(quantity)
