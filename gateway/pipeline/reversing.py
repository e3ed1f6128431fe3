"""A reversal's effects: mirrors posted, stock, requirements, backlogs, progress, totals and units given back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush import reverse
from gateway.backflush.explode import explode
from gateway.backflush.reverse import Part
from gateway.backflush.span import Stretch, freed, newest, union
from gateway.domain.document import Backlog, Draw, Link, Span
from gateway.domain.event import EventKind, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Progress
from gateway.domain.posting import Output
from gateway.domain.quantity import EXACT, ZERO, Rounding, portion
from gateway.domain.requirement import NOTHING, RequirementKey
from gateway.errors import DataError
from gateway.pipeline import backlogs, mirroring, shadowing
from gateway.pipeline.mirroring import Evidence, PostedDocument, Why
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import SpanHead


class Cut(NamedTuple):
    """What is taken of a trigger: its `units`, and which `share` of what it posted that is; None: all that is left."""

    units: Decimal
    share: Fraction | None


@dataclass(slots=True)
class Reversal:
    """What is reversed, the newest trigger first, with everything of the store that this takes."""

    work: WorkingCopy
    original: PostedDocument
    cuts: dict[int, Cut]
    triggers: dict[int, Trigger]
    used_up: Mapping[LotKey, LotBalance] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    @property
    def order(self) -> str:
        """The order that made it."""
        return str(self.original.body["order"])

    @property
    def operation(self) -> str:
        """The operation that made it."""
        return str(self.original.body["operation"])

    @property
    def output(self) -> Output:
        """What is taken out of the output, negative."""
        return _output(self.cuts, self.triggers, str(self.original.body["output"]["uom"]))

    @property
    def progress(self) -> Progress:
        """What the operation has made then."""
        before, out, add = self.work.progress(self.order, self.operation), self.output, EXACT.add
        return Progress(add(before.good, out.good), add(before.scrap, out.scrap), add(before.rework, out.rework))

    @property
    def is_last(self) -> bool:
        """Whether these are the order's last units at the operation: then the once-quantities reverse too."""
        return bool(self.output.units) and not any(self.progress)


def post(reversal: Reversal, found: Evidence, why: Why) -> list[int]:
    """Post a mirror of each document in which the triggers have anything left; return the seqs."""
    work, once = reversal.work, reversal.is_last
    progress = reversal.progress
    rounding = _roundings(work.model.master, reversal.original)
    owed = _owed(reversal)
    by_document: defaultdict[int, list[Link]] = defaultdict(list)
    for trigger, cut in reversal.cuts.items():
        parts = found.parts[trigger]
        mirror = reverse.mirror(parts, cut.share, once=once, rounding=lambda key: rounding.get(key, Rounding()))
        for link in mirror.links:
            is_main = found.documents[link.document].follows is None
            units = EXACT.minus(cut.units) if is_main else ZERO  # they stand in the link of the main document
            by_document[link.document].append(_given_back(work, link._replace(units=units)))
        for backlog, quantity in _cancelled(owed.get(trigger, ()), parts[0], cut, mirror.owed, rounding):
            _cancel(work, backlog, quantity)
        _uncount(reversal, parts[0])
    taken = _taken(reversal, found)
    _free(work, taken)
    work.order_progress[reversal.order, reversal.operation] = progress
    return [
        _post(reversal, found.documents[document], links, taken, why)
        for document, links in sorted(by_document.items())
        if any(map(_takes_back, links))
    ]


def _post(reversal: Reversal, document: PostedDocument, links: list[Link], taken: Iterable[Span], why: Why) -> int:
    reach: Stretch | None = None
    numbers = {link.trigger for link in links}
    for span in taken:
        reach = union(reach, (span.start, span.end)) if span.trigger in numbers else reach
    cuts = {number: reversal.cuts[number] for number in numbers} if document.follows is None else {}
    output = _output(cuts, reversal.triggers, str(document.body["output"]["uom"]))
    some = [one for one in links if _takes_back(one)]
    seq, lines = mirroring.post(reversal.work, document, some, output=output, why=why, reach=reach)
    mirroring.restore(reversal.work, lines, reversal.used_up)
    return seq


def _output(cuts: Mapping[int, Cut], triggers: Mapping[int, Trigger], uom: str) -> Output:
    sums = dict.fromkeys(("good", "scrap", "rework"), ZERO)
    for number, cut in cuts.items():
        kind = _KINDS.get(triggers[number].event.kind, "good")
        sums[kind] = EXACT.subtract(sums[kind], cut.units)
    return Output(**sums, uom=uom)


_KINDS = {EventKind.SCRAP_UNITS: "scrap", EventKind.REWORK_UNITS: "rework"}


def _takes_back(link: Link) -> bool:
    """Tell whether the link mirrors anything: a requirement alone counts, or the next cut would give it back again."""
    return bool(link.units or link.lines or any(one.due or one.required.numerator for one in link.draws))


def _given_back(work: WorkingCopy, link: Link) -> Link:
    """Take what the link mirrors out of R and C; return it with the R and C that it found."""
    return link._replace(draws=tuple(_take_out(work, draw) for draw in link.draws))


def _take_out(work: WorkingCopy, draw: Draw) -> Draw:
    before = work.requirement(draw.key)
    if draw.calculated and (draw.due or draw.required.numerator or draw.once.numerator):
        work.requirements[draw.key] = reverse.restored(before, draw)
    return draw._replace(before=before)


def _owed(reversal: Reversal) -> dict[int, list[Backlog]]:
    """Return what the triggers are still owed, in one walk: thousands may be reversed, of thousands that are owed."""
    owed: defaultdict[int, list[Backlog]] = defaultdict(list)
    for _, one in reversal.work.backlogs.items():  # noqa: PERF102 - an overlay has no values()
        if one.trigger in reversal.cuts:
            owed[one.trigger].append(one)
    return owed


def _cancelled(
    owed: Iterable[Backlog],
    part: Part,
    cut: Cut,
    once: Mapping[RequirementKey, Decimal],
    rounding: Mapping[RequirementKey, Rounding],
) -> Iterator[tuple[Backlog, Decimal]]:
    """Yield the reversed units' part of what their trigger is still owed; `once` has to stay."""
    kept = dict(once)
    share = None if cut.share is None else Fraction(cut.units) / Fraction(part.units)
    for backlog in owed:
        keep = min(backlog.quantity, kept.pop(backlog.key, ZERO))
        quantity = reverse.cancelled(backlog.quantity, keep, share, rounding.get(backlog.key, Rounding()))
        if quantity:
            yield backlog, quantity


def _cancel(work: WorkingCopy, backlog: Backlog, quantity: Decimal) -> None:
    """Owe so much less, and take it out of what was committed."""
    if backlog.calculated:
        before = work.requirement(backlog.key)
        work.requirements[backlog.key] = before.give_back(NOTHING, quantity, once=False)
    backlogs.cancel(work, backlog, quantity)


def _uncount(reversal: Reversal, part: Part) -> None:
    """Move the units from posted to reversed in their signal's totals; `part` is what was posted, as it stood."""
    work, number, counted = reversal.work, part.link.trigger, part.link.units
    cut, trigger = reversal.cuts[number], reversal.triggers[number]
    event = trigger.event
    if cut.units:
        gone = EXACT.subtract(counted, part.units)
        quantity = portion(event.quantity, gone, EXACT.add(gone, cut.units), counted)
        column = "scrapped" if event.kind is EventKind.SCRAP_UNITS else "posted"
        work.tally(event.signal, event.uom, **{column: EXACT.minus(quantity)}, reversed_=quantity)
        shadowing.beside(work, trigger, -Fraction(cut.units) / Fraction(counted))


def _taken(reversal: Reversal, found: Evidence) -> list[Span]:
    """Return the places in the order that are given back: of a trigger that is cut those of its newest units."""
    by_trigger: defaultdict[int, list[Span]] = defaultdict(list)
    for span in reversal.spans:
        by_trigger[span.trigger].append(span)
    taken: list[Span] = []
    for trigger, spans in by_trigger.items():
        cut, left = reversal.cuts[trigger], found.parts[trigger][0].units
        if cut.share is None:
            taken += spans
            continue
        length = sum(one.end - one.start for one in spans)
        wanted = round(length * Fraction(cut.units) / Fraction(left))
        newer = newest([(one.start, one.end) for one in spans], wanted)
        taken += (spans[0]._replace(start=start, end=end) for start, end in newer)
    return taken


def _free(work: WorkingCopy, taken: Iterable[Span]) -> None:
    """Let the units that come next fill the places that were given back."""
    places: defaultdict[tuple[str, str], list[Stretch]] = defaultdict(list)
    for span in taken:
        places[span.order, span.operation].append((span.start, span.end))
        work.rows.reversed_spans.append(span)
    for key, stretches in places.items():
        head = work.span_heads.get(key) or SpanHead()
        work.span_heads[key] = head._replace(free=freed(head.free, stretches))


def _roundings(master: MasterData, original: PostedDocument) -> dict[RequirementKey, Rounding]:
    """Return the components' and activities' roundings in the posting's BOM version; none that is gone."""
    body = original.body
    order, bom = master.orders.get(body["order"]), master.boms.get((body["bom"]["id"], body["bom"]["version"]))
    operation = bom.operation(body["operation"]) if bom else None
    if order is None or bom is None or operation is None:
        return {}
    try:
        plan = explode(master, order, bom, operation)
    except DataError:
        return {}
    found = {one.key: one.component.rounding for one in plan.components}
    return found | {one.key: one.activity.rounding for one in plan.activities}
