"""What one trigger takes of each component: from which lots, and what becomes of a shortage."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from gateway.backflush.allocate import FIRST_EXPIRY, NOT_NEEDED, Allocation, Need, Taken, allocate
from gateway.backflush.conversion import stock_factor
from gateway.backflush.draft import Draft
from gateway.backflush.due import Due, due
from gateway.backflush.eligibility import NOT_SCANNED, late
from gateway.backflush.explode import PlannedComponent
from gateway.backflush.outcome import LATE, Alert, Waits
from gateway.domain.bom import LateStage, Method, Shortage
from gateway.domain.document import Considered, Draw, Pick
from gateway.domain.lot import LotBalance, LotStatus
from gateway.domain.posting import PostingLine
from gateway.domain.quantity import ZERO, nearest, text
from gateway.domain.requirement import NOTHING, Ratio
from gateway.domain.use import Use

_CONSUMED = Use.CONSUMED
_UNRESTRICTED = LotStatus.UNRESTRICTED
_RESIDUAL = "residual"
_SHOWN = 10  # lots in the record of a draw
_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call


def issue_plain(draft: Draft, planned: PlannedComponent) -> None:
    """Take what a plain component needs from the lot that expires first; where that isn't enough, as `take` does.

    The same outcome as `issue`, at a third of the time: it's what nearly each line of each trigger is.
    """
    state, key, sheet = draft.state, planned.key, draft.issues
    before = state.requirement(key)
    required = _new(Ratio, (draft.top * planned.numerator, draft.bottom * planned.denominator))
    quantity, draft.changes.requirements[key] = before.draw(*required, planned.component.rounding)
    if not quantity:
        sheet.draws.append(_new(Draw, (key, planned.item, before, required, NOTHING, ZERO, ZERO, (), (), True)))
        return
    lots = iter(state.lots(draft.owners, planned.item))
    lot = next(lots, None)
    if lot is None or not (left := _serves(draft, lot, quantity)):
        take(draft, planned, Due(quantity, key.uom, before, required, calculated=True))
        return
    picks = (_new(Pick, (len(sheet.lines), quantity, quantity)),)
    considered: tuple[Considered, ...] = (_new(Considered, (lot.key, left, quantity, FIRST_EXPIRY)),)
    if behind := next(lots, None):
        considered += (_new(Considered, (behind.key, behind.left, ZERO, NOT_NEEDED)),)
    sheet.lines.append(_line(lot, quantity, planned.source))
    draw = (key, planned.item, before, required, NOTHING, quantity, ZERO, picks, considered, True)
    sheet.draws.append(_new(Draw, draw))
    draft.consume(lot, quantity)


def _serves(draft: Draft, lot: LotBalance, quantity: Decimal) -> Decimal | None:
    """Return what the lot has left where it alone serves, None where it takes a closer look."""
    _, _, _, expires_at, status, staged, consumed, returned, facts = lot
    if lot.key in draft.changes.lots or status is not _UNRESTRICTED or (expires_at and expires_at <= draft.at):
        return None
    if (facts.staged_at or facts.scanned_at) and late(lot, draft.at):
        return None
    left = staged - consumed - returned
    return left if left >= quantity else None


def issue(draft: Draft, planned: PlannedComponent) -> None:
    """Take what the component needs; Waits where that can't be."""
    needed = due(draft, planned)
    if needed.quantity:
        take(draft, planned, needed)
    else:
        draft.issues.draws.append(_draw(planned, needed, ZERO, (), ()))


def take(draft: Draft, planned: PlannedComponent, needed: Due) -> None:
    """Issue what is due (above zero); what is short becomes a backlog, or the trigger waits."""
    need = Need(needed.quantity, needed.uom)
    allocation = allocate(draft, planned, need)
    backlog = ZERO
    if allocation.missing:
        if planned.component.on_shortage is Shortage.BLOCK:
            raise shortage(draft, planned, need, allocation)
        backlog = _in_component(draft, planned, allocation.missing, needed.uom)
        draft.backlogs.append((planned.key, backlog))
    check_limits(draft, planned, write(draft, planned, needed, allocation, backlog))


def write(draft: Draft, planned: PlannedComponent, needed: Due, allocation: Allocation, backlog: Decimal) -> Decimal:
    """Put the picks into lines and the draw beside them, a crumb into a line and a draw of its own.

    Returns what was drawn, the backlog included, in the component's unit.
    """
    sheet, picks, crumbs, standard = draft.issues, [], [], needed.standard
    for taken in allocation.picks:
        lot, quantity, _ = taken
        _check_late(draft, planned, lot)
        rest = draft.consume(lot, quantity)
        picks.append(Pick(len(sheet.lines), quantity, _amount(draft, planned, taken, needed.uom)))
        line = _line(lot, quantity, planned.source)
        if standard is not None:  # stands once, on the first line
            line = line._replace(
                standard=nearest(Fraction(standard.quantity) * _factor(draft, planned, lot, standard.uom))
            )
            standard = None
        sheet.lines.append(line)
        crumbs += _crumb(draft, planned, rest)
    drawn = sum((one.component for one in picks), backlog)
    sheet.draws.append(_draw(planned, needed._replace(quantity=drawn), backlog, picks, allocation.considered))
    sheet.draws += crumbs
    return drawn


def shortage(draft: Draft, planned: PlannedComponent, need: Need, allocation: Allocation) -> Waits:
    """Return why the trigger waits: what is needed, what is there, and every refused lot with its reason."""
    available = need.quantity - allocation.missing
    where = f"for order {draft.trigger.order} on line {draft.trigger.line}"
    needs = f"{planned.item} (BOM line {planned.key.bom_line}) needs {text(need.quantity)} {need.uom}"
    if not allocation.considered:
        return Waits("not-staged", f"{needs}, nothing staged {where}")
    unscanned = all(one.why == NOT_SCANNED for one in allocation.considered)
    reason = f"{needs}, {text(available)} available {where}"
    return Waits("not-scanned" if unscanned else "shortage", "; ".join((reason, *allocation.refused)))


def _line(lot: LotBalance, quantity: Decimal, source: tuple[str, str]) -> PostingLine:
    key, facts = lot.key, lot.facts
    line = (
        _CONSUMED,
        key.item,
        quantity,
        lot.uom,
        key.lot,
        key.location,
        *source,
        key.owner,
        None,
        facts.supplier,
    )
    return _new(PostingLine, line)


def _draw(
    planned: PlannedComponent, needed: Due, backlog: Decimal, picks: Sequence[Pick], considered: Sequence[Considered]
) -> Draw:
    quantity, _, before, required, once, calculated, _ = needed
    if len(considered) > _SHOWN:  # the first ones tell why they were passed over, the last what was taken
        considered = (*considered[: _SHOWN // 2], *considered[-_SHOWN // 2 :])
    parts = (
        planned.key,
        planned.item,
        before,
        required,
        once,
        quantity,
        backlog,
        tuple(picks),
        tuple(considered),
        calculated,
    )
    return _new(Draw, parts)


def _crumb(draft: Draft, planned: PlannedComponent, rest: LotBalance) -> list[Draw]:
    """Issue what is left of a lot when that is too little to be worth keeping."""
    crumb = draft.master.items[rest.key.item].crumb
    if not (crumb and ZERO < rest.left < crumb):
        return []
    draft.consume(rest, rest.left)
    bom_line, _ = planned.source
    amount = _amount(draft, planned, Taken(rest, rest.left, rest.left), rest.uom)
    pick = Pick(len(draft.issues.lines), rest.left, amount)
    draft.issues.lines.append(_line(rest, rest.left, (bom_line, _RESIDUAL)))
    cleared = Due(amount, planned.component.uom, draft.state.requirement(planned.key))
    return [_draw(planned, cleared, ZERO, (pick,), ())]


def _amount(draft: Draft, planned: PlannedComponent, taken: Taken, uom: str) -> Decimal:
    """Return what was taken in the component's unit; of what was measured or scanned the active part."""
    amount, potency = taken.amount, taken.lot.facts.potency
    if uom != planned.component.uom:
        amount = nearest(Fraction(taken.quantity) / _factor(draft, planned, taken.lot, planned.component.uom))
    actual = planned.component.method is not Method.BACKFLUSH
    return amount * potency if actual and potency is not None else amount


def _factor(draft: Draft, planned: PlannedComponent, lot: LotBalance, uom: str) -> Fraction:
    return stock_factor(draft.master.units, lot, uom, planned.component.uom, draft.event.temperature)


def _in_component(draft: Draft, planned: PlannedComponent, quantity: Decimal, uom: str) -> Decimal:
    own = planned.component.uom
    return quantity if uom == own else nearest(Fraction(quantity) * draft.master.units.factor(planned.item, uom, own))


def _check_late(draft: Draft, planned: PlannedComponent, lot: LotBalance) -> None:
    how = late(lot, draft.at)
    if not how:
        return
    signed = draft.state.order_state(draft.trigger.order).signed_late
    if planned.component.late_stage is LateStage.SIGN and draft.trigger.id not in signed:
        raise Waits(LATE, f"{how}; the deviation has to be signed")
    draft.issues.deviate(LATE, how)


def check_limits(draft: Draft, planned: PlannedComponent, drawn: Decimal) -> None:
    """Alert the owner where what was measured or scanned is outside the component's control limits."""
    limits = planned.component.limits
    if limits is None or planned.component.method is Method.BACKFLUSH:
        return
    low = limits.low is not None and drawn < limits.low
    high = limits.high is not None and drawn > limits.high
    if low or high:
        shown = " … ".join("" if one is None else text(one) for one in (limits.low, limits.high))
        sentence = f"{planned.item} (BOM line {planned.key.bom_line}) took {text(drawn)} {planned.component.uom}"
        draft.alerts.append(Alert("control-limit", f"{sentence}, outside {shown}", limits.owner))
