"""From a component's unit to the unit a lot is stocked in, with the lot's own density and temperature."""

from decimal import Decimal
from fractions import Fraction

from gateway.backflush.outcome import Waits
from gateway.domain.lot import LotBalance
from gateway.domain.material import Units
from gateway.domain.quantity import text


def stock_factor(
    units: Units, lot: LotBalance, source: str, component_uom: str, temperature: Decimal | None
) -> Fraction:
    """Return how many of the lot's stock unit one `source` is.

    A lot's own density is about the component's unit and comes before the item's factor. Raises DataError where
    nothing converts, Waits where the lot's density needs a temperature that nobody measured.
    """
    density = lot.facts.density
    if source == lot.uom:
        return Fraction(1)
    if density is None or source != component_uom:
        return units.factor(lot.key.item, source, lot.uom)
    return Fraction(density) * _warmth(lot, temperature)


def _warmth(lot: LotBalance, temperature: Decimal | None) -> Fraction:
    coefficient, reference = lot.facts.temperature_coefficient, lot.facts.reference_temperature
    if not coefficient:
        return Fraction(1)
    if temperature is None or reference is None:
        missing = "the event has no temperature" if temperature is None else "it has no reference temperature"
        reason = (
            f"the density of lot {lot.key.lot} of {lot.key.item} changes by {text(coefficient)} a degree: {missing}"
        )
        raise Waits("temperature", reason)
    return 1 - Fraction(coefficient) * Fraction(temperature - reference)
