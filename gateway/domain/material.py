"""Items and the units they are counted in."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.errors import DataError


@dataclass(frozen=True, slots=True)
class Item:
    """A material; its stock is kept in `uom`."""

    item: str
    uom: str
    description: str = ""


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
        raise DataError(
            f"no conversion from {source} to {target} for item {item}",
            f"add one to the units, for example {{from: {source}, to: {target}, factor: 1000}}",
        )
