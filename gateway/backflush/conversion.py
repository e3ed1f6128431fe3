"""From a component's unit to the unit a lot is stocked in, with the lot's own density and temperature."""

from decimal import Decimal
from fractions import Fraction

from gateway.backflush.outcome import Waits
from gateway.domain.lot import LotBalance
from gateway.domain.material import Units
from gateway.domain.quantity import ZERO, nearest, text


def stock_factor(
    units: Units, lot: LotBalance, source: str, component_uom: str, temperature: Decimal | None
) -> Fraction:
    """Return how many of the lot's stock unit one `source` is.

    A lot's own density is about the component's unit and comes before the item's factor. Raises DataError where
    nothing converts, Waits where the lot's density needs a temperature that nobody measured or is none there.
    """
    density = lot.facts.density
    if source == lot.uom:
        return Fraction(1)
    if density is None or source != component_uom:
        return units.factor(lot.key.item, source, lot.uom)
    return _dense(lot, density, temperature)


def _dense(lot: LotBalance, density: Decimal, temperature: Decimal | None) -> Fraction:
    warm = Fraction(density) * _warmth(lot, temperature)
    if warm > 0:
        return warm
    formula = text(density)  # issued by it, stock would come out of nothing
    if temperature is not None and (coefficient := lot.facts.temperature_coefficient):
        reference = text(lot.facts.reference_temperature or ZERO)
        formula += f" × (1 − {text(coefficient)} × ({text(temperature)} − {reference}))"
    found = f"the density of lot {lot.key.lot} of {lot.key.item} is {formula} = {text(nearest(warm))}"
    raise Waits("density", f"{found}, not above zero")


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
