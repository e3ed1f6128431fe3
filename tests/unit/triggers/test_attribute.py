import pytest

from gateway.domain.event import EventKind, Trigger
from gateway.domain.rule import TriggerRule
from gateway.triggers.attribute import NO_ORDER, fire
from tests.factories import FILLER, make_event


def make_rule(**changes) -> TriggerRule:
    return TriggerRule("fill-good", 4, FILLER, EventKind.GOOD_UNITS, "0010", **changes)


def test_a_trigger_names_its_rule_with_version_its_line_and_its_operation():
    event = make_event(order="100046")

    assert Trigger(7, event, "fill-good", 4, "L1", "100046", "0010") == fire(
        make_rule(), event, trigger_id=7, line="L1", active=None
    )


@pytest.mark.parametrize(
    ("reported", "fallback", "active", "order"),
    [
        ("100046", True, "100045", "100046"),
        (None, True, "100045", "100045"),
        (None, False, "100045", NO_ORDER),
        (None, True, None, NO_ORDER),
    ],
)
def test_the_devices_order_comes_before_the_lines_active_one(reported, fallback, active, order):
    rule = make_rule(fallback_active=fallback)

    assert order == fire(rule, make_event(order=reported), trigger_id=1, line="L1", active=active).order
