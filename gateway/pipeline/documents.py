"""Documents: what a booking joins, when an open one closes, and what that posts.

A window has taken its stock already; it gets its seq, its hash and its place in the outbox when it closes.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from gateway.backflush import closed, window
from gateway.backflush.gather import Gathering, compact
from gateway.backflush.span import Stretch
from gateway.domain.clock import UNTRUSTED
from gateway.domain.document import Booking, Document, DocumentKey, Link, Part
from gateway.domain.event import Trigger
from gateway.domain.line import Cumulation, Line
from gateway.domain.posting import Output, Posting
from gateway.domain.quantity import ZERO
from gateway.pipeline.state import window_place
from gateway.pipeline.working_copy import Reach, WorkingCopy

_OUTDATED = "master data"
# What closes a window when it differs from the next trigger's, and how that is told.
_CHANGES: tuple[tuple[str, Callable[[DocumentKey], object]], ...] = (
    ("order change", lambda key: (key.order, key.finished_lot)),
    (_OUTDATED, lambda key: key.master_data),
    ("BOM change", lambda key: (key.bom, key.bom_version)),
)


def enter(
    work: WorkingCopy,
    booking: Booking,
    cumulate: Cumulation | None,
    follows: int | None = None,
    reach: Stretch | None = None,
) -> int:
    """Put a booking into its document, a new one where none is open for it; return the document's id.

    `follows` is the document whose deferred or backlogged issues these are, `reach` the units they went into.
    Those wait open: for their time, or until whoever settles closes them.
    """
    if booking.key.part is not Part.MAIN:
        return _into_follow_up(work, booking, follows, reach)
    if cumulate is None:
        return _at_once(work, booking, reach)
    return _into_window(work, booking, cumulate, reach)


def post(
    work: WorkingCopy,
    posting: Posting,
    *,
    links: Iterable[Link] = (),
    follows: int | None = None,
    reach: Reach = (),
) -> int:
    """Post a document that had no window (a reversal, return, count, close …); return its seq.

    `links` get the new document's id.
    """
    document = work.new_document()
    work.add_links(one._replace(document=document) for one in links)
    return work.add_posting(posting, document, follows=follows, reach=reach)


def close(work: WorkingCopy, document: int, why: str) -> int:
    """Post an open document; return its seq. What it follows is closed first: nothing overtakes what it refers to."""
    found = current(work, document)
    if found.follows is not None and work.documents.get(found.follows) is not None:
        close(work, found.follows, why)
    triggers = tuple(triggers_of(work, document))
    work.gatherings.pop(document, None)
    work.documents.drop(document)
    _leave(work, found)
    seq = work.add_posting(
        closed.after_window(found, triggers, work.now, why, _followed(work, found)),
        document,
        follows=found.follows,
        reach=found.reach,
    )
    work.seqs[document] = seq
    return seq


def close_due(work: WorkingCopy) -> None:
    """Close what the clock ends: windows whose time is over, deferred issues whose time has come."""
    if work.place.clock.trust == UNTRUSTED:
        return  # no time, no posting
    opened = (one.id for one in work.documents.changed.values() if one.due is not None and one.due <= work.now)
    for document in sorted({*work.state.timetable.until(work.now), *opened}):
        if work.documents.get(document) is not None:  # not closed as what another one follows
            close(work, document, _why_due(work, document))


def close_of_order(work: WorkingCopy, order: str, why: str = "order closed") -> list[int]:
    """Close everything that is open of the order, deferred issues too; return the seqs."""
    return _close_all(work, sorted(number for number, one in work.documents.items() if one.key.order == order), why)


def close_windows(work: WorkingCopy, order: str, why: str) -> list[int]:
    """Close the order's windows; its deferred and backlogged issues stay open. Return the seqs."""
    return _close_all(work, [one for one in _windows(work) if current(work, one).key.order == order], why)


def close_outdated(work: WorkingCopy) -> list[int]:
    """Close the windows of other master data than the model's: nothing joins them any more.

    Without a trusted clock they are due from now on, whatever it says then.
    """
    outdated = [one for one in _windows(work) if _is_outdated(work, current(work, one).key)]
    if work.place.clock.trust != UNTRUSTED:
        return _close_all(work, outdated, _OUTDATED)
    for number in outdated:
        found = current(work, number)
        work.documents[number] = found._replace(due=found.opened_at)
    return []


def _is_outdated(work: WorkingCopy, key: DocumentKey) -> bool:
    return key.master_data != work.model.master.hash


def current(work: WorkingCopy, document: int) -> Document:
    """Return an open document with what the batch has added; KeyError where it isn't open."""
    gathering = work.gatherings.get(document)
    found = gathering.document() if gathering else work.documents.get(document)
    if found is None:
        raise KeyError(document)
    return found


def will_be_followed(work: WorkingCopy, document: int) -> None:
    """Remember the seq of a document that posted at once, because another one will name it."""
    if seq := work.closed.get(document):
        work.seqs[document] = seq


def triggers_of(work: WorkingCopy, document: int) -> Iterator[Trigger]:
    """Yield the triggers of an open document, oldest first."""
    yield from work.state.gathered.get(document, ())
    if gathering := work.gatherings.get(document):
        yield from gathering.added


def _at_once(work: WorkingCopy, booking: Booking, reach: Stretch | None) -> int:
    document, booking = work.new_document(), compact(booking)
    trigger, lines = booking.trigger, booking.lines
    quantities = tuple((number, one.quantity) for number, one in enumerate(lines))
    work.rows.links.append(Link(trigger.id, document, booking.units, quantities, booking.draws))
    work.add_posting(closed.at_once(booking), document, reach=(reach,) * len(lines))
    return document


def _into_window(work: WorkingCopy, booking: Booking, cumulate: Cumulation, reach: Stretch | None) -> int:
    key, trigger = booking.key, booking.trigger
    line = work.model.master.lines.get(trigger.line)
    document = work.windows.get(window_place(key))
    if document is not None:
        gathering = _gathering(work, document, cumulate, line)
        begun = window.begin(trigger.event)
        if window.is_earlier(begun, gathering.begun, cumulate, line) and gathering.key == key:
            return _at_once(work, booking, reach)  # its own window was closed, and the open one goes on
        if why := _why_over(gathering, booking, cumulate):
            close(work, document, why)
            document = None
    if document is None:
        _close_former(work, key)
        end = window.end(work.now, cumulate, line)
        document = _open(work, booking, end.at if end else None, None)
        gathering = _gathering(work, document, cumulate, line)
    work.rows.links.append(gathering.add(booking, reach))
    if cumulate.units is not None and gathering.counted >= cumulate.units:
        close(work, document, "units")
    return document


def _into_follow_up(work: WorkingCopy, booking: Booking, follows: int | None, reach: Stretch | None) -> int:
    document = work.follow_ups.get((booking.key.part, follows))
    if document is None:
        document = _open(work, booking, _deferred_until(work, booking.key), follows)
        if follows is not None:
            will_be_followed(work, follows)
    work.rows.links.append(_gathering(work, document, None, None).add(booking, reach))
    return document


def _deferred_until(work: WorkingCopy, key: DocumentKey) -> datetime | None:
    if key.part is not Part.DEFERRED:
        return None
    bom = work.model.master.boms.get((key.bom, key.bom_version))
    operation = bom.operation(key.operation) if bom else None
    return work.now + ((operation.defer if operation else None) or timedelta())


def _open(work: WorkingCopy, booking: Booking, due: datetime | None, follows: int | None) -> int:
    number = work.new_document()
    begun, uom = window.begin(booking.trigger.event), booking.output.uom
    nothing = Output(ZERO, ZERO, ZERO, uom)
    opened = Document(number, booking.key, work.now, begun, due, nothing, (), (), (), (), (), follows)
    work.documents[number] = opened
    if booking.key.part is Part.MAIN:
        work.windows[window_place(booking.key)] = number
    else:
        work.follow_ups[booking.key.part, follows] = number
    return number


def _leave(work: WorkingCopy, document: Document) -> None:
    """Let nothing join the document any more."""
    if work.state.in_doubt(document.id):
        return  # its place is another one's
    if document.key.part is Part.MAIN:
        work.windows.drop(window_place(document.key))
    else:
        work.follow_ups.drop((document.key.part, document.follows))


def _gathering(work: WorkingCopy, document: int, cumulate: Cumulation | None, line: Line | None) -> Gathering:
    gathering = work.gatherings.get(document)
    if gathering is None:
        found = current(work, document)
        end = window.end(found.begun, cumulate, line) if cumulate else None
        gathering = work.gatherings[document] = Gathering(found, end)
    return gathering


def _why_over(gathering: Gathering, booking: Booking, cumulate: Cumulation) -> str | None:
    """Return why the booking belongs to the next window, None where it belongs to this one."""
    if gathering.key != booking.key:
        return _change(gathering.key, booking.key) or "rule change"
    if gathering.end is not None and window.begin(booking.trigger.event) >= gathering.end.at:
        return gathering.end.why
    return "lot change" if cumulate.lot_change and gathering.takes_another_lot(booking) else None


def _close_former(work: WorkingCopy, key: DocumentKey) -> None:
    """Close what the machine's other rules have open of another order or BOM: it has changed over."""
    for number in _windows(work):
        one = current(work, number).key
        if (one.device, one.operation) == (key.device, key.operation) and (why := _change(one, key)):
            close(work, number, why)


def _windows(work: WorkingCopy) -> list[int]:
    """Return the open windows, oldest first: at most one for each rule."""
    return sorted(number for _, number in work.windows.items())


def _change(before: DocumentKey, after: DocumentKey) -> str | None:
    return next((what for what, value in _CHANGES if value(before) != value(after)), None)


def _close_all(work: WorkingCopy, documents: Iterable[int], why: str) -> list[int]:
    """Close each of them that isn't closed yet, as what another one follows."""
    return [close(work, one, why) for one in documents if work.documents.get(one) is not None]


def _why_due(work: WorkingCopy, document: int) -> str:
    found = current(work, document)
    if found.key.part is Part.DEFERRED:
        return "deferred"
    if _is_outdated(work, found.key):
        return _OUTDATED
    line = work.model.master.lines.get(next(triggers_of(work, document)).line)
    by_shift = line is not None and window.next_shift(found.opened_at, line) == found.due
    return window.SHIFT if by_shift else window.TIME


def _followed(work: WorkingCopy, document: Document) -> int | None:
    if document.follows is None:
        return None
    return work.closed.get(document.follows) or work.seqs.get(document.follows)
