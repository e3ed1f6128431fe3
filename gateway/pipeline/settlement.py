"""What a held segment or gap really was: what it had counted is taken back, what a person says is booked instead.

The counter's checkpoint stays: its `counted` is what the device showed. What settlements make of that is flagged on
their events (domain.event.SETTLED), so that a verification can tell one from the other.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import orjson

from gateway.domain.clock import rfc3339
from gateway.domain.command import SettledPart
from gateway.domain.event import SETTLED, Event, EventKind, SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO, parse_quantity, text
from gateway.errors import CommandRefused
from gateway.pipeline import gaps, line_orders
from gateway.pipeline.model import Point
from gateway.pipeline.posting import book
from gateway.pipeline.reported import UNCOUNTED
from gateway.pipeline.working_copy import WorkingCopy

_KINDS = (ExceptionKind.COUNTER, ExceptionKind.GAP)
_NONE = "settle it with no units"
_INCREDIBLE = 10  # times what the counter can have shown; a slip of the finger rather
_FEW = Decimal(1000)  # units that are credible anyway, of a counter or a message
_LONGEST = timedelta(days=7)  # a counter may have stood still for a long weekend before it jumped


class Hold(NamedTuple):
    """An entry with what its held event said; `across`: the order changed meanwhile, so it can't say whose units."""

    record: ExceptionRecord
    at: datetime
    since: datetime | None = None
    order: str | None = None
    across: bool = False
    sscc: str | None = None
    units: Decimal | None = None
    temperature: Decimal | None = None
    candidates: tuple[int, ...] = ()

    @property
    def signal(self) -> SignalId:
        """What counted the units."""
        return SignalId(*self.record.scope)


def hold_of(record: ExceptionRecord) -> Hold:
    """Return what an entry holds; CommandRefused where these aren't units that a person settles."""
    if record.kind not in _KINDS:
        raise CommandRefused(
            f"exception {record.id} holds no counter segment and no gap, but: {record.reason}",
            "`gateway retry`, `accept` or `close-exception` is for it",
        )
    said = orjson.loads(record.detail) if record.kind is ExceptionKind.COUNTER and record.detail else {}
    return Hold(
        record,
        at=_moment(said.get("at")) or record.last_event,
        since=_moment(said["interval"][0]) if "interval" in said else None,
        order=said.get("order"),
        across="orders" in said,
        sscc=said.get("sscc"),
        units=Decimal(said["units"]) if said.get("units") else None,
        temperature=Decimal(said["temperature"]) if said.get("temperature") else None,
        candidates=tuple(said.get("candidates", ())),
    )


def keys(exception: int, parts: int) -> list[str]:
    """Return the keys of the events that settle an entry: of what it takes back, and of each of so many parts."""
    return [f"settled:{exception}", *(f"settled:{exception}:{number}" for number in range(1, parts + 1))]


def total(parts: Sequence[SettledPart]) -> Decimal:
    """Return how many units there were; DataError where nobody can have made so many."""
    made = ZERO
    for one in parts:
        made = EXACT.add(made, parse_quantity(one.quantity))
    return parse_quantity(made)


def events(work: WorkingCopy, hold: Hold, parts: Sequence[SettledPart], person: str) -> list[tuple[Point, Event]]:
    """Return the events to book, each with its point; CommandRefused where one of them can never post."""
    if not parts:
        return []
    _refuse_incredible(hold, total(parts))
    point = _point(work, hold)
    return [(point, one) for one in _events(work, hold, point, parts, person)]


def _refuse_incredible(hold: Hold, made: Decimal) -> None:
    """Refuse a number of which neither the counter nor its rate knows; what is settled can't be unsettled."""
    record, known = hold.record, [one for one in (hold.record.quantity, *map(Decimal, hold.candidates)) if one]
    if not record.uom or not known:  # a weight's totals say well enough what is missing
        known.append(_FEW * max(1, record.count))
    most = _INCREDIBLE * max(known)
    if made > most:
        raise CommandRefused(
            f"{text(made)} units are far more than exception {hold.record.id} can have been: {hold.record.reason}",
            "look at the machine again; what was made beyond that is entered by hand (`gateway enter`)",
        )


def _events(work: WorkingCopy, hold: Hold, point: Point, parts: Sequence[SettledPart], person: str) -> Iterator[Event]:
    record, whole = hold.record, len(parts) == 1 and parts[0].quantity == hold.record.quantity
    for key, one in zip(keys(record.id, len(parts))[1:], parts, strict=True):
        _check(work, hold, point, one)
        yield Event(
            signal=hold.signal,
            key=key,
            kind=point.kind,
            quantity=one.quantity,
            uom=record.uom,
            source_time=one.at or hold.at,
            received_time=work.now,
            since=None if one.at else hold.since,
            order=one.order or (None if one.at else hold.order),
            sscc=hold.sscc if whole else None,
            units=hold.units if whole else None,
            temperature=hold.temperature,
            flag=SETTLED,
            person=person,
        )


def settle(work: WorkingCopy, hold: Hold, booked: Sequence[tuple[Point, Event]], person: str) -> None:
    """Take back what the entry counted, book what is said instead; each part posts, or waits like any other."""
    if hold.record.kind is ExceptionKind.GAP:
        gaps.settle(work, hold.record, person)
    else:
        _take_back(work, hold, person)
    for point, event in booked:
        book(work, point, event, SETTLED)


def _take_back(work: WorkingCopy, hold: Hold, person: str) -> None:
    quantity = EXACT.minus(hold.record.quantity)
    if not quantity:
        return
    taken = Event(
        signal=hold.signal,
        key=keys(hold.record.id, 0)[0],
        kind=EventKind.CORRECTED,
        quantity=quantity,
        uom=hold.record.uom,
        source_time=hold.at,
        received_time=work.now,
        flag=SETTLED,
        person=person,
    )
    work.add_event(taken, SETTLED)
    work.tally(hold.signal, hold.record.uom, counted=quantity, held=quantity)


def _point(work: WorkingCopy, hold: Hold) -> Point:
    """Return the signal's point, whose rule counts the units."""
    point = work.model.points.get(hold.signal)
    if point is None:
        raise CommandRefused(f"{hold.signal} is no longer configured", f"configure it again, or {_NONE}")
    if point.rule is None:
        raise CommandRefused(
            f"{hold.signal} has no trigger rule, so nobody knows what its units consume",
            f"add one to triggers.yaml and have it loaded (SIGHUP), or {_NONE}",
        )
    if point.kind in UNCOUNTED:
        raise CommandRefused(f"what {hold.signal} tells ({point.kind}) counts no units", _NONE)
    return point


def _check(work: WorkingCopy, hold: Hold, point: Point, part: SettledPart) -> None:
    what = f"exception {hold.record.id}: {text(part.quantity)} {hold.record.uom or 'units'}"
    if part.quantity <= ZERO:
        raise CommandRefused(f"{what} are none", f"leave the part out; where nothing was made, {_NONE}")
    if not hold.record.uom and _whole(hold.record.quantity) and not _whole(part.quantity):
        raise CommandRefused(f"{what}: {hold.signal} counts whole pieces", "say how many pieces there were")
    if part.at is not None:
        _check_time(work, hold, part.at, what)
    if part.order:
        line_orders.open_order(work, point.line, part.order)
    elif hold.across and part.at is None:
        raise CommandRefused(f"{what}: the order changed meanwhile", "say of each part for which order it was made")
    elif not point.rule or not (point.rule.fallback_active or (hold.order and part.at is None)):
        raise CommandRefused(f"{what}: the device reports the order, the line's doesn't count", "name the order")


def _check_time(work: WorkingCopy, hold: Hold, at: datetime, what: str) -> None:
    """Refuse a moment at which they can't have been made: they would wait for ever, and others behind them."""
    if at > work.now:
        raise CommandRefused(f"{what}: {rfc3339(at)} is yet to come", "say when they were made")
    since = hold.since or hold.at - _LONGEST
    if not since <= at <= hold.at:
        raise CommandRefused(
            f"{what}: {rfc3339(at)} is not between {rfc3339(since)} and {rfc3339(hold.at)}, when they were made",
            "say when they were made, or leave the time out",
        )


def _whole(quantity: Decimal) -> bool:
    return quantity == quantity.to_integral_value()


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
