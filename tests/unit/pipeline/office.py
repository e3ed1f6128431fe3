"""What a person at the line does to a plant: a line that counts cases, and signed commands."""

from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from gateway.domain.bom import BillOfMaterial, BomOperation
from gateway.domain.event import EventKind
from gateway.domain.lot import Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.signature import Author, Signature
from gateway.pipeline.model import LineModel, Point
from tests.factories import LINE, NOON, make_bom, make_component, make_master, make_order
from tests.unit.pipeline.plant import CASE, GOOD, REJECT, WEIGHT, Plant, make_rule

REASONS = {"miscount": "counted wrongly", "surplus": "more than was needed"}
ANNA = Author("anna", Signature("anna", "Anna Arndt", "supervisor", "approved", NOON, "sha256:0"))
ORDER = Owner("order", "100045")
PACKING = (BomOperation("0030", "EA", receipt=True),)


def make_packing(*components, **changes) -> BillOfMaterial:
    """Return a bill with one operation, which packs and receives cases."""
    components = components or (make_component("CARTON-12", "1", operation="0030"),)
    return make_bom(*components, **{"operations": PACKING, **changes})


def make_packed(*components, order: dict | None = None, bom: dict | None = None, **changes) -> MasterData:
    changed = {"quantity": Decimal(10), **(order or {})}
    changes = {"reasons": REASONS, **changes}
    return make_master(order=make_order(**changed), bom=make_packing(*components, **(bom or {})), **changes)


def make_packers(master: MasterData | None = None, **rule) -> LineModel:
    """Return the packer's cases and rejects as they are counted at the packing operation."""
    rules = (
        make_rule(CASE, EventKind.GOOD_UNITS, "0030", **rule),
        make_rule(WEIGHT, EventKind.SCRAP_UNITS, "0030", **rule),
        make_rule(GOOD, EventKind.LOT_ISSUED, "0030", **rule),
        make_rule(REJECT, EventKind.REWORK_UNITS, "0030", **rule),
    )
    points = {one.signal: Point(one.signal, "L1", rule=one, is_event=True) for one in rules}
    return LineModel(points, master or make_packed(), {"L1": "100045"})


class Office(Plant):
    """A plant with somebody who stages, reverses, returns, counts and closes."""

    async def pack(self, *quantities: str, signal=CASE, **fields) -> None:
        """Count units, each an event message of its own."""
        for quantity in quantities:
            number = f"m-{self.delivered + 1}"
            await self.send(signal, quantity=Decimal(quantity), uom="EA", id=number, **fields)
            await self.turn()

    async def put(self, staging: str, quantity: str, *, item: str = "CARTON-12", lot: str = "C-1", **more) -> None:
        await self.stage(staging, quantity, item=item, lot=lot, **more)

    async def ask(self, command: Any, author: Author = ANNA) -> Any:
        return await self.asked(self.pipeline.commands.execute(command, author))

    async def change(self, **master) -> None:
        """Put other master data in force."""
        model = replace(self.model, master=replace(self.model.master, **master))
        await self.asked(self.pipeline.commands.activate(model))

    def left(self, lot: str = "C-1", owner: Owner = LINE) -> Decimal:
        found = [one.left for key, one in self.state.lots.items() if key.lot == lot and key.owner == owner]
        return sum(found, Decimal(0))

    async def posting(self, seq: int) -> dict:
        """Return a posting's body."""
        ((body,),) = await self.rows(f"SELECT body FROM posting WHERE seq = {seq}")
        return orjson.loads(body)

    async def lines(self, seq: int) -> list[tuple]:
        body = await self.posting(seq)
        return [(one["use"], one["item"], one["lot"], one["quantity"]) for one in body["lines"]]


@asynccontextmanager
async def office(folder, model: LineModel | None = None, *stagings):
    """Open an office; whatever is done in it, its store has to be consistent at the end."""
    plant = Office(folder / "gateway.db", model or make_packers())
    await plant.open()
    try:
        for number, one in enumerate(stagings, 1):
            await plant.put(f"S-{number}", **one)
        yield plant
        await plant.check()
    finally:
        await plant.close()
