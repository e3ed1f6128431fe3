"""What a reversal takes out of a trigger's documents: mirrored from what was posted, never exploded again.

A trigger of n units that is cut by N gives back posted × N ÷ n, rounded down; its last reversal takes the rest, so
that nothing is left over. What was drawn once an order (fixed quantity, setup scrap) stays until `once`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.domain.document import Draw, Link, Pick
from gateway.domain.quantity import EXACT, ZERO, Rounding, exact, nearest, rounded
from gateway.domain.requirement import NOTHING, Ratio, Requirement, RequirementKey

RoundingOf = Callable[[RequirementKey], Rounding]

FINEST = Rounding(12)  # as fine as quantities get here


class Part(NamedTuple):
    """A trigger's part of one document: as it was posted, and what was reversed of it (same lines, negative)."""

    link: Link
    reversed: tuple[Link, ...] = ()

    @property
    def units(self) -> Decimal:
        """What is left of the units that it counted."""
        return total((self.link.units, *(one.units for one in self.reversed)))

    @property
    def lines(self) -> dict[int, Decimal]:
        """What is left of its lines."""
        left: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
        for link in (self.link, *self.reversed):
            for line, quantity in link.lines:
                left[line] = EXACT.add(left[line], quantity)
        return {line: quantity for line, quantity in left.items() if quantity}


class Mirror(NamedTuple):
    """One link for each part, its quantities negative, its lines those of the part's document.

    `owed` is what has to stay of the once-quantities and wasn't posted yet: a backlog still owes it.
    """

    links: tuple[Link, ...]
    owed: Mapping[RequirementKey, Decimal]


def mirror(parts: Sequence[Part], share: Fraction | None, *, once: bool, rounding: RoundingOf) -> Mirror:
    """Mirror one trigger's parts, in the order they posted: `share` (N ÷ n) of them, None for all that is left."""
    keep: defaultdict[RequirementKey, Decimal] = defaultdict(lambda: ZERO)
    links = tuple(_mirrored(part, share, keep, once=once, rounding=rounding) for part in parts)
    return Mirror(links, {key: quantity for key, quantity in keep.items() if quantity})


def cancelled(owed: Decimal, kept: Decimal, share: Fraction | None, rounding: Rounding) -> Decimal:
    """Return what a reversal cancels of an open backlog: `share` of what is not `kept`, None for all of that."""
    free = max(ZERO, EXACT.subtract(owed, kept))
    return free if share is None else round_down(Fraction(free) * share, rounding)


def restored(requirement: Requirement, draw: Draw) -> Requirement:
    """Return the requirement without what a mirrored draw gives back."""
    required = _fraction(draw.required) + _fraction(draw.once)
    given = Ratio(-required.numerator, required.denominator)
    return requirement.give_back(given, EXACT.minus(draw.due), once=draw.once.numerator != 0)


def renumbered(link: Link, lines: Mapping[int, int]) -> Link:
    """Return the link with the line numbers of another document, to which `lines` leads."""
    draws = tuple(
        draw._replace(picks=tuple(pick._replace(line=lines[pick.line]) for pick in draw.picks)) for draw in link.draws
    )
    return link._replace(lines=tuple((lines[line], quantity) for line, quantity in link.lines), draws=draws)


def round_down(quantity: Fraction, rounding: Rounding) -> Decimal:
    """Return what whole steps (decimals or packs) of the component are in the quantity."""
    decimals = 12 if rounding.decimals is None else rounding.decimals
    step = Fraction(1, 10**decimals) if rounding.multiple is None else Fraction(rounding.multiple)
    return exact(quantity // step * step)


def _mirrored(
    part: Part, share: Fraction | None, keep: defaultdict[RequirementKey, Decimal], *, once: bool, rounding: RoundingOf
) -> Link:
    before = [tuple(link.draws[index] for link in part.reversed) for index in range(len(part.link.draws))]
    draws = []
    for draw, earlier in zip(part.link.draws, before, strict=True):
        rule = rounding(draw.key)
        if draw.once.numerator and not once:
            keep[draw.key] = EXACT.add(keep[draw.key], _once(draw, rule))
        draws.append(_draw(_Cut(draw, earlier, share, rule), keep, once=once))
    units = part.units if share is None else exact(Fraction(part.link.units) * share)
    lines = _lines(part, share, draws)
    return Link(part.link.trigger, part.link.document, EXACT.minus(units), lines, tuple(draws))


def _once(draw: Draw, rounding: Rounding) -> Decimal:
    exactly = rounding.decimals is None and rounding.multiple is None
    return nearest(_fraction(draw.once)) if exactly else rounded(*draw.once, rounding)


class _Cut(NamedTuple):
    """One draw that is cut: what was mirrored of it before, and how much is wanted now."""

    draw: Draw
    earlier: tuple[Draw, ...]
    share: Fraction | None
    rounding: Rounding

    def quantity(self, base: Decimal, taken: Decimal) -> Decimal:
        """Return what is taken of `base`, of which `taken` went before."""
        rest = EXACT.subtract(base, taken)
        return rest if self.share is None else min(rest, round_down(Fraction(base) * self.share, self.rounding))


def _draw(cut: _Cut, keep: defaultdict[RequirementKey, Decimal], *, once: bool) -> Draw:
    draw = cut.draw
    picks = []
    for pick in draw.picks:
        kept = min(keep[draw.key], pick.component)
        keep[draw.key] = EXACT.subtract(keep[draw.key], kept)
        if (mirrored := _pick(cut, pick, kept)).quantity:
            picks.append(mirrored)
    if draw.picks or draw.backlog:
        due = total(pick.component for pick in picks)
    else:  # an activity has no lots
        due = EXACT.minus(cut.quantity(draw.due, EXACT.minus(total(one.due for one in cut.earlier))))
    required = _fraction(draw.required) * cut.share if cut.share is not None else _left(draw, cut.earlier)
    returned = draw.once if once and not any(one.once.numerator for one in cut.earlier) else NOTHING
    return draw._replace(
        required=_negative(required),
        once=_negative(_fraction(returned)),
        due=due,
        backlog=ZERO,
        picks=tuple(picks),
        considered=(),
    )


def _pick(cut: _Cut, pick: Pick, kept: Decimal) -> Pick:
    """Cut in the component's unit; the stock follows in the ratio in which it was picked."""
    earlier = [one for draw in cut.earlier for one in draw.picks if one.line == pick.line]
    gone = EXACT.minus(total(one.component for one in earlier))
    component = cut.quantity(EXACT.subtract(pick.component, kept), gone)
    if EXACT.add(gone, component) == EXACT.subtract(pick.component, kept):
        taken = EXACT.minus(total(one.quantity for one in earlier))
        quantity = EXACT.subtract(EXACT.subtract(pick.quantity, _in_stock(pick, kept)), taken)
    else:
        quantity = _in_stock(pick, component)
    return Pick(pick.line, EXACT.minus(quantity), EXACT.minus(component))


def _in_stock(pick: Pick, component: Decimal) -> Decimal:
    if not component:
        return ZERO
    return round_down(Fraction(pick.quantity) * Fraction(component) / Fraction(pick.component), FINEST)


def _lines(part: Part, share: Fraction | None, draws: Iterable[Draw]) -> tuple[tuple[int, Decimal], ...]:
    """Return the mirrored lines: what the draws took, and of lines without a draw (the receipt) their part."""
    sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for pick in _picks(draws):
        sums[pick.line] = EXACT.add(sums[pick.line], pick.quantity)
    drawn = {pick.line for pick in _picks(part.link.draws)}
    left = part.lines
    for line, quantity in Part(part.link).lines.items():
        if line not in drawn:
            rest = left.get(line, ZERO)
            part_of = rest if share is None else min(rest, round_down(Fraction(quantity) * share, FINEST))
            sums[line] = EXACT.minus(part_of)
    return tuple((line, quantity) for line, quantity in sorted(sums.items()) if quantity)


def _picks(draws: Iterable[Draw]) -> Iterator[Pick]:
    return (pick for draw in draws for pick in draw.picks)


def _left(draw: Draw, earlier: Iterable[Draw]) -> Fraction:
    return _fraction(draw.required) + sum((_fraction(one.required) for one in earlier), Fraction(0))


def _fraction(ratio: Ratio) -> Fraction:
    return Fraction(ratio.numerator, ratio.denominator)


def _negative(ratio: Fraction) -> Ratio:
    return Ratio(-ratio.numerator, ratio.denominator)


def total(quantities: Iterable[Decimal]) -> Decimal:
    """Return their exact sum."""
    found = ZERO
    for quantity in quantities:
        found = EXACT.add(found, quantity)
    return found
