"""A document has one link for each of its triggers, and in it each line once, however many draws made them."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.domain.bom import Alternate, BomOperation, Shortage
from tests.factories import make_component
from tests.unit.pipeline.office import make_packed, make_packers, office

PACK = {"operation": "0030", "on_shortage": Shortage.SPLIT}


async def test_two_components_of_one_trigger_are_settled_together(tmp_path):
    parts = (make_component("CARTON-12", "1", **PACK), make_component("FILM", "2", line="0020", **PACK))
    async with office(tmp_path, make_packers(make_packed(*parts))) as shop:
        await shop.pack("3")
        await shop.change(stagings=())  # both arrive before anything is tried again
        shop.pipeline.commands.desk.retry_all = nothing
        await shop.put("S-1", "10")
        await shop.put("S-2", "10", item="FILM", lot="F-1")
        del shop.pipeline.commands.desk.retry_all
        await shop.pack("1")
        await shop.pipeline.commands.retry_all()

        assert not shop.state.backlogs
        assert [("consumed", "CARTON-12", "C-1", "3"), ("consumed", "FILM", "F-1", "6")] == await shop.lines(3)


async def nothing() -> None:
    pass


async def test_an_alternate_that_serves_twice_from_one_lot_is_one_line_of_the_link(tmp_path):
    ink = make_component("INK", "3", operation="0030", alternates=(Alternate("INK-B", 1, Fraction(1, 3)),))
    packing = (BomOperation("0030", "EA", receipt=True, defer=timedelta(minutes=1)),)
    master = make_packed(ink, bom={"operations": packing})
    async with office(tmp_path, make_packers(master), {"quantity": "10", "item": "INK-B", "lot": "I-1"}) as shop:
        await shop.pack("1")
        (document,) = shop.state.documents
        (link,) = await shop.store.links_of_document(document)

        assert ((0, Decimal(3)),) == link.lines
        assert [Decimal(2), Decimal(1)] == [draw.due for draw in link.draws]
