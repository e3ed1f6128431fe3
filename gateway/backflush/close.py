"""An order's close: is it within its tolerance, and why each component's consumption isn't its standard.

actual − standard = usage + mix + yields + scrap, exactly: the three that are calculated are rounded where they
never terminate (at twelve decimals), and usage is the rest. What a scale measured has no yield: a weight counts no
good units, so all that it is beside the standard of the received ones is usage.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush.explode import PlannedComponent, PlannedOperation, explode
from gateway.domain.bom import BillOfMaterial, Method
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order
from gateway.domain.posting import Output, PostingLine, Variance
from gateway.domain.quantity import EXACT, ZERO, Rounding, nearest, text
from gateway.domain.use import Use

FactorOf = Callable[[str, str], Fraction]

_NONE = Fraction(0)
_MEASURED = (Method.MEASURED, Method.SCAN)
_FINE = Fraction(1, 10**6)  # a million lines, each rounded at twelve decimals
_OTHERWISE = "not as calculated: entered as nothing, a shortage closed without posting, or another BOM or density"


class Made(NamedTuple):
    """What an operation counted under one BOM version, in its own unit, without what was reversed."""

    operation: str
    bom_version: str
    output: Output


@dataclass(slots=True)
class _Account:
    """A component of one item, in the component's unit; `lines` are what was consumed, in the stock unit.

    `step` is what its calculated quantities are rounded to, nothing where they are exact.
    """

    uom: str
    step: Fraction = _NONE
    standard: Fraction = _NONE
    yields: Fraction = _NONE
    scrap: Fraction = _NONE
    lines: list[PostingLine] = field(default_factory=list)

    @property
    def required(self) -> Fraction:
        return self.standard + self.yields + self.scrap


_Accounts = dict[tuple[str, str], _Account]  # by BOM line and item


def outside_tolerance(order: Order, received: Fraction, overrun: Decimal | None) -> str:
    """Return how the received quantity (order unit) breaks the order's tolerances, nothing where it doesn't."""
    planned = Fraction(order.quantity)
    if order.under_tolerance is not None and received < (least := planned * (1 - order.under_tolerance)):
        return f"{_said(received)} {order.uom} were received, at least {_said(least)} have to be"
    if order.over_tolerance is not None:
        most = planned * (1 + order.over_tolerance) if overrun is None else Fraction(overrun)
        if received > most:
            return f"{_said(received)} {order.uom} were received, at most {_said(most)} may be"
    return ""


def received(bom: BillOfMaterial, made: Iterable[Made]) -> Fraction:
    """Return what the receipt operation made, in the order's unit."""
    receipts = {one.operation: one for one in bom.operations if one.receipt}
    goods = (
        Fraction(one.output.good) / receipts[one.operation].per_order_unit for one in made if one.operation in receipts
    )
    return sum(goods, _NONE)


def variances(
    master: MasterData,
    order: Order,
    bom: BillOfMaterial,
    made: Iterable[Made],
    lines: Iterable[PostingLine],
    *,
    factor_of: FactorOf,
) -> tuple[Variance, ...]:
    """Return each consumed component's variance, by BOM line and item.

    `bom` is the version of the order now, `made` and `lines` are everything that was counted and moved under it and
    former ones. `factor_of` (item, component's unit) gives stock units to one of the component.
    """
    by_operation: defaultdict[str, list[Made]] = defaultdict(list)
    for one in (made := tuple(made)):
        by_operation[one.operation].append(one)
    accounts: _Accounts = {}
    for operation in (one for one in bom.operations if one.reporting_point):
        counted = [
            (plan, one.output) for one in by_operation[operation.operation] if (plan := _exploded(master, order, one))
        ]
        if not any(output.good for _, output in counted):  # then the version in force says what the received units take
            counted.append((explode(master, order, bom, operation), Output(ZERO, ZERO, ZERO, operation.unit)))
        _require(accounts, counted, received(bom, made))
    _consume(accounts, master, lines)
    groups: defaultdict[str, dict[str, _Account]] = defaultdict(dict)
    for (line, item), account in sorted(accounts.items()):
        groups[line][item] = account
    return tuple(one for line, group in groups.items() for one in _variances(master, line, group, factor_of))


def _require(accounts: _Accounts, counted: list[tuple[PlannedOperation, Output]], total: Fraction) -> None:
    """Add what an operation's units required.

    The received units are spread over its BOM versions as its own good ones are (all to the last where it has none),
    so that a change in mid-order is no variance.
    """
    good = sum((Fraction(output.good) for _, output in counted), _NONE)
    for number, (plan, output) in enumerate(counted, 1):
        share = Fraction(output.good) / good if good else Fraction(number == len(counted))
        standard = total / plan.order_unit * share
        for one in _consumed(plan.components, plan.good, Method.SCAN):
            ratio, account = Fraction(one.numerator, one.denominator), _account(accounts, one)
            account.standard += standard * ratio
            if one.component.method is not Method.MEASURED:
                account.yields += (Fraction(output.good) - standard) * ratio
        for units, drawn in ((output.scrap, plan.scrap), (output.rework, plan.rework)):
            for one in _consumed(drawn, drawn):
                _account(accounts, one).scrap += Fraction(units) * Fraction(one.numerator, one.denominator)
    begun = next((plan for plan, output in counted if output.units), None)
    for one in _consumed(begun.components, begun.good) if begun else ():
        _account(accounts, one).standard += Fraction(*one.once)


def _exploded(master: MasterData, order: Order, made: Made) -> PlannedOperation | None:
    bom = master.boms.get((order.bom, made.bom_version))
    operation = bom.operation(made.operation) if bom else None
    return explode(master, order, bom, operation) if bom and operation else None


def _consumed(
    components: Iterable[PlannedComponent], drawn: Iterable[PlannedComponent], *more: Method
) -> list[PlannedComponent]:
    """Return those of the components that leave stock here: drawn by a unit, or by one of `more` methods."""
    keys = {one.key for one in drawn}
    return [
        one
        for one in components
        if one.component.use is Use.CONSUMED and (one.key in keys or one.component.method in more)
    ]


def _account(accounts: _Accounts, planned: PlannedComponent) -> _Account:
    account = accounts.setdefault((planned.source[0], planned.item), _Account(planned.key.uom))
    account.step = max(account.step, _step(planned.component.rounding))
    return account


def _step(rounding: Rounding) -> Fraction:
    if rounding.multiple is not None:
        return Fraction(rounding.multiple)
    return _NONE if rounding.decimals is None else Fraction(1, 10**rounding.decimals)


def _consume(accounts: _Accounts, master: MasterData, lines: Iterable[PostingLine]) -> None:
    """Put each consumed line to its component; one that names none (a count, a rest) to the first of its item."""
    line_of = {item: line for line, item in sorted(accounts, reverse=True)}
    uom_of = {line: account.uom for (line, _), account in accounts.items()}
    for one in lines:
        if one.use is Use.CONSUMED:
            line = (one.bom_line or line_of.get(one.item, "")).partition(":")[0]
            uom = uom_of.get(line, master.items[one.item].uom)
            accounts.setdefault((line, one.item), _Account(uom)).lines.append(one)


def _variances(master: MasterData, line: str, group: Mapping[str, _Account], factor_of: FactorOf) -> Iterable[Variance]:
    """Yield the variances of the items that serve one BOM line: mix is what one took of another's share."""
    factors = {item: factor_of(item, account.uom) for item, account in group.items()}
    actuals = {item: _sum(account.lines) for item, account in group.items()}
    used = sum((Fraction(actuals[item]) / factors[item] for item in group), _NONE)
    required = sum((account.required for account in group.values()), _NONE)
    most = sum((account.step for account in group.values()), _FINE)
    for item, account in group.items():
        factor, actual = factors[item], actuals[item]
        own = used * account.required / required if required else Fraction(actual) / factor
        mix = _decimal(Fraction(actual) - own * factor)
        standard, yields, scrap = (_decimal(one * factor) for one in (account.standard, account.yields, account.scrap))
        usage = actual
        for part in (standard, mix, yields, scrap):
            usage = EXACT.subtract(usage, part)
        uom = master.items[item].uom
        found = Variance(line, item, uom, standard, actual, usage, mix, yields, scrap, "")
        why = _usage(item, group, rounding=abs(Fraction(usage)) <= most * factor) if usage else ""
        yield found._replace(cause=_cause(found, why))


def _cause(found: Variance, usage: str) -> str:
    parts = []
    if found.usage:
        parts.append(f"usage {_signed(found.usage, found.uom)}: {usage}")
    if found.mix:
        parts.append(f"mix {_signed(found.mix, found.uom)}: the items of the line were not used in their shares")
    if found.yields:
        parts.append(f"yield {_signed(found.yields, found.uom)}: good units counted are not those received")
    if found.scrap:
        parts.append(f"scrap {_signed(found.scrap, found.uom)}: rejects and rework were counted")
    return "; ".join(parts) or "as the standard says"


def _usage(item: str, group: Mapping[str, _Account], *, rounding: bool) -> str:
    """Return what made an item's usage: what wasn't calculated of its BOM line, and whose lots were used.

    The items of a line take their shares of all that it used, so that what was entered of one is usage of each.
    `rounding`: it is so little that rounding made it where nothing else did.
    """
    lines = group[item].lines
    found = list(_uncalculated(lines))
    for other in sorted(group.keys() - {item}):
        found += (f"{one} of {other}" for one in _uncalculated(group[other].lines))
    if not found:
        found.append("nothing was consumed" if not lines else "rounding" if rounding else _OTHERWISE)
    lots = sorted({f"{one.lot} of {one.supplier}" if one.supplier else one.lot for one in lines})
    return ", ".join(found) + (f" (lots {', '.join(lots)})" if lots else "")


def _uncalculated(lines: list[PostingLine]) -> Iterable[str]:
    for what, chosen in (
        ("measured or scanned", [one for one in lines if one.standard is None and one.method in _MEASURED]),
        ("entered by operators", [one for one in lines if one.standard is not None]),
        ("residuals", [one for one in lines if one.method == "residual"]),
        ("cycle counts", [one for one in lines if one.method == "count"]),
    ):
        if total := _sum(chosen):  # nothing where it was reversed
            yield f"{what} {text(total)}"


def _sum(lines: Iterable[PostingLine]) -> Decimal:
    total = ZERO
    for one in lines:
        total = EXACT.add(total, one.quantity)
    return total


def _signed(quantity: Decimal, uom: str) -> str:
    return f"{'+' if quantity > ZERO else ''}{text(quantity)} {uom}"


def _said(quantity: Fraction) -> str:
    return text(_decimal(quantity))


def _decimal(quantity: Fraction) -> Decimal:
    return nearest(quantity).normalize(EXACT)
