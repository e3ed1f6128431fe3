from decimal import Decimal

import pytest

from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.requirement import Ratio, Requirement

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


def test_what_is_drawn_once_is_required_once():
    first = Requirement().add_once(5, 1)

    assert Requirement(5, 1, Decimal(0), once=True) == first
    assert first is first.add_once(5, 1)


def test_a_draw_keeps_that_the_once_quantity_is_in():
    _, after = Requirement(5, 1, Decimal(5), once=True).draw(1, 1, WHOLE_UP)

    assert after.once


def test_what_is_given_back_leaves_nothing_of_a_whole_reversal():
    before = Requirement(1, 3, Decimal(1))
    due, after = before.draw(4, 3, WHOLE_UP)

    assert Requirement(1, 3, Decimal(1)) == after.give_back(Ratio(4, 3), due, once=False)


@pytest.mark.parametrize(("once", "kept"), [(True, False), (False, True)])
def test_the_once_quantity_is_required_again_only_after_it_was_given_back(once, kept):
    assert kept is Requirement(6, 1, Decimal(6), once=True).give_back(Ratio(5, 1), Decimal(5), once=once).once
