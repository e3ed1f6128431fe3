from decimal import Decimal

from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.requirement import Requirement

WHOLE_UP = Rounding(0, RoundingMode.UP)


def test_the_first_draw_commits_the_rounded_requirement():
    due, after = Requirement().draw(4, 3, WHOLE_UP)

    assert Decimal(2) == due
    assert Requirement(4, 3, Decimal(2)) == after


def test_a_draw_commits_only_what_the_sum_needs_beyond_what_is_committed():
    due, after = Requirement(4, 3, Decimal(2)).draw(4, 3, WHOLE_UP)

    assert Decimal(1) == due
    assert Requirement(8, 3, Decimal(3)) == after


def test_what_is_committed_beyond_the_requirement_is_never_taken_back():
    due, after = Requirement(1, 1, Decimal(5)).draw(1, 1, WHOLE_UP)

    assert Decimal(0) == due
    assert Requirement(2, 1, Decimal(5)) == after


def test_requirements_of_different_denominators_are_summed_exactly():
    due, after = Requirement(1, 3, Decimal(0)).draw(1, 6, Rounding(1))

    assert Decimal("0.5") == due
    assert Requirement(3, 6, Decimal("0.5")) == after
