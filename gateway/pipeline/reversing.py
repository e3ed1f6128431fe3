"""A reversal's effects: mirrors posted, stock, requirements, backlogs, progress, totals and units given back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush import reverse
from gateway.backflush.explode import explode
from gateway.backflush.reverse import Part
from gateway.backflush.span import Stretch, union
from gateway.domain.document import Draw, Link, Span
from gateway.domain.event import EventKind, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Progress
from gateway.domain.posting import Output
from gateway.domain.quantity import EXACT, ZERO, Rounding, nearest
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
    by_document: defaultdict[int, list[Link]] = defaultdict(list)
    for trigger, cut in reversal.cuts.items():
        parts = found.parts[trigger]
        mirror = reverse.mirror(parts, cut.share, once=once, rounding=lambda key: rounding.get(key, Rounding()))
        for link in mirror.links:
            is_main = found.documents[link.document].follows is None
            units = EXACT.minus(cut.units) if is_main else ZERO  # they stand in the link of the main document
            by_document[link.document].append(_given_back(work, link._replace(units=units)))
        _cancel(reversal, parts, mirror.owed, rounding)
        _uncount(reversal, trigger, parts[0].link.units)
    work.order_progress[reversal.order, reversal.operation] = progress
    return [
        _post(reversal, found.documents[document], links, why)
        for document, links in sorted(by_document.items())
        if any(map(_takes_back, links))
    ]


def _post(reversal: Reversal, document: PostedDocument, links: list[Link], why: Why) -> int:
    reach: Stretch | None = None
    numbers = {link.trigger for link in links}
    for span in reversal.spans:
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


def _cancel(
    reversal: Reversal,
    parts: Sequence[Part],
    owed: Mapping[RequirementKey, Decimal],
    rounding: Mapping[RequirementKey, Rounding],
) -> None:
    """Cancel the reversed units' part of what the trigger is still owed, and of what was committed of that."""
    work, trigger, kept = reversal.work, parts[0].link.trigger, dict(owed)
    cut = reversal.cuts[trigger]
    share = None if cut.share is None else Fraction(cut.units) / Fraction(parts[0].units)
    for backlog in [one for _, one in work.backlogs.items() if one.trigger == trigger]:
        keep = min(backlog.quantity, kept.pop(backlog.key, ZERO))
        quantity = reverse.cancelled(backlog.quantity, keep, share, rounding.get(backlog.key, Rounding()))
        if quantity:
            if backlog.calculated:
                before = work.requirement(backlog.key)
                work.requirements[backlog.key] = before.give_back(NOTHING, quantity, once=False)
            backlogs.cancel(work, backlog, quantity)


def _uncount(reversal: Reversal, number: int, counted: Decimal) -> None:
    """Move the units from posted to reversed in their signal's totals, and free their places in the order."""
    work, cut, trigger = reversal.work, reversal.cuts[number], reversal.triggers[number]
    event = trigger.event
    if cut.units:
        share = Fraction(cut.units) / Fraction(counted)
        quantity = nearest(Fraction(event.quantity) * share)
        column = "scrapped" if event.kind is EventKind.SCRAP_UNITS else "posted"
        work.tally(event.signal, event.uom, **{column: EXACT.minus(quantity)}, reversed_=quantity)
        shadowing.beside(work, trigger, -share)
    if cut.share is None:
        for span in (one for one in reversal.spans if one.trigger == number):
            _free(work, span)


def _free(work: WorkingCopy, span: Span) -> None:
    key = (span.order, span.operation)
    head = work.span_heads.get(key) or SpanHead()
    work.span_heads[key] = head._replace(free=tuple(sorted((*head.free, (span.start, span.end)))))
    work.rows.reversed_spans.append(span)


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
