"""Posts what the engine books, each trigger a document of its own, without the pipeline."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from gateway.backflush.outcome import Booked
from gateway.backflush.step import step
from gateway.domain.bom import Alternate, BillOfMaterial, BomOperation, Component, Method, ScrapBasis
from gateway.domain.clock import ClockTrust
from gateway.domain.document import Booking, Link
from gateway.domain.event import Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item
from gateway.domain.order import Order
from gateway.domain.posting import Posting
from gateway.domain.quantity import Rounding
from gateway.formats import canonical
from gateway.settings.snapshot import Content, Conversion
from gateway.store.batch import Batch, EventRow, PostingRow, Snapshot, TriggerRow
from gateway.store.store import Store
from tests.factories import NOON, Shelf, make_lot, make_trigger


def make_line(line: str, item: str, quantity: str, uom: str = "EA", **more) -> Component:
    return Component(line, item, Decimal(quantity), uom, more.pop("operation", "0010"), **more)


CASE = BillOfMaterial(
    bom="COLA",
    version="3",
    item="COLA-CASE-12",
    base_quantity=Decimal(1000),
    uom="EA",
    assembly_scrap=Fraction(1, 100),
    operations=(
        BomOperation("0010", "bottle", Fraction(12)),
        BomOperation("0030", "EA", receipt=True),
        BomOperation("0040", "kg", Fraction(6)),
    ),
    components=(
        make_line("0010", "BOTTLE", "12000", setup_scrap=Decimal(24), rounding=Rounding(0)),
        make_line("0020", "CO2", "60", "kg", component_scrap=Fraction(15, 1000), rounding=Rounding(3)),
        make_line("0030", "GLUE", "2500", "g", rounding=Rounding(2), scrap_basis=ScrapBasis.DIVIDE),
        make_line("0040", "LABEL-SET", "1000", phantom=True, component_yield=Fraction(9, 10)),
        make_line(
            "0050", "SYRUP", "100", "kg", rounding=Rounding(3), alternates=(Alternate("SYRUP-B", 1, Fraction(1, 3)),)
        ),
        make_line("0060", "WATER", "500", "kg", method=Method.MEASURED, operation="0040"),
    ),
    approved=True,
)
LABELS = BillOfMaterial(
    bom="LABELS",
    version="1",
    item="LABEL-SET",
    base_quantity=Decimal(7),
    uom="EA",
    operations=(BomOperation("0010", "EA", receipt=True),),
    components=(
        make_line("0010", "LABEL", "14", rounding=Rounding(0)),
        make_line("0020", "FOIL", "1", "m", rounding=Rounding(2)),
    ),
    approved=True,
)
STOCKS = {
    "BOTTLE": "EA",
    "CO2": "kg",
    "GLUE": "kg",
    "LABEL": "EA",
    "FOIL": "m",
    "SYRUP": "kg",
    "SYRUP-B": "kg",
    "WATER": "kg",
}


def make_content(bill: BillOfMaterial = CASE) -> Content:
    items = tuple(Item(name, uom) for name, uom in {**STOCKS, "COLA-CASE-12": "EA", "LABEL-SET": "EA"}.items())
    order = Order("100045", "COLA-CASE-12", Decimal(1000), "EA", "L1", bill.bom, bill.version, finished_lot="C-1")
    return Content(items, (Conversion(None, "g", "kg", Fraction(1, 1000)),), (bill, LABELS), (order,), (), (), {})


def make_shelf() -> Shelf:
    """Stage two lots of everything; the first of each is small."""
    return Shelf(
        *(
            make_lot(f"{item}-{number}", quantity, item=item, uom=uom)
            for item, uom in STOCKS.items()
            for number, quantity in ((1, "0.5"), (2, "100000"))
        )
    )


@dataclass
class Book:
    """A store that takes what the engine books."""

    store: Store
    content: Content = field(default_factory=make_content)
    shelf: Shelf = field(default_factory=make_shelf)
    seq: int = 0
    triggers: int = 0

    @property
    def master(self) -> MasterData:
        return self.content.master()

    async def post(self, quantity: str, operation: str = "0010", **event) -> int:
        """Book a trigger; return its posting's seq."""
        master = self.master
        self.triggers += 1
        trigger = make_trigger(quantity, operation, key=f"k{self.triggers}", **event)._replace(id=self.triggers)
        booked = step(self.shelf, master, trigger)
        assert isinstance(booked, Booked), booked
        self.shelf.take(booked.changes)
        encoded = self.content.encoded()
        batch = Batch(snapshots=[Snapshot(master.hash, encoded, NOON)])
        batch.events.append(EventRow(trigger.id, trigger.event, "COUNT"))
        batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, self.seq + 1, None))
        for booking in booked.bookings:
            self._post(batch, booking, (trigger,))
        await self.store.commit(batch)
        return self.seq

    def _post(self, batch: Batch, booking: Booking, triggers: tuple[Trigger, ...]) -> None:
        self.seq += 1
        lines = tuple((number, one.quantity) for number, one in enumerate(booking.lines))
        batch.links.append(Link(booking.trigger.id, self.seq, booking.units, lines, booking.draws))
        key = booking.key
        posting = Posting(
            key.type,
            key.order,
            key.operation,
            key.item,
            key.finished_lot,
            booking.output,
            booking.lines,
            triggers,
            key.bom,
            key.bom_version,
            key.master_data,
            booking.activities,
            booking.deviations,
        )
        place = canonical.Place("PLANT1-L1", self.store.store, NOON, ClockTrust("assume", 0))
        body = canonical.posting(posting, self.seq, self.seq, place)
        batch.postings.append(PostingRow(self.seq, self.seq, posting, NOON, body, self.seq))
