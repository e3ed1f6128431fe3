"""From a device's message to the event it reports."""

from gateway.counting import messages
from gateway.domain.clock import in_milliseconds
from gateway.domain.event import NO_UNITS, Event, EventKind, LotMention
from gateway.errors import DataError
from gateway.pipeline.image import Context
from gateway.pipeline.model import Point
from gateway.signals.sample import Message, Sample, Scan
from gateway.signals.sscc import read_sscc

UNCOUNTED = NO_UNITS | {EventKind.LOT_ISSUED}  # their quantities are no units of a signal's total


def event_of(point: Point, scan: Scan, sample: Sample, message: Message, context: Context) -> Event:
    """Return what the message reports; its order is the message's own, or the device's of the same moment."""
    kind = point.kind
    from_message = kind in NO_UNITS or (point.rule is not None and point.rule.order_from_event)
    sscc, flag = _label(message.sscc)
    return Event(
        signal=point.id,
        key=messages.message_key(message, sample.source_time),
        kind=kind,
        quantity=message.quantity,
        uom=message.uom,
        source_time=in_milliseconds(sample.source_time or scan.received.wall),
        received_time=in_milliseconds(scan.received.wall),
        order=message.order if from_message else context.order,
        sscc=sscc,
        units=message.units,
        flag=flag,
        temperature=message.temperature,
        lot=_mention(message),
    )


def _label(scanned: str | None) -> tuple[str | None, str]:
    """Return the SSCC and a flag: a case with a wrong number has none, or genealogy would answer for another."""
    if scanned is None:
        return None, ""
    try:
        return read_sscc(scanned), ""
    except DataError:
        return None, f"INVALID_SSCC {scanned}"


def _mention(message: Message) -> LotMention | None:
    if message.item is None or message.lot is None:
        return None
    return LotMention(
        item=message.item,
        lot=message.lot,
        location=message.location,
        bom_line=message.bom_line,
        expires_at=message.expires_at,
        supplier=message.supplier,
        line=message.line or "",
    )
