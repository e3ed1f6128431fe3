"""Events, triggers, the documents they went into and what links them."""

from itertools import zip_longest

from gateway.domain.lot import Owner
from gateway.domain.quantity import text
from gateway.store import codec
from gateway.store.batch import Batch, PostingRow
from gateway.store.statements import Row

_NOBODY = Owner("", "")


def events(batch: Batch) -> list[Row]:
    """Return rows of `event`."""
    return [
        (
            number,
            *event.signal,
            event.key,
            event.kind.value,
            text(event.quantity),
            event.uom,
            codec.stamp(event.source_time),
            codec.stamp(event.received_time),
            codec.optional_stamp(event.since),
            event.order,
            event.sscc,
            codec.optional_text(event.units),
            event.flag,
            verdict,
            content_hash,
            codec.event_detail_text(event, hold),
        )
        for number, event, verdict, content_hash, hold in batch.events
    ]


def triggers(batch: Batch) -> list[Row]:
    """Return rows of `trigger_log`."""
    return [
        (
            number,
            event_id,
            one.rule,
            one.rule_version,
            one.line,
            one.order,
            one.operation,
            text(one.event.quantity),
            document,
            exception_id,
        )
        for number, event_id, one, document, exception_id in batch.triggers
    ]


def postings(batch: Batch) -> list[Row]:
    """Return rows of `posting`."""
    return [
        (
            row.seq,
            row.position,
            one.order,
            one.operation,
            one.type.value,
            codec.stamp(row.posted_at),
            row.body,
            row.document,
            one.item,
            one.finished_lot,
            one.reverses,
            row.follows,
        )
        for row in batch.postings
        for one in (row.posting,)
    ]


def lines(batch: Batch) -> list[Row]:
    """Return rows of `posting_line`."""
    return [line for row in batch.postings for line in _lines(row)]


def _lines(row: PostingRow) -> list[Row]:
    return [
        (
            row.seq,
            line,
            str(one.use),
            one.item,
            one.lot,
            one.location,
            text(one.quantity),
            one.uom,
            one.bom_line,
            one.method,
            *(one.owner or _NOBODY),
            codec.optional_text(one.standard),
            *(reach or (None, None)),
        )
        for line, (one, reach) in enumerate(zip_longest(row.posting.lines, row.reach), 1)
    ]


def links(batch: Batch) -> list[Row]:
    """Return rows of `link`."""
    return [(one.document, one.trigger, text(one.units), codec.link_text(one)) for one in batch.links]


def documents(batch: Batch) -> list[Row]:
    """Return rows of `open_document`."""
    return [(number, codec.document_text(one)) for number, one in batch.documents.items() if one is not None]


def spans(batch: Batch) -> list[Row]:
    """Return rows of `span`."""
    return [(*one[:5], 0, one.sscc, codec.optional_stamp(one.sealed_at)) for one in batch.spans]


def span_heads(batch: Batch) -> list[Row]:
    """Return rows of `span_head`."""
    return [(*key, one.next, codec.ranges_text(one.free)) for key, one in batch.span_heads.items()]


def backlogs(batch: Batch) -> list[Row]:
    """Return rows of `backlog`."""
    return [
        (number, one.trigger, one.document, *one.key, text(one.quantity), int(one.calculated))
        for number, one in batch.backlogs.items()
        if one is not None
    ]
