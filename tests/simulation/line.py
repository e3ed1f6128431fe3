"""The simulated line: a machine of each kind, with counters small enough to roll over often."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.counting.counter import Counter, Counts, GapPolicy
from gateway.domain.bom import BomOperation, Method
from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation
from gateway.domain.masterdata import MasterData
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.rule import TriggerRule
from gateway.pipeline.model import LineModel, Point
from tests.factories import make_bom, make_component, make_master, make_order

LINE = "L1"
ORDERS = ("100045", "100046", "100047")
GOOD, REJECT, TOTAL = (SignalId("FILLER-1", name) for name in ("good", "reject", "total"))
CAPPED = SignalId("CAPPER-1", "capped")
LABELLED = SignalId("LABELLER-1", "labelled")
CASES = SignalId("PACKER-1", "case_sealed")
WEIGHT = SignalId("SCALE-1", "net_weight")

COUNTERS = {
    GOOD: Counter(Counts.GOOD, 1000, Decimal(10), has_epoch=True),
    REJECT: Counter(Counts.SCRAP, 100, Decimal(1), has_epoch=True),
    TOTAL: Counter(Counts.TOTAL, 10_000, Decimal(20), has_epoch=True),
    # Two registers, so that a reading can be torn; nothing tells a restart from a rollover.
    CAPPED: Counter(Counts.GOOD, 65_736, Decimal(10)),
    LABELLED: Counter(Counts.GOOD, 500, Decimal(5), has_epoch=True, retentive=True, gap=GapPolicy.HOLD),
}
FIRST_VALUES = {GOOD: 950, REJECT: 97, TOTAL: 9_950, CAPPED: 65_500, LABELLED: 480}
ITEMS = {"BOTTLE-500": "EA", "CAP-A": "EA", "LABEL": "EA", "CARTON-12": "EA", "DRINK": "kg"}
_WHOLE = Rounding(0, RoundingMode.UP)
_WINDOW = Cumulation(window=timedelta(seconds=60), units=Decimal(60), lot_change=True)


def make_master_data(version: int = 1) -> MasterData:
    """Return the orders and their bill; another `version` issues another quantity of labels."""
    components = (
        make_component("BOTTLE-500", "12"),
        make_component("CAP-A", "12", line="0020", operation="0015"),
        make_component(
            "LABEL", str(12 + version), line="0030", operation="0020", rounding=Rounding(0, RoundingMode.UP)
        ),
        make_component("CARTON-12", "1", line="0040", operation="0030"),
        make_component("DRINK", "6", line="0050", operation="0040", uom="kg", method=Method.MEASURED),
    )
    operations = (
        BomOperation("0010", "bottle", Fraction(12)),
        BomOperation("0015", "bottle", Fraction(12)),
        BomOperation("0020", "bottle", Fraction(12)),
        BomOperation("0030", "EA", receipt=True),
        BomOperation("0040", "kg", Fraction(6)),
    )
    return make_master(
        bom=make_bom(*components, operations=operations),
        stocked_in={"DRINK": "kg"},
        orders={number: make_order(order=number, active=number == ORDERS[0]) for number in ORDERS},
        hash=f"sha256:{version:04}",
    )


def make_line(version: int = 1) -> LineModel:
    """Return signals, rules and master data of that version."""
    rules = (
        _rule(GOOD, EventKind.GOOD_UNITS, "0010", order_signal="order", cumulate=_WINDOW),
        _rule(REJECT, EventKind.SCRAP_UNITS, "0010", order_signal="order", cumulate=_WINDOW),
        _rule(CAPPED, EventKind.GOOD_UNITS, "0015"),
        _rule(LABELLED, EventKind.GOOD_UNITS, "0020", cumulate=Cumulation(window=timedelta(seconds=30))),
        _rule(CASES, EventKind.CASE_SEALED, "0030", order_from_event=True),
        _rule(WEIGHT, EventKind.WEIGHED, "0040"),
    )
    points = [_counter(signal, rules) for signal in COUNTERS]
    points += [Point(one.signal, LINE, rule=one, is_event=True) for one in rules if one.signal in (CASES, WEIGHT)]
    points += [Point(SignalId("FILLER-1", "boot"), LINE), Point(SignalId("FILLER-1", "order"), LINE)]
    points += [Point(SignalId("LABELLER-1", "boot"), LINE)]
    return LineModel({one.id: one for one in points}, make_master_data(version), {LINE: ORDERS[0]})


def _rule(signal: SignalId, event: EventKind, operation: str, **changes) -> TriggerRule:
    return TriggerRule(f"on-{signal.signal}", 1, signal, event, operation, fallback_active=True, **changes)


def _counter(signal: SignalId, rules) -> Point:
    counter = COUNTERS[signal]
    rule = next((one for one in rules if one.signal == signal), None)
    order = "order" if signal.device == "FILLER-1" and not counter.is_total else None
    return Point(signal, LINE, counter, "boot" if counter.has_epoch else None, order, rule)
