"""How a reversal came to its quantities: mirrored from what was posted, trigger by trigger and line by line."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gateway.domain.document import Link
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.explanation.evidence import Evidence, Original

Json = dict[str, Any]
_Identity = tuple[Any, ...]

_SAME = ("use", "item", "uom", "lot", "location", "bom_line", "method", "supplier")


def mirror(found: Evidence, link: Link) -> Json | None:
    """Return what a reversal mirrors of a trigger; None where retention has deleted the posting.

    Of the `units_posted` n it takes k, `units_reversed`: of each line posted × k ÷ n, rounded down to whole steps;
    a trigger's last reversal takes what is left. What was drawn once an order stays until the order's last unit.
    """
    original = found.original
    posted = found.link(link.trigger, original.document) if original else None
    if original is None or posted is None:
        return None
    main = found.link(link.trigger, original.main)
    taken = next((one for one in _beside(found, original, link) if one.units), None)
    was, before = _quantities(posted, original.body), _before(found, original, link.trigger)
    return {
        "seq": original.seq,
        "units_posted": text(main.units) if main else None,
        "units_reversed": text(EXACT.minus(taken.units)) if taken else "0",
        "lines": [
            {
                "line": number + 1,
                "posted": text(was.get(_identity(found.body, number), ZERO)),
                "reversed_before": text(EXACT.minus(before.get(_identity(found.body, number), ZERO))),
                "quantity": text(quantity),
            }
            for number, quantity in link.lines
        ],
    }


def _beside(found: Evidence, original: Original, link: Link) -> Iterable[Link]:
    """Yield the links that tell how many units are reversed: this one, and that of the main document's mirror."""
    yield link
    yield from (one for one in found.whole[link.trigger] if one.document in original.together)


def _quantities(link: Link, body: Mapping[str, Any]) -> dict[_Identity, Decimal]:
    """Return a link's quantities by what its lines move: a mirror numbers its lines anew."""
    return {_identity(body, number): quantity for number, quantity in link.lines}


def _before(found: Evidence, original: Original, trigger: int) -> dict[_Identity, Decimal]:
    """Return what earlier reversals took, negative."""
    sums: dict[_Identity, Decimal] = {}
    for link in found.whole[trigger]:
        if body := original.mirrors.get(link.document):
            for key, quantity in _quantities(link, body).items():
                sums[key] = EXACT.add(sums.get(key, ZERO), quantity)
    return sums


def _identity(body: Mapping[str, Any], number: int) -> _Identity:
    line = body["lines"][number]
    owner = line.get("owner") or {}
    return (*(line.get(name) for name in _SAME), owner.get("kind"), owner.get("name"), "standard" in line)
