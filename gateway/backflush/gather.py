"""Many triggers, one document: lines of one lot, bin and BOM line are one, and each trigger keeps its link."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from gateway.backflush.span import Stretch, union
from gateway.backflush.window import End
from gateway.domain.document import Booking, Document, DocumentKey, Draw, Link
from gateway.domain.event import Trigger
from gateway.domain.posting import ActivityLine, Output, PostingLine
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.use import Use

_Line = tuple[object, ...]


class Gathering:
    """An open document while a batch adds to it: in lists, because a copy for each trigger would cost the square.

    `added` are the triggers since it was taken up from `document`; `end` is when its window is over, in event time.
    """

    __slots__ = (
        "_activities",
        "_deviations",
        "_document",
        "_lines",
        "_lots",
        "_numbers",
        "_output",
        "_quantities",
        "_reach",
        "added",
        "end",
    )

    def __init__(self, document: Document, end: End | None = None) -> None:
        self._document = document
        self._lines = list(document.lines)
        self._quantities = [one.quantity for one in document.lines]
        self._numbers = {_place(one): number for number, one in enumerate(document.lines)}
        self._reach = list(document.reach)
        self._activities = {(one.activity, one.uom): one.quantity for one in document.activities}
        self._deviations = dict.fromkeys(document.deviations)
        self._output = document.output
        self._lots: dict[str | None, set[str]] = {}
        for one in document.lines:
            self._note_lot(one)
        self.added: list[Trigger] = []
        self.end = end

    @property
    def key(self) -> DocumentKey:
        """What its triggers have in common."""
        return self._document.key

    @property
    def begun(self) -> datetime:
        """When its first trigger's units began to be made."""
        return self._document.begun

    @property
    def counted(self) -> Decimal:
        """Everything counted in it, in the operation's unit."""
        return self._output.units

    def takes_another_lot(self, booking: Booking) -> bool:
        """Tell whether the booking issues a lot that hasn't been issued here for that BOM line so far."""
        wanted = ((one.bom_line, one.lot) for one in booking.lines if one.use is Use.CONSUMED)
        return any(lot not in self._lots.get(bom_line, (lot,)) for bom_line, lot in wanted)

    def add(self, booking: Booking, reach: Stretch | None) -> Link:
        """Take a booking in; `reach` are the units it went into. Returns the trigger's link."""
        numbers = [self._add_line(one, reach) for one in booking.lines]
        self._output = _sum(self._output, booking.output)
        for one in booking.activities:
            key = (one.activity, one.uom)
            self._activities[key] = EXACT.add(self._activities.get(key, ZERO), one.quantity)
        if booking.deviations:
            self._deviations.update(dict.fromkeys(booking.deviations))
        self.added.append(booking.trigger)
        lines = tuple(zip(numbers, [one.quantity for one in booking.lines], strict=True))
        draws = booking.draws
        if numbers != list(range(len(numbers))):
            lines, draws = _joined(lines), tuple(_moved(one, numbers) for one in draws)
        return Link(booking.trigger.id, self._document.id, booking.units, lines, draws)

    def _add_line(self, line: PostingLine, reach: Stretch | None) -> int:
        place = _place(line)
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._lines)
            self._lines.append(line)
            self._quantities.append(line.quantity)
            self._reach.append(reach)
            self._note_lot(line)
            return number
        self._quantities[number] = EXACT.add(self._quantities[number], line.quantity)
        self._reach[number] = union(self._reach[number], reach)
        if line.standard is not None:
            before = self._lines[number]
            self._lines[number] = before._replace(standard=EXACT.add(before.standard or ZERO, line.standard))
        return number

    def _note_lot(self, line: PostingLine) -> None:
        if line.use is Use.CONSUMED:
            self._lots.setdefault(line.bom_line, set()).add(line.lot)

    def document(self) -> Document:
        """Return the document with everything that was added."""
        return self._document._replace(
            output=self._output,
            lines=tuple(map(_of_quantity, self._lines, self._quantities)),
            activities=tuple(ActivityLine(name, quantity, uom) for (name, uom), quantity in self._activities.items()),
            deviations=tuple(self._deviations),
            triggers=(*self._document.triggers, *(one.id for one in self.added)),
            reach=tuple(self._reach),
        )


def together(one: Booking, more: Booking) -> Booking:
    """Return two bookings of one trigger as one: a document has one link for each of its triggers."""
    numbers = range(len(one.lines), len(one.lines) + len(more.lines))
    return one._replace(
        lines=(*one.lines, *more.lines),
        draws=(*one.draws, *(_moved(draw, numbers) for draw in more.draws)),
        deviations=tuple(dict.fromkeys((*one.deviations, *more.deviations))),
    )


def compact(booking: Booking) -> Booking:
    """Return the booking with lines of one lot, bin and BOM line as one: a reversal finds what it mirrors by these."""
    lines = booking.lines
    if len({(one.item, one.lot, one.bom_line) for one in lines}) == len(lines):  # nearly always
        return booking
    places: dict[_Line, int] = {}
    numbers = [places.setdefault(_place(one), len(places)) for one in lines]
    merged: dict[int, PostingLine] = {}
    for number, one in zip(numbers, lines, strict=True):
        merged[number] = _added(merged[number], one) if number in merged else one
    return booking._replace(lines=tuple(merged.values()), draws=tuple(_moved(one, numbers) for one in booking.draws))


def _added(line: PostingLine, more: PostingLine) -> PostingLine:
    standard = None if line.standard is None else EXACT.add(line.standard, more.standard or ZERO)
    return line._replace(quantity=EXACT.add(line.quantity, more.quantity), standard=standard)


def _joined(lines: tuple[tuple[int, Decimal], ...]) -> tuple[tuple[int, Decimal], ...]:
    """Return each line once: an alternate can stand for its primary and have a share of its own, from one lot."""
    sums: dict[int, Decimal] = {}
    for line, quantity in lines:
        sums[line] = EXACT.add(sums.get(line, ZERO), quantity)
    return tuple(sums.items())


def _of_quantity(line: PostingLine, quantity: Decimal) -> PostingLine:
    return line._replace(quantity=quantity)


def _place(line: PostingLine) -> _Line:
    use, item, _, uom, lot, location, bom_line, method, owner, standard, _ = line
    return item, lot, location, bom_line, owner, method, uom, use, standard is None


def _sum(one: Output, other: Output) -> Output:
    add = EXACT.add
    return Output(add(one.good, other.good), add(one.scrap, other.scrap), add(one.rework, other.rework), one.uom)


def _moved(draw: Draw, numbers: Sequence[int]) -> Draw:
    """Return the draw with picks that name lines of the document instead of the booking's."""
    return draw._replace(picks=tuple(one._replace(line=numbers[one.line]) for one in draw.picks))
