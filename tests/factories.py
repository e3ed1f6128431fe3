"""Makes the nouns of the domain with sensible defaults: a case of twelve bottles on line L1."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.backflush.allocate import first_expiry
from gateway.backflush.outcome import Changes
from gateway.domain.bom import BillOfMaterial, BomOperation, Component
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner, Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item, Units
from gateway.domain.order import Order, OrderState, Progress
from gateway.domain.quantity import ZERO
from gateway.domain.requirement import Requirement, RequirementKey

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
FILLER = SignalId("FILLER-1", "good")
LINE = Owner("line", "L1")
ORDER = Owner("order", "100045")


def day(number: int) -> datetime:
    """Return noon, that many days later."""
    return NOON + timedelta(days=number)


def make_order(**changes) -> Order:
    order = Order(
        order="100045",
        item="COLA-CASE-12",
        quantity=Decimal(1000),
        uom="EA",
        line="L1",
        bom="COLA-CASE-12",
        bom_version="3",
        active=True,
        finished_lot="C261121-1",
        receipt_location="L1-OUT",
    )
    return replace(order, **changes)


def make_component(item: str = "BOTTLE-500", quantity: str = "12", **changes) -> Component:
    component = Component(line="0010", item=item, quantity=Decimal(quantity), uom="EA", operation="0010")
    return replace(component, **changes)


def make_bom(*components: Component, **changes) -> BillOfMaterial:
    """Return the bill of one case; without components twelve bottles are filled and one carton is packed."""
    carton = make_component("CARTON-12", "1", line="0020", operation="0030")
    bom = BillOfMaterial(
        bom="COLA-CASE-12",
        version="3",
        item="COLA-CASE-12",
        base_quantity=Decimal(1),
        uom="EA",
        operations=(
            BomOperation("0010", "bottle", Fraction(12)),
            BomOperation("0030", "EA", receipt=True),
            BomOperation("0040", "kg", Fraction(6)),
        ),
        components=components or (make_component(), carton),
        approved=True,
    )
    return replace(bom, **changes)


def make_master(
    *,
    order: Order | None = None,
    bom: BillOfMaterial | None = None,
    more: Sequence[BillOfMaterial] = (),
    units: dict | None = None,
    stocked_in: dict | None = None,
    item_facts: dict | None = None,
    **changes,
) -> MasterData:
    """Return a snapshot of one order and its bill, with `more` bills (phantoms, other versions) beside it.

    Items are stocked in EA unless `stocked_in` says otherwise; `item_facts` are the other fields of some of them.
    """
    order, boms = order or make_order(), (bom or make_bom(), *more)
    parts = [part for one in boms for part in one.components]
    names = {order.item, *(one.item for one in boms), *(one.item for one in parts)}
    names |= {other.item for one in parts for other in one.alternates}
    known = {name: Item(name, (stocked_in or {}).get(name, "EA"), **(item_facts or {}).get(name, {})) for name in names}
    by_version = {(one.bom, one.version): one for one in boms}
    master = MasterData("sha256:5f3c", known, Units(units or {}), by_version, {order.order: order})
    return replace(master, **changes)


def make_phantom(item: str, *components: Component, **changes) -> BillOfMaterial:
    """Return the approved bill of a phantom; its components' operations don't count."""
    return make_bom(*components, **{"bom": item, "version": "1", "item": item, "operations": (), **changes})


def make_event(quantity: str = "1", **changes) -> Event:
    event = Event(
        signal=FILLER,
        key="7:100-101@100",
        kind=EventKind.GOOD_UNITS,
        quantity=Decimal(quantity),
        uom="",
        source_time=NOON,
        received_time=NOON,
    )
    return event._replace(**changes)


def make_trigger(quantity: str = "1", operation: str = "0010", *, order: str = "100045", **event) -> Trigger:
    return Trigger(1, make_event(quantity, **event), "fill-good", 1, "L1", order, operation)


def make_lot(lot: str = "B-1", staged: str = "100", *, item: str = "BOTTLE-500", owner: Owner = LINE, **changes):
    """Return a staged lot; the fields of its facts (density, scanned_at, …) are given beside the others."""
    key = LotKey(owner, item, lot, changes.pop("location", "L1-FILL"))
    facts = LotFacts(**{name: changes.pop(name) for name in LotFacts._fields if name in changes})
    balance = LotBalance(key, "EA", NOON, None, LotStatus.UNRESTRICTED, staged=Decimal(staged), facts=facts)
    return balance._replace(**changes)


def make_staging(
    staging: str, quantity: str, *, item: str = "BOTTLE-500", lot: str = "B-1", owner: Owner = LINE, **more
):
    key = LotKey(owner, item, lot, "L1-FILL")
    return Staging(staging, key, Decimal(quantity), more.pop("uom", "EA"), more.pop("received_at", NOON), **more)


class Shelf:
    """The engine's state in a test, changed only by `take` (and `orders` by the test itself)."""

    def __init__(self, *lots: LotBalance) -> None:
        self.balances: dict[LotKey, LotBalance] = {one.key: one for one in lots}
        self.requirements: dict[RequirementKey, Requirement] = {}
        self.made: dict[tuple[str, str], Progress] = {}
        self.orders: dict[str, OrderState] = {}

    def lots(self, owners: Sequence[Owner], item: str) -> Iterator[LotBalance]:
        found = (one for key, one in self.balances.items() if key.owner in owners and key.item == item)
        return iter(sorted((one for one in found if one.left > ZERO), key=first_expiry))

    def requirement(self, key: RequirementKey) -> Requirement:
        return self.requirements.get(key, Requirement())

    def progress(self, order: str, operation: str) -> Progress:
        return self.made.get((order, operation), Progress())

    def order_state(self, order: str) -> OrderState:
        return self.orders.get(order, OrderState())

    def take(self, changes: Changes) -> None:
        """Make a posted trigger's changes the state."""
        self.balances.update(changes.lots)
        self.requirements.update(changes.requirements)
        self.made.update(changes.progress)

    def left(self, lot: str) -> Decimal:
        """Return what is left of a lot."""
        return sum((one.left for key, one in self.balances.items() if key.lot == lot), ZERO)
