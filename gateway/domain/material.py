"""Items and the units they are counted in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.errors import DataError


@dataclass(frozen=True, slots=True)
class Item:
    """A material; its stock is kept in `uom`, and so are its crumb threshold and its reorder point."""

    item: str
    uom: str
    description: str = ""
    order_bound: bool = False  # consumed only from lots staged to the order itself, never from the supermarket
    serial_tracked: bool = False  # each piece has a number: it can't be backflushed
    potency_variable: bool = False  # its active content differs from lot to lot: it can't be backflushed
    min_remaining_life: timedelta | None = None  # a lot has to live that long after the event
    crumb: Decimal | None = None  # a rest below it is issued with the last pick, as a line of its own
    reorder_point: Decimal | None = None  # a balance at or below it raises one replenishment signal
    reorder_quantity: Decimal | None = None  # how much the signal asks for


@dataclass(frozen=True, slots=True)
class Units:
    """Conversion factors: one `from` is `factor` × `to`; an item's own factor comes before the global one.

    Keys are (item or None, from, to).
    """

    factors: Mapping[tuple[str | None, str, str], Fraction]

    def factor(self, item: str, source: str, target: str) -> Fraction:
        """Return how many `target` one `source` of the item is; DataError where nothing says it."""
        if source == target:
            return Fraction(1)
        for owner in (item, None):
            if direct := self.factors.get((owner, source, target)):
                return direct
            if inverse := self.factors.get((owner, target, source)):
                return 1 / inverse
        about = f" for item {item}" if item else ""
        raise DataError(
            f"no conversion from {source} to {target}{about}",
            f"add one to the units, for example {{from: {source}, to: {target}, factor: 1000}}",
        )
