"""Mirrors of what triggers posted: whole, cut, with what is drawn once, with backlogs."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.reverse import Part, cancelled, mirror, renumbered, restored, round_down
from gateway.domain.document import Draw, Link, Pick
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.requirement import NOTHING, Ratio, Requirement, RequirementKey

WHOLE = Rounding(0)
BOTTLE = RequirementKey("100045", "0010", "0010", "EA")
HOURS = RequirementKey("100045", "0010", "activity:machine", "h")


def make_draw(*picks: tuple[int, str, str], key=BOTTLE, required=(10, 1), **changes) -> Draw:
    """Return a draw of (line, stock quantity, component quantity); what is due is what was picked."""
    taken = tuple(Pick(line, Decimal(quantity), Decimal(component)) for line, quantity, component in picks)
    due = changes.pop("due", sum((pick.component for pick in taken), Decimal(0)))
    required = Ratio(*required)
    draw = Draw(key, "BOTTLE-500", Requirement(), required, NOTHING, Decimal(due), Decimal(0), taken, ())
    return draw._replace(**changes)


def make_link(*draws: Draw, units: str = "10", document: int = 1, more: tuple = ()) -> Link:
    """Return a trigger's link whose lines are what the draws picked and `more` (a receipt)."""
    lines = tuple((pick.line, pick.quantity) for draw in draws for pick in draw.picks)
    return Link(7, document, Decimal(units), (*more, *lines), draws)


def cut(part: Part, units: str | None = None, *, once: bool = False, rounding: Rounding = WHOLE) -> Link:
    share = None if units is None else Fraction(Decimal(units)) / Fraction(part.link.units)
    return mirror((part,), share, once=once, rounding=lambda _: rounding).links[0]


def after(part: Part, *links: Link) -> Part:
    return part._replace(reversed=(*part.reversed, *links))


def test_a_whole_mirror_takes_everything_back():
    link = make_link(make_draw((1, "120", "120")), more=((0, Decimal(10)),))
    mirrored = cut(Part(link))

    assert ((0, Decimal(-10)), (1, Decimal(-120))) == mirrored.lines
    assert Decimal(-10) == mirrored.units
    assert (Ratio(-10, 1), Decimal(-120)) == (mirrored.draws[0].required, mirrored.draws[0].due)


def test_a_cut_takes_posted_times_n_over_the_triggers_units_rounded_down():
    part = Part(make_link(make_draw((0, "4", "4"), required=(40, 9))))
    mirrored = cut(part, "4")

    assert ((0, Decimal(-1)),) == mirrored.lines  # 4 × 4 ÷ 10 = 1.6
    assert Fraction(-16, 9) == Fraction(*mirrored.draws[0].required)


def test_the_last_reversal_of_a_trigger_takes_the_rest():
    part = Part(make_link(make_draw((0, "4", "4"), required=(40, 9)), more=((1, Decimal("0.7")),)))
    first = cut(part, "4")
    second = cut(after(part, first), "3")
    last = cut(after(part, first, second))

    assert [-1, -1, -2] == [one.draws[0].due for one in (first, second, last)]
    assert {} == after(part, first, second, last).lines
    assert 0 == after(part, first, second, last).units
    assert Fraction(-40, 9) == sum(Fraction(*one.draws[0].required) for one in (first, second, last))


def test_stock_follows_in_the_ratio_in_which_it_was_picked():
    part = Part(make_link(make_draw((0, "0.9", "900"))))
    first = cut(part, "3")
    last = cut(after(part, first))

    assert [Pick(0, Decimal("-0.27"), Decimal(-270))] == list(first.draws[0].picks)
    assert [Pick(0, Decimal("-0.63"), Decimal(-630))] == list(last.draws[0].picks)


def test_a_stock_quantity_that_never_terminates_loses_nothing_in_the_end():
    part = Part(make_link(make_draw((0, "1", "3"))))
    parts = [part]
    for units in ("4", "4", None):
        parts.append(after(parts[-1], cut(parts[-1], units)))

    assert {} == parts[-1].lines


def test_an_exact_component_is_cut_at_twelve_decimals():
    part = Part(make_link(make_draw((0, "1", "1")), units="3"))

    assert ((0, Decimal("-0.333333333333")),) == cut(part, "1", rounding=Rounding()).lines


def test_packs_are_given_back_whole():
    part = Part(make_link(make_draw((0, "1000", "1000"))))

    assert Decimal(-250) == cut(part, "4", rounding=Rounding(multiple=Decimal(250))).draws[0].due


def test_a_draw_that_was_not_calculated_is_mirrored_too():
    mirrored = cut(Part(make_link(make_draw((0, "12.5", "12.5"), required=(0, 1), calculated=False))))

    assert ((0, Decimal("-12.5")),) == mirrored.lines
    assert not mirrored.draws[0].calculated


def test_a_line_in_two_parts_is_taken_back_as_one():
    link = make_link(more=((0, Decimal(4)), (0, Decimal(6))))

    assert ((0, Decimal(-10)),) == cut(Part(link)).lines


def test_an_activity_is_cut_like_a_component():
    part = Part(make_link(make_draw(key=HOURS, due=Decimal("1.00"))))
    first = cut(part, "3", rounding=Rounding(2))
    last = cut(after(part, first), rounding=Rounding(2))

    assert [Decimal("-0.30"), Decimal("-0.70")] == [first.draws[0].due, last.draws[0].due]


# --- what is drawn once an order ------------------------------------------------------------------


def make_first(*picks, **changes) -> Draw:
    """Return the draw of an order's first trigger, with 20 EA of setup scrap in it."""
    return make_draw(*picks, once=Ratio(20, 1), **changes)


def test_what_is_drawn_once_stays_until_the_orders_last_unit():
    part = Part(make_link(make_first((0, "230", "230"), required=(210, 1))))
    mirrored = cut(part)

    assert ((0, Decimal(-210)),) == mirrored.lines
    assert (Ratio(-210, 1), NOTHING) == (mirrored.draws[0].required, mirrored.draws[0].once)


def test_what_was_drawn_once_is_taken_back_with_the_last_unit():
    part = Part(make_link(make_first((0, "230", "230"), required=(210, 1))))
    mirrored = cut(after(part, cut(part)), once=True)

    assert ((0, Decimal(-20)),) == mirrored.lines
    assert (Ratio(0, 1), Ratio(-20, 1)) == (mirrored.draws[0].required, mirrored.draws[0].once)


def test_what_was_drawn_once_is_taken_back_once():
    part = Part(make_link(make_first((0, "230", "230"))))
    again = cut(after(part, cut(part, once=True)), once=True)

    assert ((), Ratio(0, 1)) == (again.lines, again.draws[0].once)


def test_the_lots_that_were_taken_first_keep_what_is_drawn_once():
    part = Part(make_link(make_first((0, "15", "15"), (1, "15", "15"))))

    assert ((1, Decimal(-10)),) == cut(part).lines


def test_a_cut_leaves_out_what_is_drawn_once():
    part = Part(make_link(make_first((0, "0.120", "120"), required=(100, 1))))

    assert ((0, Decimal("-0.03")),) == cut(part, "3").lines  # 3 ÷ 10 of 100


def test_a_backlog_keeps_owing_what_is_drawn_once():
    main = Part(make_link(make_first((0, "5", "5"), due=Decimal(30), backlog=Decimal(25))))
    settled = Part(make_link(make_draw((0, "8", "8"), required=(0, 1)), units="0", document=2))
    mirrored = mirror((main, settled), None, once=False, rounding=lambda _: Rounding())

    assert [(), ()] == [one.lines for one in mirrored.links]
    assert {BOTTLE: Decimal(7)} == mirrored.owed  # 20 − 5 − 8


def test_an_exact_once_quantity_that_never_terminates_is_kept_at_twelve_decimals():
    part = Part(make_link(make_draw((0, "1", "1"), once=Ratio(1, 3))))

    assert ((0, Decimal("-0.666666666667")),) == cut(part, rounding=Rounding()).lines


# --- backlogs, requirements, numbers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("owed", "kept", "share", "expected"),
    [
        ("40", "0", None, "40"),
        ("40", "0", Fraction(1, 3), "13"),
        ("40", "15", None, "25"),
        ("40", "50", None, "0"),
    ],
)
def test_an_open_backlog_is_cancelled_in_proportion(owed, kept, share, expected):
    assert Decimal(expected) == cancelled(Decimal(owed), Decimal(kept), share, WHOLE)


def test_a_requirement_is_what_it_was_before_the_trigger():
    before = Requirement(4, 9, Decimal(1))
    after_it = before.add_once(20, 1).draw(40, 9, Rounding(0, RoundingMode.UP))[1]
    draw = make_first((0, "24", "24"), required=(40, 9))
    mirrored = cut(Part(make_link(draw)), once=True)
    found = restored(after_it, mirrored.draws[0])

    assert (Fraction(4, 9), Decimal(1), False) == (
        Fraction(found.numerator, found.denominator),
        found.committed,
        found.once,
    )


def test_a_link_gets_the_line_numbers_of_another_document():
    found = renumbered(make_link(make_draw((3, "5", "5")), more=((1, Decimal(10)),)), {1: 0, 3: 1})

    assert ((0, Decimal(10)), (1, Decimal(5))) == found.lines
    assert 1 == found.draws[0].picks[0].line


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding(2), "1.66"),
        (Rounding(0, RoundingMode.UP), "1"),
        (Rounding(multiple=Decimal("0.5")), "1.5"),
        (Rounding(), "1.666666666666"),
    ],
)
def test_rounding_down_keeps_whole_steps(rounding, expected):
    assert Decimal(expected) == round_down(Fraction(5, 3), rounding)
