"""A line with two orders, and what people ask of it at the panel."""

from contextlib import asynccontextmanager
from dataclasses import replace

from gateway.domain.bom import Method
from gateway.domain.clock import ClockTrust
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Line
from gateway.domain.signature import Author, Signature
from tests.factories import NOON, make_bom, make_component, make_order
from tests.unit.pipeline.plant import Plant, VirtualClock, make_line_master, make_model

OPERATOR = Author("operator")
SIGNER = Author("anna", Signature("anna", "Anna Huber", "quality", "approved", NOON, "sha256:00"))
OTHER = make_order(order="100046", active=False, finished_lot="C261121-2")


class DoubtfulClock(VirtualClock):
    """A clock that is trusted once it was synchronised, or a person said so."""

    trusted = ClockTrust("kernel", 8)

    def trust(self) -> ClockTrust:
        return self.trusted

    def believe(self) -> None:
        self.trusted = ClockTrust("person", 0)


def make_plant_model(**changes):
    """Return a line with two orders, a scan-issued glue and an approved second version of the bill."""
    master = make_line_master()
    glue = make_component("GLUE", "2", line="0040", operation="0030", method=Method.SCAN)
    ((key, bom),) = master.boms.items()
    boms = {key: replace(bom, components=(*bom.components, glue)), (bom.bom, "4"): replace(bom, version="4")}
    boms[bom.bom, "5"] = replace(make_bom(), version="5", approved=False)
    items = {**master.items, "GLUE": replace(master.items["CARTON-12"], item="GLUE")}
    orders = {**master.orders, OTHER.order: OTHER}
    lines = {"L1": Line("L1", line_clearance=True)}
    master = replace(master, boms=boms, orders=orders, lines=lines, items=items)
    return replace(make_model(master), **changes)


@asynccontextmanager
async def panel(folder):
    """Open the line; whatever is done at it, its store has to be consistent at the end."""
    plant = Plant(folder / "gateway.db", make_plant_model())
    plant.clock = DoubtfulClock()
    await plant.open()
    await plant.stage("S-1", "1000")
    await plant.stage("S-2", "100", item="CARTON-12", lot="C-1")
    await plant.stage("S-3", "50", item="GLUE", lot="G-1")
    plant.read(good=100)
    await plant.turn()
    try:
        yield plant
        await plant.check()
    finally:
        await plant.close()


async def give(plant, command, author=OPERATOR):
    return await plant.asked(plant.pipeline.commands.execute(command, author))


async def entries(plant, kind: str) -> list[str]:
    rows = await plant.rows(f"SELECT body ->> 'person' FROM journal WHERE kind = '{kind}' ORDER BY position")
    return [person for (person,) in rows]


def waits(plant) -> list[tuple[str, str]]:
    return [(one.code, "/".join(one.scope)) for one in plant.exceptions(ExceptionKind.TRIGGER)]
