"""Recomputes a posting as a reader would: from the explanation's printed numbers, and nothing of the gateway's."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal, localcontext
from fractions import Fraction
from math import prod

_MODES = {"up": ROUND_UP, "down": ROUND_DOWN, "half-even": ROUND_HALF_EVEN}


def round_by_hand(requirement: Fraction, rule) -> Fraction:
    """Return what a reader gets who knows only the printed rule."""
    if rule["decimals"] is None and rule["multiple"] is None:
        return requirement
    step = Fraction(rule["multiple"]) if rule["multiple"] else Fraction(1, 10 ** rule["decimals"])
    steps = requirement / step
    with localcontext(prec=60):
        whole = (Decimal(steps.numerator) / Decimal(steps.denominator)).to_integral_value(_MODES[rule["mode"]])
    return int(whole) * step


def recompute(trigger, draw) -> Fraction:
    """Return what the draw came to, from the printed numbers alone."""
    per_unit = prod((Fraction(one["value"]) for one in draw["formula"]["factors"]), start=Fraction(1))
    required = Fraction(trigger["units"]) * per_unit
    total = Fraction(draw["before"]["required"]) + required + Fraction(draw["once"])
    assert total == Fraction(draw["after"]["required"])
    return max(Fraction(0), round_by_hand(total, draw["rounding"]) - Fraction(draw["before"]["committed"]))


def check_by_hand(explanation) -> int:
    """Recompute every calculated draw and every line; return how many draws that were."""
    done = 0
    sums: dict[int, Fraction] = {}
    for trigger in explanation["triggers"]:
        for draw in trigger["draws"]:
            if draw["how"] == "calculated":
                assert recompute(trigger, draw) == Fraction(draw["due"]), draw
                done += 1
            assert sum(Fraction(one["component"]) for one in draw["picks"]) + Fraction(draw["backlog"]) == Fraction(
                draw["due"]
            ) or draw["bom_line"].startswith("activity:")
            for pick in draw["picks"]:
                assert Fraction(pick["component"]) * Fraction(pick["factor"]) == Fraction(pick["quantity"])
                sums[pick["line"]] = sums.get(pick["line"], Fraction(0)) + Fraction(pick["quantity"])
    for number, line in enumerate(explanation["lines"], 1):
        assert number not in sums or sums[number] == Fraction(line["quantity"])
    return done
